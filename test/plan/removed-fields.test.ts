// What goes with an apply although its dry run does not show it, as a table of who holds what.
import { describe, expect, test } from '@jest/globals';
import { formatFieldPath } from '../../operator/model/field-set.ts';
import type { JsonObject } from '../../operator/model/json.ts';
import type { ManagedFields } from '../../operator/model/observed.ts';
import { formatManagedFields } from '../../operator/model/own-fields.ts';
import { removedFields, valueAt, withoutFields } from '../../operator/plan/removed-fields.ts';

function ours(fieldsV1: JsonObject): ManagedFields {
  return { manager: 'setpoint', operation: 'Apply', apiVersion: 'v1', fieldsV1 };
}

function theirs(fieldsV1: JsonObject): ManagedFields {
  return { manager: 'mallory', operation: 'Update', apiVersion: 'v1', fieldsV1 };
}

function check(held: readonly ManagedFields[], declared: JsonObject): readonly string[] {
  const answer = { metadata: { managedFields: [formatManagedFields(ours(declared))] } };
  return removedFields(held, answer).map(formatFieldPath);
}

const container = 'k:{"name":"web"}';

describe('an apply removes', () => {
  test.each<[string, JsonObject, JsonObject | undefined, JsonObject, readonly string[]]>([
    [
      'what was held and is declared no more',
      { 'f:data': { '.': {}, 'f:a': {}, 'f:c': {} } },
      undefined,
      { 'f:data': { 'f:a': {} } },
      ['.data.c'],
    ],
    ['a map that was held with all that is in it', { 'f:data': { '.': {}, 'f:a': {} } }, undefined, { 'f:kind': {} }, ['.data']],
    ['only the members of a map that was not held itself', { 'f:strategy': { 'f:type': {} } }, undefined, {}, ['.strategy.type']],
    ['nothing that others hold too', { 'f:data': { 'f:a': {} } }, { 'f:data': { 'f:a': {} } }, {}, []],
    [
      'of a map in which others hold something, the rest',
      { 'f:data': { '.': {}, 'f:a': {}, 'f:b': {} } },
      { 'f:data': { 'f:b': {} } },
      {},
      ['.data.a'],
    ],
    [
      'an item of a list as a whole',
      { 'f:containers': { [container]: { '.': {}, 'f:name': {}, 'f:image': {} } } },
      undefined,
      {},
      ['.containers[name="web"]'],
    ],
    [
      'a field of an item that stays',
      { 'f:containers': { [container]: { '.': {}, 'f:name': {}, 'f:tty': {} } } },
      undefined,
      { 'f:containers': { [container]: { '.': {}, 'f:name': {} } } },
      ['.containers[name="web"].tty'],
    ],
    ['nothing of a list that is declared as a whole', { 'f:args': {} }, undefined, { 'f:args': {} }, []],
    ['what was in a map that is declared empty', { 'f:data': { '.': {}, 'f:a': {} } }, undefined, { 'f:data': {} }, ['.data.a']],
  ])('%s', (_, own, others, declared, expected) => {
    expect(check([ours(own), ...(others === undefined ? [] : [theirs(others)])], declared)).toEqual(expected);
  });

  test('nothing where nothing is ours', () => {
    expect(check([theirs({ 'f:data': { 'f:a': {} } })], {})).toEqual([]);
  });
});

test('fields are taken out of maps, of lists by key and by position, and what is not there is passed over', () => {
  const object = { data: { a: '1', b: '2' }, containers: [{ name: 'web', tty: true }, { name: 'side' }], args: ['x', 'y', 'z'] };
  const paths = [
    ['f:args', 'i:0'],
    ['f:args', 'i:2'],
    ['f:containers', 'k:{"name":"side"}'],
    ['f:containers', container, 'f:tty'],
    ['f:data', 'f:b'],
    ['f:none', 'f:x'],
  ];
  expect(withoutFields(object, paths)).toEqual({ data: { a: '1' }, containers: [{ name: 'web' }], args: ['y'] });
  expect(paths.map((path) => valueAt(object, path))).toEqual(['x', 'z', { name: 'side' }, true, '2', undefined]);
});
