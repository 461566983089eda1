// Which known name is taken for the one that was meant.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { tryFindClosestName } from '../../operator/validate/closest-name.ts';

function checkClosest(name: string, candidates: readonly string[], expected: string | undefined): void {
  expect(tryFindClosestName(name, candidates)).toBe(expected);
}

describe('closest name', () => {
  test.each<[string, string, readonly string[], string | undefined]>([
    ['a letter too few', 'replica', ['replicas', 'selector'], 'replicas'],
    ['a letter too many', 'imagee', ['image', 'name'], 'image'],
    ['another letter', 'imbge', ['image', 'name'], 'image'],
    ['two letters swapped count as one slip', 'prot', ['port', 'path'], 'port'],
    ['two letters swapped at the front', 'hsot', ['host', 'root'], 'host'],
    ['other capitals', 'minreadyseconds', ['minReadySeconds'], 'minReadySeconds'],
    ['the nearest of several', 'containerz', ['container', 'containers', 'conditions'], 'container'],
    ['three slips in a long name', 'tolerationSecond', ['tolerationsSeconds', 'tokens'], 'tolerationsSeconds'],
    ['more than three slips', 'terminationGracePeriod', ['terminationGracePeriodSeconds'], undefined],
    ['two slips in a short name', 'pxxt', ['port'], undefined],
    ['a name of two letters', 'ip', ['id'], undefined],
    ['nothing to choose from', 'image', [], undefined],
  ])('%s: %s', (_, name, candidates, expected) => {
    checkClosest(name, candidates, expected);
    checkClosest(name, candidates.toReversed(), expected);
  });

  test('a known name is closest to itself', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 1, selector: (name) => name.toLowerCase() }), (names) => {
        expect(tryFindClosestName(names[0] ?? '', names)).toBe(names[0]);
      }),
    );
  });
});
