// Objects against schemas, as text: what the API server publishes for its own kinds and what CustomResourceDefinitions declare.
import { describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../operator/model/json.ts';
import { createValidator } from '../../operator/validate/create-validator.ts';
import { findingsText, smallCatalog, synthesized, validate } from './validation-text.ts';

function checkFindings(yaml: string, expected: readonly string[]): void {
  expect(findingsText(validate(synthesized(yaml)))).toEqual(expected);
}

const at = 'main.ts:1:3: Deployment shop/web';
const container = '{name: web}';
/** A Deployment with more members in its spec and another list of containers. */
const deployment = (spec: string, containers = `[${container}]`): string =>
  `{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {selector: {}, template: {spec: {containers: ${containers}}}, ${spec}}}`;

describe('kinds of the cluster', () => {
  test.each<[string, string, readonly string[]]>([
    ['a good object', deployment('replicas: 3, maxSurge: 25%'), []],
    ['V13 int-or-string takes an integer', deployment('maxSurge: 1'), []],
    [
      'V2 int-or-string takes nothing else',
      deployment('maxSurge: true'),
      [`InvalidValue ${at} .spec.maxSurge: expected integer or string, got boolean true; write it as a string`],
    ],
    ['V13 a free-form object takes anything', deployment('raw: {any: [thing, {at: all}]}'), []],
    [
      'V1 an unknown field',
      deployment('replica: 3'),
      [`UnknownField ${at} .spec.replica: unknown field "replica"; did you mean "replicas"?`],
    ],
    [
      'V1 an unknown field, by letter case',
      deployment('minreadyseconds: 3'),
      [`UnknownField ${at} .spec.minreadyseconds: unknown field "minreadyseconds"; did you mean "minReadySeconds"?`],
    ],
    [
      'V1 an unknown field deep inside a list',
      deployment('', '[{name: a}, {name: b, comand: [x]}]'),
      [`UnknownField ${at} .spec.template.spec.containers[1].comand: unknown field "comand"; did you mean "command"?`],
    ],
    [
      'V1 an unknown field unlike any other lists what is known',
      deployment('', '[{name: a, ports: []}]'),
      [
        `UnknownField ${at} .spec.template.spec.containers[0].ports: unknown field "ports"; known here: command, env, image, imagePullPolicy, limits, name`,
      ],
    ],
    [
      'V1 an unknown field at the top',
      '{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, Data: {}}',
      ['UnknownField main.ts:1:3: ConfigMap shop/a .Data: unknown field "Data"; did you mean "data"?'],
    ],
    [
      'V1 an unknown field of metadata',
      '{apiVersion: v1, kind: ConfigMap, metadata: {name: a, label: {}}}',
      ['UnknownField main.ts:1:3: ConfigMap shop/a .metadata.label: unknown field "label"; did you mean "labels"?'],
    ],
    [
      'V2 text for a number',
      deployment('replicas: "3"'),
      [`InvalidValue ${at} .spec.replicas: expected integer, got string "3"; write it without quotes`],
    ],
    ['V2 a fraction for an integer', deployment('replicas: 1.5'), [`InvalidValue ${at} .spec.replicas: expected integer, got number 1.5`]],
    [
      'V2 a number above 32 bits',
      deployment('replicas: 2147483648'),
      [`InvalidValue ${at} .spec.replicas: expected a 32-bit integer, got number 2147483648`],
    ],
    ['V2 text for a truth value', deployment('paused: "true"'), [`InvalidValue ${at} .spec.paused: expected boolean, got string "true"`]],
    [
      'V2 a number for text',
      deployment('', '[{name: a, env: [{name: PORT, value: 8080}]}]'),
      [`InvalidValue ${at} .spec.template.spec.containers[0].env[0].value: expected string, got number 8080; write it as a string`],
    ],
    [
      'V2 an object for a list',
      deployment('', '{name: a}'),
      [`InvalidValue ${at} .spec.template.spec.containers: expected array, got object`],
    ],
    [
      'V2 null in a list',
      deployment('', '[null]'),
      [`InvalidValue ${at} .spec.template.spec.containers[0]: expected object, got null; leave it out`],
    ],
    ['V2 null for a member is left out by the server', deployment('replicas: null, paused: null'), []],
    [
      'V2 a value outside an enumeration',
      deployment('', '[{name: a, imagePullPolicy: always}]'),
      [
        `InvalidValue ${at} .spec.template.spec.containers[0].imagePullPolicy: expected one of "Always", "IfNotPresent", "Never", got string "always"; did you mean "Always"?`,
      ],
    ],
    ['V2 quantities', deployment('', '[{name: a, limits: {a: 1e3, b: 1.5Gi, c: 500m, d: 2, e: 0.5, f: -1}}]'), []],
    [
      'V2 no quantity',
      deployment('', '[{name: a, limits: {memory: 1 GB, cpu: [1]}}]'),
      [
        `InvalidValue ${at} .spec.template.spec.containers[0].limits.cpu: expected string or number, got array of 1`,
        `InvalidValue ${at} .spec.template.spec.containers[0].limits.memory: expected a quantity such as 500m, 2 or 1.5Gi, got string "1 GB"`,
      ],
    ],
    ['V2 a time', deployment('since: "2026-01-31T12:00:00+01:00"'), []],
    [
      'V2 no time',
      deployment('since: yesterday'),
      [`InvalidValue ${at} .spec.since: expected a time such as 2026-01-31T12:00:00Z, got string "yesterday"`],
    ],
    [
      'V2 no base64',
      '{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, binaryData: {a: "no base64"}}',
      ['InvalidValue main.ts:1:3: ConfigMap shop/a .binaryData.a: expected base64, got string "no base64"'],
    ],
    [
      'a missing field',
      '{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {selector: {}, template: {spec: {}}}}',
      [`MissingField ${at} .spec.template.spec.containers: required field "containers" is missing`],
    ],
    ["a missing status is nobody's fault", deployment(''), []],
    ['status is not looked at', `${deployment('').slice(0, -1)}, status: {any: thing}}`, []],
    [
      "a kind without a published schema is the server's matter",
      '{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {anything: goes}}',
      [],
    ],
    [
      'everything at once',
      deployment('replica: 1, paused: 3', '[{image: a}]'),
      [
        `InvalidValue ${at} .spec.paused: expected boolean, got number 3`,
        `UnknownField ${at} .spec.replica: unknown field "replica"; did you mean "replicas"?`,
        `MissingField ${at} .spec.template.spec.containers[0].name: required field "name" is missing`,
      ],
    ],
  ])('%s', (_, yaml, expected) => {
    checkFindings(yaml, expected);
  });

  test('a value too long to show is not shown', () => {
    expect(findingsText(validate(synthesized(deployment(`replicas: "${'x'.repeat(100)}"`))))).toEqual([
      `InvalidValue ${at} .spec.replicas: expected integer, got string of 102 characters`,
    ]);
  });

  test('T8 no value of a Secret is shown', () => {
    const findings = validate(
      synthesized(
        '{apiVersion: v1, kind: Secret, metadata: {name: a}, data: {a: "hunter2!", b: 4711}, stringData: {c: 4711}, type: [hunter2]}',
      ),
    ).findings;
    expect(findings).toHaveLength(4);
    expect(JSON.stringify(findings)).not.toMatch(/hunter2|4711/);
    expect(findings.map((finding) => finding.message)).toContain('expected string, got number');
  });

  test('equal names with unequal content in two documents are not mixed up', () => {
    const validator = createValidator();
    const strict = smallCatalog({
      version: 'two',
      schemas: { 'io.k8s.api.core.v1.Container': { type: 'object', properties: { other: { type: 'string' } } } },
    });
    expect(validate(synthesized(deployment('')), smallCatalog(), validator).findings).toEqual([]);
    expect(findingsText(validate(synthesized(deployment('')), strict, validator))).toEqual([
      `UnknownField ${at} .spec.template.spec.containers[0].name: unknown field "name"; known here: other`,
    ]);
    expect(validate(synthesized(deployment('')), smallCatalog(), validator).findings).toEqual([]);
  });
});

describe('kinds that the commit brings along', () => {
  const widget = (spec: string, apiVersion = 'example.com/v1'): string =>
    `{apiVersion: ${apiVersion}, kind: Widget, metadata: {name: one}, spec: ${spec}}`;
  const definition = (schema: JsonObject, scope = 'Namespaced', more: readonly JsonObject[] = []): string =>
    JSON.stringify({
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'widgets.example.com' },
      spec: {
        ...{ group: 'example.com', scope, names: { kind: 'Widget', plural: 'widgets' } },
        versions: [
          { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object', properties: { spec: schema } } } },
          ...more,
        ],
      },
    });
  const spec = (properties: JsonObject, more: JsonObject = {}): JsonObject => ({ type: 'object', properties, ...more });
  const here = 'main.ts:2:3: Widget shop/one';

  function checkWidget(schema: JsonObject, value: string, expected: readonly string[]): void {
    const result = validate(synthesized(`${definition(schema)}\n---\n${widget(value)}`));
    expect(findingsText(result)).toEqual(expected.map((line) => line.replace('HERE', here)));
  }

  test.each<[string, JsonObject, string, readonly string[]]>([
    ['V4 an object that fits', spec({ size: { type: 'integer' } }), '{size: 3}', []],
    [
      'V4 an unknown field',
      spec({ size: { type: 'integer' } }),
      '{sise: 3}',
      ['UnknownField HERE .spec.sise: unknown field "sise"; did you mean "size"?'],
    ],
    [
      'V13 an object that declares no field takes none',
      spec({ empty: { type: 'object' } }),
      '{empty: {a: 1}}',
      ['UnknownField HERE .spec.empty.a: unknown field "a"'],
    ],
    [
      'V13 preserve-unknown-fields keeps unknown fields and still checks known ones',
      spec({ size: { type: 'integer' }, inner: spec({}) }, { 'x-kubernetes-preserve-unknown-fields': true }),
      '{other: 1, size: x, inner: {other: 1}}',
      ['UnknownField HERE .spec.inner.other: unknown field "other"', 'InvalidValue HERE .spec.size: expected integer, got string "x"'],
    ],
    [
      'V13 nullable',
      spec(
        { a: { type: 'string', nullable: true, enum: ['x'] }, b: { type: 'array', items: { type: 'string', nullable: true } } },
        { required: ['a'] },
      ),
      '{a: null, b: [null]}',
      [],
    ],
    [
      'V13 an item that is not nullable',
      spec({ b: { type: 'array', items: { type: 'string' } } }),
      '{b: [null]}',
      ['InvalidValue HERE .spec.b[0]: expected string, got null; leave it out'],
    ],
    [
      'V2 null for a member that is not nullable',
      spec({ a: { type: 'string' }, b: { type: 'string', default: 'x' } }),
      '{a: null, b: null}',
      ['InvalidValue HERE .spec.a: expected string, got null; leave it out'],
    ],
    [
      'V13 int-or-string',
      spec({ a: { 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }], pattern: '^\\d+%$' } }),
      '{a: x}',
      ['InvalidValue HERE .spec.a: expected text that matches ^\\d+%$, got string "x"'],
    ],
    [
      'V13 int-or-string takes both',
      spec({ a: { 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] } }),
      '{a: 5}',
      [],
    ],
    [
      'V13 int-or-string takes nothing else, and says so once',
      spec({ a: { 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] } }),
      '{a: 1.5}',
      ['InvalidValue HERE .spec.a: expected integer or string, got number 1.5; write it as a string'],
    ],
    [
      'V13 a map of objects',
      spec({ a: { type: 'object', additionalProperties: spec({ b: { type: 'integer' } }) } }),
      '{a: {x: {b: 1}, y: {c: 1}}}',
      ['UnknownField HERE .spec.a.y.c: unknown field "c"; known here: b'],
    ],
    ['V13 nullable with a default', spec({ a: { type: 'string', nullable: true, default: 'x' } }), '{a: null}', []],
    [
      'V13 an embedded resource',
      spec({ template: { type: 'object', 'x-kubernetes-embedded-resource': true, properties: { spec: spec({ a: { type: 'string' } }) } } }),
      '{template: {apiVersion: v1, kind: Pod, metadata: {name: x}, spec: {b: 1}, other: 1}}',
      [
        'UnknownField HERE .spec.template.other: unknown field "other"; known here: apiVersion, kind, metadata, spec',
        'UnknownField HERE .spec.template.spec.b: unknown field "b"; known here: a',
      ],
    ],
    [
      'V13 branches restrict fields that are declared beside them',
      spec(
        { a: { type: 'string' }, b: { type: 'string' } },
        { oneOf: [{ required: ['a'] }, { required: ['b'] }], allOf: [{ properties: { a: { maxLength: 3 } } }] },
      ),
      '{a: abcd}',
      ['InvalidValue HERE .spec.a: expected at most 3 characters, got string "abcd"'],
    ],
    [
      'V13 no branch fits',
      spec({ a: { type: 'string' }, b: { type: 'string' } }, { oneOf: [{ required: ['a'] }, { required: ['b'] }] }),
      '{}',
      ['InvalidValue HERE .spec: expected one of the forms that the schema allows here, got object'],
    ],
    [
      'exclusive bounds as OpenAPI writes them',
      spec({ a: { type: 'integer', minimum: 1, exclusiveMinimum: true } }),
      '{a: 1}',
      ['InvalidValue HERE .spec.a: expected a number > 1, got number 1'],
    ],
    [
      'formats that the server reads otherwise are its own matter',
      spec({ a: { type: 'string', format: 'duration' }, b: { type: 'string', format: 'date-time' } }),
      '{a: 1h30m, b: "2026-01-31 12:00"}',
      [],
    ],
    [
      "V14 rules in CEL are the server's matter",
      spec({ a: { type: 'integer' } }, { 'x-kubernetes-validations': [{ rule: 'self.a > 5' }] }),
      '{a: 1}',
      [],
    ],
    ['a pattern that is no RE2 expression lets everything pass', spec({ a: { type: 'string', pattern: '(?=x)' } }), '{a: y}', []],
    [
      'two patterns are told apart',
      spec({ a: { type: 'string', pattern: '^a+$' }, b: { type: 'string', pattern: '^b+$' } }),
      '{a: a, b: a}',
      ['InvalidValue HERE .spec.b: expected text that matches ^b+$, got string "a"'],
    ],
    [
      'V11 $data is no reference, and a schema that is none checks nothing',
      spec({ a: { type: 'string' }, b: { type: 'string', pattern: { $data: '1/a' } as never } }),
      '{a: "^b$", b: x}',
      [],
    ],
  ])('%s', (_, schema, value, expected) => {
    checkWidget(schema, value, expected);
  });

  test('V11 a catastrophic pattern takes time linear in the text', () => {
    const started = performance.now();
    checkWidget(spec({ a: { type: 'string', pattern: '^(a+)+$' } }), `{a: "${'a'.repeat(50_000)}!"}`, [
      'InvalidValue HERE .spec.a: expected text that matches ^(a+)+$, got string of 50003 characters',
    ]);
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  test('V12 a schema too large to compile is left to the server', () => {
    const properties = Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`f${index}`, { type: 'string' }]));
    const catalog = smallCatalog();
    const large = {
      ...catalog,
      schema: () => ({
        schema: spec({ apiVersion: {}, kind: {}, metadata: {}, spec: spec(properties) }),
        components: {},
        version: 'large',
      }),
    };
    expect(validate(synthesized('{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, spec: {f1: 2}}'), large).findings).toEqual([]);
  });

  test('V13 metadata of its objects is checked like that of any other', () => {
    const yaml = `${definition(spec({}))}\n---\n{apiVersion: example.com/v1, kind: Widget, metadata: {name: one, label: {}, labels: {a: 1}, ownerReferences: [{apiVersion: v1, kind: Pod, name: a, uid: b, controller: true}], managedFields: [{any: thing}]}}`;
    expect(findingsText(validate(synthesized(yaml)))).toEqual([
      `UnknownField ${here} .metadata.label: unknown field "label"; did you mean "labels"?`,
      `InvalidValue ${here} .metadata.labels.a: expected string, got number 1; write it as a string`,
    ]);
  });

  test('V12 of a large schema only what an object uses is compiled', () => {
    const nested = (depth: number): JsonObject =>
      depth === 0
        ? { type: 'string' }
        : spec(Object.fromEntries(Array.from({ length: 14 }, (_, index) => [`f${index}`, nested(depth - 1)])));
    checkWidget(nested(4), '{f1: {f2: {f3: {f4: 5, g4: x}}}}', [
      'InvalidValue HERE .spec.f1.f2.f3.f4: expected string, got number 5; write it as a string',
      'UnknownField HERE .spec.f1.f2.f3.g4: unknown field "g4"; known here: f0, f1, f10, f11, f12, f13, f2, f3, f4, f5, f6, f7, f8, f9',
    ]);
  });

  test('its scope decides about namespaces', () => {
    const cluster = validate(synthesized(`${definition(spec({}), 'Cluster')}\n---\n${widget('{}')}`));
    const namespaced = validate(synthesized(`${definition(spec({}))}\n---\n${widget('{}')}`));
    expect([cluster, namespaced].map((result) => result.manifests[1]?.ref.namespace)).toEqual(['', 'shop']);
  });

  test('a version that it does not serve is unknown', () => {
    const versions = [{ name: 'v1alpha1', served: false, schema: { openAPIV3Schema: { type: 'object' } } }];
    const yaml = `${definition(spec({}), 'Namespaced', versions)}\n---\n${widget('{}', 'example.com/v1alpha1')}`;
    expect(findingsText(validate(synthesized(yaml)))).toEqual([
      `UnknownKind ${here} .apiVersion: Widget is not served in version v1alpha1; served: example.com/v1`,
    ]);
  });

  test('V5 it takes the place of the schema that the cluster has', () => {
    const catalog = smallCatalog();
    const old = {
      schema: spec({ metadata: { type: 'object' }, spec: spec({ size: { type: 'integer' } }) }),
      components: {},
      version: 'old',
    };
    const info = { apiVersion: 'example.com/v1', kind: 'Widget', plural: 'widgets', namespaced: true };
    const cluster = {
      ...catalog,
      kind: (apiVersion: string, kind: string) => (kind === 'Widget' ? info : catalog.kind(apiVersion, kind)),
      schema: (apiVersion: string, kind: string) => (kind === 'Widget' ? old : catalog.schema(apiVersion, kind)),
    };
    const commit = `${definition(spec({ weight: { type: 'integer' } }))}\n---\n${widget('{weight: 1}')}`;
    expect(findingsText(validate(synthesized(commit), cluster))).toEqual([]);
    expect(findingsText(validate(synthesized(commit)))).toEqual([]);
  });

  test('a definition that is not as it should be declares nothing and stops nothing', () => {
    const broken =
      '{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: a.b}, spec: {group: example.com, versions: [1], names: {kind: Widget}}}';
    expect(validate(synthesized(`${broken}\n---\n${widget('{}')}`)).findings.map((finding) => finding.code)).toEqual(['UnknownKind']);
  });
});
