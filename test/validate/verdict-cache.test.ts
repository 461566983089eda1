// What the cache keeps and what it lets go.
import { expect, test } from '@jest/globals';
import { createVerdictCache } from '../../operator/validate/verdict-cache.ts';

test('an answer is computed once while it is asked for, and memory is bounded', () => {
  const cache = createVerdictCache<string>(2);
  const computed: string[] = [];
  const ask = (key: string): string =>
    cache.get(key, () => {
      computed.push(key);
      return key.toUpperCase();
    });
  expect(['a', 'a', 'b', 'c', 'a', 'd', 'a', 'e', 'a'].map(ask)).toEqual(['A', 'A', 'B', 'C', 'A', 'D', 'A', 'E', 'A']);
  expect(computed).toEqual(['a', 'b', 'c', 'd', 'e']);
  ask('f');
  ask('g');
  ask('b');
  expect(computed.slice(5)).toEqual(['f', 'g', 'b']);
});
