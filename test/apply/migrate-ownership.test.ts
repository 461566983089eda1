// Which ownership entries an adopted object has afterwards, as a table of who holds what.
import { describe, expect, test } from '@jest/globals';
import { takeOverFields } from '../../operator/apply/migrate-ownership.ts';
import type { JsonObject } from '../../operator/model/json.ts';
import type { ManagedFields } from '../../operator/model/observed.ts';

/** `helm Update apps/v1: spec.a spec.b`, with `manager/subresource` for one of a subresource. */
function entry(text: string, time?: string): ManagedFields {
  const [who = '', fields = ''] = text.split(': ');
  const [name = '', operation = '', apiVersion = ''] = who.split(' ');
  const [manager = '', subresource] = name.split('/');
  const fieldsV1: Record<string, JsonObject> = {};
  for (const path of fields.split(' ').filter((part) => part !== '')) {
    path.split('.').reduce<Record<string, JsonObject>>((level, part) => {
      level[`f:${part}`] ??= {};
      return level[`f:${part}`] as Record<string, JsonObject>;
    }, fieldsV1);
  }
  return {
    ...{ manager, operation: operation === 'Apply' ? 'Apply' : 'Update', apiVersion, fieldsV1 },
    ...(subresource === undefined ? {} : { subresource }),
    ...(time === undefined ? {} : { time }),
  };
}

function paths(fields: JsonObject, prefix = ''): string[] {
  return Object.entries(fields).flatMap(([name, below]) => {
    const path = `${prefix}${name.slice(2)}`;
    const inner = paths(below as JsonObject, `${path}.`);
    return inner.length === 0 ? [path] : inner;
  });
}

function text({ manager, subresource, operation, apiVersion, fieldsV1 = {} }: ManagedFields): string {
  return `${manager}${subresource === undefined ? '' : `/${subresource}`} ${operation} ${apiVersion}: ${paths(fieldsV1).sort().join(' ')}`;
}

describe('taking over ownership', () => {
  test.each<[string, readonly ManagedFields[], readonly string[] | undefined]>([
    ['nothing to take over', [entry('kubectl-edit Update apps/v1: spec.a')], undefined],
    ['the entry of a tool becomes ours', [entry('helm Update apps/v1: spec.a spec.b')], ['setpoint Apply apps/v1: spec.a spec.b']],
    ['also when it was applied server-side', [entry('kustomize-controller Apply apps/v1: spec.a')], ['setpoint Apply apps/v1: spec.a']],
    [
      'the entries of two tools become one of ours',
      [entry('kubectl-create Update apps/v1: spec.a spec.b'), entry('kubectl-client-side-apply Update apps/v1: spec.b spec.c')],
      ['setpoint Apply apps/v1: spec.a spec.b spec.c'],
    ],
    [
      'what is ours already is kept',
      [entry('setpoint Apply apps/v1: spec.a'), entry('helm Update apps/v1: spec.b')],
      ['setpoint Apply apps/v1: spec.a spec.b'],
    ],
    [
      'what others hold is left to them, and a subresource to whoever writes it',
      [
        entry('helm Update apps/v1: spec.a'),
        entry('somebody Update apps/v1: spec.a spec.d'),
        entry('helm/status Update apps/v1: status.x'),
      ],
      ['setpoint Apply apps/v1: spec.a', 'somebody Update apps/v1: spec.a spec.d', 'helm/status Update apps/v1: status.x'],
    ],
    [
      'fields of another version have other names: nobody holds them afterwards',
      [entry('helm Update apps/v1beta1: spec.old', '2026-02-01T00:00:00Z'), entry('helm Update apps/v1: spec.a', '2026-01-01T00:00:00Z')],
      ['setpoint Apply apps/v1: spec.a'],
    ],
    [
      'with no entry of the desired version, the newest decides',
      [
        entry('helm Update apps/v1beta1: spec.older', '2026-01-01T00:00:00Z'),
        entry('helm Update apps/v1beta2: spec.newer', '2026-02-01T00:00:00Z'),
      ],
      ['setpoint Apply apps/v1beta2: spec.newer'],
    ],
  ])('%s', (_, entries, expected) => {
    expect(takeOverFields(entries, 'apps/v1')?.map(text)).toEqual(expected);
  });
});
