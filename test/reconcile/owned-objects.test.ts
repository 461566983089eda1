// Whose an object is when more than one Application names it, and who is told what.
import { beforeEach, describe, expect, test } from '@jest/globals';
import { keyOf } from '../../operator/model/object-ref.ts';
import { OwnedObjects } from '../../operator/reconcile/owned-objects.ts';

const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop', name: 'settings' };
const key = keyOf(ref);
const [first, second] = ['shop/first', 'shop/second'];
let owned: OwnedObjects;
let news: string[];

beforeEach(() => {
  owned = new OwnedObjects();
  news = [];
  owned.onNews((application, what) => void news.push(`${application}: ${what}`));
});

/** The first has the object, the second would have it. */
function contested(): void {
  owned.claim(first, key);
  owned.declare(first, [key]);
  expect(owned.setClaims(second, [{ ref, holder: first }])).toHaveLength(1);
}

describe('an object that an Application has', () => {
  test('is kept from others, by inventory and by marks', () => {
    owned.claim(first, key);
    expect(owned.claim(second, key)).toBe(false);
    expect(owned.holderOf(second, key, undefined)).toBe(first);
    expect(owned.holderOf(first, key, undefined)).toBeUndefined();
    expect(owned.holderOf(second, 'another', first)).toBe(first);
  });

  test('is not kept from others on its own word when its marks are those of another', () => {
    owned.claim(first, key);
    expect(owned.holderOf(first, key, second)).toBe(second);
  });

  test('is still its own while nothing is known of what it declares', () => {
    owned.setClaims(second, [{ ref, holder: first }]);
    expect(owned.holderOf(second, key, first)).toBe(first);
  });
});

describe('a claim', () => {
  test('is told to the owner once, and its end too', () => {
    contested();
    expect(owned.claimsOn(first)).toEqual([{ ref, by: second }]);
    expect(owned.claimantOf(first, key)).toBe(second);
    expect(owned.setClaims(second, [{ ref, holder: first }])).toEqual([]);
    expect(news).toEqual([`${first}: claims`]);
    owned.setClaims(second, []);
    expect(owned.claimsOn(first)).toEqual([]);
    expect(news).toEqual([`${first}: claims`, `${first}: claims`]);
  });

  test('is met when the owner declares the object no more: the other is told, takes it, and the owner is told', () => {
    contested();
    owned.declare(first, []);
    expect(owned.holderOf(second, key, first)).toBeUndefined();
    expect(owned.claim(second, key)).toBe(true);
    expect(owned.ownerOf(key)).toBe(second);
    expect(owned.holderOf(first, key, undefined)).toBe(second);
    owned.release(first, key);
    expect(owned.ownerOf(key)).toBe(second);
    expect(news).toEqual([`${first}: claims`, `${second}: released`, `${first}: released`]);
  });

  test('ends with the claimant, and is free to be met when the owner is gone', () => {
    contested();
    owned.forget(second);
    expect(owned.claimsOn(first)).toEqual([]);
    owned.setClaims(second, [{ ref, holder: first }]);
    owned.forget(first);
    expect(owned.holderOf(second, key, undefined)).toBeUndefined();
    expect(news.at(-1)).toBe(`${second}: released`);
  });

  test('survives that the inventory of the owner is read again', () => {
    contested();
    owned.releaseAll(first);
    owned.claim(first, key);
    expect(owned.claimsOn(first)).toEqual([{ ref, by: second }]);
    expect(owned.holderOf(second, key, undefined)).toBe(first);
  });
});
