// What `kubectl explain application` prints: no field without a description, no default that is not told.
import { expect, test } from '@jest/globals';
import { applicationSpecSchema } from '../../constructs/application-spec-schema.ts';
import { applicationStatusSchema } from '../../constructs/application-status-schema.ts';
import type { JsonSchema } from '../../constructs/json-schema.ts';

/** Every field below a schema with its path. */
function fieldsOf(schema: JsonSchema, path: string): [string, JsonSchema][] {
  const members = Object.entries(schema.properties ?? {}).flatMap(([name, member]): [string, JsonSchema][] => [
    [`${path}.${name}`, member],
    ...fieldsOf(member, `${path}.${name}`),
  ]);
  return schema.items === undefined ? members : [...members, ...fieldsOf(schema.items, path)];
}

const fields = [...fieldsOf(applicationSpecSchema, 'spec'), ...fieldsOf(applicationStatusSchema, 'status')];

test('every field has a description', () => {
  expect(fields.length).toBeGreaterThan(100);
  expect(fields.filter(([, { description = '' }]) => description === '').map(([path]) => path)).toEqual([]);
});

test('every default is told', () => {
  const defaults = fields.filter(([, field]) => field.default !== undefined && typeof field.default !== 'object');
  const untold = defaults.filter(([, { description = '', default: value }]) => {
    const told = value === '' ? 'the core group' : String(value);
    return !description.endsWith(told === '.' ? 'Default: .' : `Default: ${told}.`);
  });
  expect(defaults.length).toBeGreaterThan(10);
  expect(untold.map(([path]) => path)).toEqual([]);
});
