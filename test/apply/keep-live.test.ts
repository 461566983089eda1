// What is applied of an object whose fields are partly decided by others.
import { expect, test } from '@jest/globals';
import { keepLive } from '../../operator/apply/keep-live.ts';
import type { IgnoreRule } from '../../operator/model/ignore-rules.ts';
import type { JsonObject } from '../../operator/model/json.ts';
import type { KubeObject } from '../../operator/model/manifest.ts';

interface Story {
  /** `spec` as Git declares it, as it is live, and as it is to be applied. */
  readonly declared: JsonObject;
  readonly live: JsonObject;
  readonly applied: JsonObject;
  /** Fields of `spec` by manager; setpoint's are those of its applies. */
  readonly held: Readonly<Record<string, JsonObject>>;
  readonly jsonPointers?: readonly string[];
  readonly managers?: readonly string[];
}

const metadata = { name: 'web', namespace: 'shop' };
const identity = { apiVersion: 'apps/v1', kind: 'Deployment', metadata };

function checkApplied({ declared, live, applied, held, jsonPointers, managers }: Story): void {
  const managedFields = Object.entries(held).map(([manager, spec]) => {
    return { manager, operation: manager === 'setpoint' ? 'Apply' : 'Update', apiVersion: 'apps/v1', fieldsV1: { 'f:spec': spec } };
  });
  const rule: IgnoreRule = { group: 'apps', kind: 'Deployment', ...(jsonPointers && { jsonPointers }), ...(managers && { managers }) };
  const before = structuredClone(declared);
  const kept = keepLive(
    { ...identity, spec: declared } as KubeObject,
    { ...identity, metadata: { ...metadata, managedFields }, spec: live },
    [rule],
  );
  expect(kept).toEqual({ ...identity, spec: applied });
  expect(declared).toEqual(before);
}

const replicas = { 'f:replicas': {} };
const paused = { 'f:paused': {} };
const web = { 'f:containers': { 'k:{"name":"web"}': { '.': {}, 'f:name': {}, 'f:image': {}, 'f:args': {} } } };

test.each<[string, Story]>([
  [
    'a field that we alone hold is applied as it is live',
    {
      ...{ declared: { replicas: 3, paused: true }, live: { replicas: 7, paused: true }, applied: { replicas: 7, paused: true } },
      ...{ held: { setpoint: { ...replicas, ...paused } }, jsonPointers: ['/spec/replicas'] },
    },
  ],
  [
    'a field that another holds is left to it',
    {
      ...{ declared: { replicas: 3, paused: true }, live: { replicas: 7, paused: true }, applied: { paused: true } },
      ...{ held: { setpoint: paused, autoscaler: replicas }, jsonPointers: ['/spec/replicas'] },
    },
  ],
  [
    'a field that both hold is left to the other',
    {
      ...{ declared: { replicas: 3, paused: true }, live: { replicas: 3, paused: true }, applied: { paused: true } },
      ...{ held: { setpoint: { ...replicas, ...paused }, autoscaler: replicas }, jsonPointers: ['/spec/replicas'] },
    },
  ],
  [
    'a field that nobody holds, as after managedFields were emptied, is not taken',
    {
      ...{ declared: { replicas: 3, paused: true }, live: { replicas: 7, paused: true }, applied: { paused: true } },
      ...{ held: {}, jsonPointers: ['/spec/replicas'] },
    },
  ],
  [
    'a field that Git stops declaring is kept while we alone hold it',
    {
      ...{ declared: { paused: true }, live: { replicas: 7, paused: true }, applied: { replicas: 7, paused: true } },
      ...{ held: { setpoint: { ...replicas, ...paused } }, jsonPointers: ['/spec/replicas'] },
    },
  ],
  [
    'a field that somebody removed stays removed',
    {
      ...{ declared: { replicas: 3, paused: true }, live: { replicas: 3 }, applied: { replicas: 3 } },
      ...{ held: { setpoint: replicas }, jsonPointers: ['/spec/paused'] },
    },
  ],
  [
    'a field of a part that does not exist yet is created as declared',
    {
      ...{ declared: { strategy: { type: 'Recreate' } }, live: {}, applied: { strategy: { type: 'Recreate' } } },
      ...{ held: {}, jsonPointers: ['/spec/strategy/type'] },
    },
  ],
  [
    'a slash in a name is written ~1',
    {
      ...{ declared: { labels: { 'a/b': '1', c: '2' } }, live: { labels: { 'a/b': '9', c: '2' } } },
      ...{ applied: { labels: { c: '2' } }, held: { other: { 'f:labels': { 'f:a/b': {} } } }, jsonPointers: ['/spec/labels/a~1b'] },
    },
  ],
  [
    'a map of which only ignored fields were declared is not declared empty',
    {
      ...{ declared: { labels: { a: '1' }, replicas: 1 }, live: { labels: { a: '9' }, replicas: 1 }, applied: { replicas: 1 } },
      ...{ held: { other: { 'f:labels': { 'f:a': {} } } }, jsonPointers: ['/spec/labels/a'] },
    },
  ],
  [
    'an item of a list is the one with the same key, wherever it is live',
    {
      declared: { containers: [{ name: 'web', image: 'web:1' }] },
      live: {
        containers: [
          { name: 'proxy', image: 'proxy:1' },
          { name: 'web', image: 'web:9' },
        ],
      },
      applied: { containers: [{ name: 'web', image: 'web:9' }] },
      ...{ held: { setpoint: web }, jsonPointers: ['/spec/containers/0/image'] },
    },
  ],
  [
    'an item of which another holds the ignored field keeps its key',
    {
      declared: { containers: [{ name: 'web', image: 'web:1' }] },
      live: { containers: [{ name: 'web', image: 'web:9' }] },
      applied: { containers: [{ name: 'web' }] },
      held: { setpoint: { 'f:containers': { 'k:{"name":"web"}': { '.': {}, 'f:name': {} } } }, updater: web },
      jsonPointers: ['/spec/containers/0/image'],
    },
  ],
  [
    'the key of an item cannot be ignored',
    {
      declared: { containers: [{ name: 'web', image: 'web:1' }] },
      live: { containers: [{ name: 'web', image: 'web:9' }] },
      applied: { containers: [{ name: 'web', image: 'web:1' }] },
      ...{ held: { setpoint: web }, jsonPointers: ['/spec/containers/0/name'] },
    },
  ],
  [
    'part of a list that has one owner is kept inside what is declared',
    {
      declared: { containers: [{ name: 'web', args: ['a', 'b', 'c'] }] },
      live: { containers: [{ name: 'web', args: ['x', 'y', 'z'] }] },
      applied: { containers: [{ name: 'web', args: ['a', 'y', 'c'] }] },
      ...{ held: { setpoint: web }, jsonPointers: ['/spec/containers/0/args/1'] },
    },
  ],
  [
    'a pointer that leads nowhere changes nothing',
    {
      ...{ declared: { replicas: 3 }, live: { replicas: 3 }, applied: { replicas: 3 } },
      ...{ held: { setpoint: replicas }, jsonPointers: ['/spec/replicas/0', '/spec/other/x', '/data'] },
    },
  ],
  [
    'every field that a named manager holds is left to it, keys of items aside',
    {
      declared: { replicas: 3, containers: [{ name: 'web', image: 'web:1', args: ['a'] }] },
      live: { replicas: 7, containers: [{ name: 'web', image: 'web:9', args: ['a'] }] },
      applied: { containers: [{ name: 'web', args: ['a'] }] },
      held: {
        setpoint: web,
        updater: { ...replicas, 'f:containers': { 'k:{"name":"web"}': { '.': {}, 'f:name': {}, 'f:image': {} } } },
      },
      managers: ['updater'],
    },
  ],
])('%s', (_, story) => checkApplied(story));
