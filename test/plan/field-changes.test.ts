// Which fields differ, as a person reads them: by key where the server merges by key, and what Git no longer declares.
import { describe, expect, test } from '@jest/globals';
import { formatFieldChange } from '../../operator/cli/plan-text.ts';
import type { JsonObject } from '../../operator/model/json.ts';
import { fieldChanges } from '../../operator/plan/field-changes.ts';

/** An object with such a spec; `held` is what our own apply declared of it, as fieldsV1; nothing when it is empty. */
function object(spec: JsonObject, held: JsonObject = {}, metadata: JsonObject = {}): JsonObject {
  const managedFields = [
    { manager: 'setpoint', operation: 'Apply', apiVersion: 'apps/v1', fieldsV1: Object.keys(held).length === 0 ? {} : { 'f:spec': held } },
  ];
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', ...metadata, managedFields: managedFields as never }, spec };
}

function checkChanges(before: JsonObject, after: JsonObject, expected: readonly string[]): void {
  expect(fieldChanges(before, after).map(formatFieldChange)).toEqual(expected);
}

describe('a field', () => {
  test.each<[string, JsonObject, JsonObject, readonly string[]]>([
    ['that is equal is not told', object({ replicas: 1 }), object({ replicas: 1 }), []],
    ['with another value is told with both', object({ replicas: 5 }), object({ replicas: 3 }), ['.spec.replicas: 5 → 3']],
    [
      'that Git no longer declares says what it falls back to',
      object({ replicas: 5 }, { 'f:replicas': {} }),
      object({ replicas: 1 }),
      ['.spec.replicas: 5 → undeclared → 1'],
    ],
    [
      'that Git no longer declares and nobody else sets is gone',
      object({ paused: true }, { 'f:paused': {} }),
      object({}),
      ['.spec.paused: true → undeclared → absent'],
    ],
    [
      'whose value stays although Git no longer declares it is not told',
      object({ replicas: 5 }, { 'f:replicas': {} }),
      object({ replicas: 5 }),
      [],
    ],
    ['that is new is told as absent before', object({}), object({ paused: false }), ['.spec.paused: absent → false']],
    [
      'below a map that was declared as a whole counts as declared',
      object({ selector: { a: '1' } }, { 'f:selector': {} }),
      object({ selector: { a: '2' } }),
      ['.spec.selector.a: "1" → undeclared → "2"'],
    ],
    ['with a name that is no word is quoted', object({ 'a.b/c': 1 }), object({ 'a.b/c': 2 }), ['.spec["a.b/c"]: 1 → 2']],
    ['null and absent are two things', object({ x: null }), object({}), ['.spec.x: null → absent']],
  ])('%s', (_, before, after, expected) => checkChanges(before, after, expected));

  test('that the server keeps is not told', () => {
    const before = { ...object({ x: 1 }, {}, { resourceVersion: '1', uid: 'a', generation: 1 }), status: { ready: 1 } };
    const after = { ...object({ x: 1 }, {}, { resourceVersion: '2', uid: 'b', generation: 2 }), status: { ready: 2 } };
    checkChanges(before, after, []);
  });
});

describe('a list', () => {
  const held = { 'f:ports': { 'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:name': {} } } };

  test('that is merged by key is compared item by item, in whatever order they stand', () => {
    checkChanges(
      object({
        ports: [
          { containerPort: 80, protocol: 'TCP', name: 'http' },
          { containerPort: 443, protocol: 'TCP' },
        ],
      }),
      object(
        {
          ports: [
            { containerPort: 443, protocol: 'TCP' },
            { containerPort: 80, protocol: 'TCP', name: 'web' },
            { containerPort: 53, protocol: 'UDP' },
          ],
        },
        held,
      ),
      [
        '.spec.ports[containerPort=80,protocol="TCP"].name: "http" → "web"',
        '.spec.ports[containerPort=53,protocol="UDP"]: absent → {"containerPort":53,"protocol":"UDP"}',
      ],
    );
  });

  test('of plain values is told as a whole', () => {
    checkChanges(object({ args: ['a', 'b'] }), object({ args: ['a'] }), ['.spec.args: ["a","b"] → ["a"]']);
  });

  test('of objects without a key is compared by position', () => {
    checkChanges(object({ rules: [{ a: 1 }, { a: 2 }] }), object({ rules: [{ a: 1 }, { a: 3 }] }), ['.spec.rules[1].a: 2 → 3']);
  });
});

test('a value that is long is cut, a control character is escaped', () => {
  expect(formatFieldChange({ path: '.data.x', before: 'y'.repeat(500), after: '\u001b[31m' })).toMatch(
    /^\.data\.x: "y{118}… → "\\u001b\[31m"$/,
  );
});
