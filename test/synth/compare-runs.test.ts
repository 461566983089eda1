// Two runs of one commit: equal, or told apart by the object that differs.
import { expect, test } from '@jest/globals';
import type { JsonObject } from '../../operator/model/json.ts';
import type { SynthesizedObject } from '../../operator/model/manifest.ts';
import { compareRuns } from '../../operator/synth/compare-runs.ts';

function settings(name: string, data: JsonObject): SynthesizedObject {
  const origin = { constructPath: `app/${name}`, frames: [{ file: 'main.ts', line: 4, column: 1 }] };
  return { object: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'shop', name }, data }, origin, dependsOn: [] };
}

const messages = (first: readonly SynthesizedObject[], second: readonly SynthesizedObject[]): readonly string[] =>
  compareRuns(first, second).map(({ code, message }) => `${code}: ${message}`);

test('S16 equal runs have no finding, whatever the order of keys', () => {
  expect(messages([settings('a', { x: '1', y: '2' })], [settings('a', { y: '2', x: '1' })])).toEqual([]);
  expect(messages([], [])).toEqual([]);
});

test('S16 the first object that differs is named with its place', () => {
  const first = [settings('a', {}), settings('b', { id: '1' })];
  const second = [settings('a', {}), settings('b', { id: '2' })];
  expect(messages(first, second)).toEqual(['NonDeterministic: two runs gave different output: ConfigMap shop/b']);
  expect(compareRuns(first, second)[0]).toMatchObject({ position: { file: 'main.ts', line: 4 }, constructPath: 'app/b' });
});

test('S16 more or fewer objects differ too', () => {
  const expected = (counts: string): string[] => [`NonDeterministic: two runs gave different output: ${counts} objects`];
  expect(messages([settings('a', {})], [settings('a', {}), settings('b', {})])).toEqual(expected('1 and 2'));
  expect(messages([settings('a', {}), settings('b', {})], [settings('a', {})])).toEqual(expected('2 and 1'));
});
