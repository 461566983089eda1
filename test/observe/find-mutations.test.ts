// What counts as a change by admission, and what is only another form of the same value.
import { expect, test } from '@jest/globals';
import type { JsonObject } from '../../operator/model/json.ts';
import { findMutations } from '../../operator/observe/find-mutations.ts';

const items = { 'f:spec': { 'f:containers': { 'k:{"name":"web"}': { '.': {}, 'f:name': {}, 'f:image': {} } } } };

function checkMutations(declared: JsonObject, live: JsonObject, expected: readonly string[], own: JsonObject = {}, pointer?: string): void {
  const managedFields = [{ manager: 'setpoint', operation: 'Apply', apiVersion: 'v1', fieldsV1: own }];
  const rules = pointer === undefined ? [] : [{ group: '', kind: 'X', jsonPointers: [pointer] }];
  expect(
    findMutations({ apiVersion: 'v1', kind: 'X', spec: declared }, { kind: 'X', metadata: { managedFields }, spec: live }, rules),
  ).toEqual(expected);
}

test.each<[string, JsonObject, JsonObject]>([
  ['a default', { a: 1 }, { a: 1, b: 2 }],
  ['a quantity', { cpu: '1000m', memory: '1024Mi', half: 0.5, big: '1e3' }, { cpu: '1', memory: '1Gi', half: '500m', big: '1k' }],
  ['a duration', { after: '60s' }, { after: '1m0s' }],
  ['a time', { at: '2026-01-01T01:00:00+01:00' }, { at: '2026-01-01T00:00:00Z' }],
  ['a number as text', { port: 80 }, { port: '80' }],
  ['what is empty and left out', { a: {}, b: [], c: '', d: false, e: 0, f: null, g: { h: {} } }, {}],
])('%s is none', (_, declared, live) => checkMutations(declared, live, []));

test.each<[string, JsonObject, JsonObject, readonly string[]]>([
  ['another value', { a: 'x' }, { a: 'y' }, ['.spec.a']],
  ['a removed value', { a: { b: 'x' } }, { a: {} }, ['.spec.a.b']],
  ['another quantity', { cpu: '1' }, { cpu: '2' }, ['.spec.cpu']],
  ['an item of a list that has one owner', { args: ['a', 'b'] }, { args: ['a', 'c'] }, ['.spec.args[1]']],
  ['more items in a list that has one owner', { args: ['a'] }, { args: ['a', 'b'] }, ['.spec.args']],
])('%s is one', (_, declared, live, expected) => checkMutations(declared, live, expected));

test('an item with a key is compared wherever it stands; one that was injected is none', () => {
  const live = { containers: [{ name: 'proxy' }, { name: 'web', image: 'mirror/web:1' }] };
  checkMutations({ containers: [{ name: 'web', image: 'web:1' }] }, live, ['.spec.containers[name="web"].image'], items);
});

test('a field that others decide is none', () => {
  checkMutations({ a: 'x', b: 'x' }, { a: 'y', b: 'y' }, ['.spec.b'], {}, '/spec/a');
});
