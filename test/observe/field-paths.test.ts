// fieldsV1 as people read it.
import { expect, test } from '@jest/globals';
import type { JsonObject } from '../../operator/model/json.ts';
import { fieldPaths } from '../../operator/observe/field-paths.ts';

test.each<[string, JsonObject, readonly string[]]>([
  ['nested fields', { 'f:spec': { 'f:replicas': {}, 'f:strategy': { 'f:type': {} } } }, ['.spec.replicas', '.spec.strategy.type']],
  [
    'list items by key',
    { 'f:spec': { 'f:containers': { 'k:{"name":"web"}': { '.': {}, 'f:image': {}, 'f:name': {} } } } },
    ['.spec.containers[name="web"].image', '.spec.containers[name="web"].name'],
  ],
  [
    'list items by two keys',
    { 'f:ports': { 'k:{"port":80,"protocol":"TCP"}': { 'f:port': {} } } },
    ['.ports[port=80,protocol="TCP"].port'],
  ],
  [
    'set items by value',
    { 'f:metadata': { 'f:finalizers': { '.': {}, 'v:"example.com/hold"': {} } } },
    ['.metadata.finalizers["example.com/hold"]'],
  ],
  ['items by index', { 'f:list': { 'i:0': {} } }, ['.list[0]']],
  ['an item of which only the item itself is held', { 'f:env': { 'k:{"name":"A"}': { '.': {} } } }, ['.env[name="A"]']],
  [
    'names that are no words',
    { 'f:metadata': { 'f:labels': { 'f:app.kubernetes.io/name': {} } } },
    ['.metadata.labels["app.kubernetes.io/name"]'],
  ],
  ['nothing', {}, []],
])('%s', (_name, fields, expected) => {
  expect(fieldPaths(fields)).toEqual(expected);
});
