// Which operations take fields away, and in which order.
import { expect, test } from '@jest/globals';
import { removalPatch } from '../../operator/apply/removal-patch.ts';
import type { JsonObject } from '../../operator/model/json.ts';

const live: JsonObject = {
  metadata: { resourceVersion: '7', annotations: { 'a/b': '1', c: '2' } },
  spec: { containers: [{ name: 'a', env: [{ name: 'X' }, { name: 'Y' }, { name: 'Z' }] }], finalizers: ['one', 'two'] },
};
const container = ['f:spec', 'f:containers', 'k:{"name":"a"}'];

test.each<[string, readonly (readonly string[])[], readonly string[]]>([
  ['a member whose name holds a slash', [['f:metadata', 'f:annotations', 'f:a/b']], ['/metadata/annotations/a~1b']],
  [
    'items of a list, the last first',
    [
      [...container, 'f:env', 'k:{"name":"X"}'],
      [...container, 'f:env', 'k:{"name":"Z"}'],
    ],
    ['/spec/containers/0/env/2', '/spec/containers/0/env/0'],
  ],
  ['an item by value', [['f:spec', 'f:finalizers', 'v:"two"']], ['/spec/finalizers/1']],
  [
    'what is inside something else that goes',
    [
      [...container, 'f:env'],
      [...container, 'f:env', 'k:{"name":"X"}'],
    ],
    ['/spec/containers/0/env'],
  ],
])('%s', (_, paths, removed) => {
  expect(removalPatch(live, paths)).toEqual([
    { op: 'replace', path: '/metadata/resourceVersion', value: '7' },
    ...removed.map((path) => ({ op: 'remove', path })),
  ]);
});

test('what is not there needs no patch', () => {
  expect(
    removalPatch(live, [
      ['f:data', 'f:x'],
      [...container, 'f:env', 'k:{"name":"Q"}'],
    ]),
  ).toEqual([]);
});
