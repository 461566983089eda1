// How long a heal waits after how many in a row.
import { describe, expect, test } from '@jest/globals';
import { type HealRecord, healDelay, isFought, recordHeal } from '../../operator/reconcile/heal-limits.ts';

/** Heals at these times, then the delay at the last of them. */
function delayAfter(times: readonly number[]): number {
  let record: HealRecord | undefined;
  for (const time of times) record = recordHeal(record, time);
  return healDelay(record, times.at(-1) ?? 0);
}

describe('the delay before the next heal', () => {
  test.each<[string, readonly number[], number]>([
    ['is nothing for an object never healed', [], 0],
    ['is nothing after four in a row', [0, 1, 2, 3], 0],
    ['is five seconds after five in a row', [0, 1, 2, 3, 4], 5_000],
    ['doubles with each that follows', [0, 1, 2, 3, 4, 5_004, 15_004], 20_000],
    ['is nothing while no six would come within a minute', Array.from({ length: 20 }, (_, index) => index * 15_001), 0],
    ['is never longer than three minutes', [0, 1, 2, 3, ...Array.from({ length: 20 }, (_, index) => 4 + index * 200_000)], 180_000],
    ['starts anew after ten quiet minutes', [0, 1, 2, 3, 4, 5, 600_006], 0],
  ])('%s', (_, times, expected) => {
    expect(delayAfter(times)).toBe(expected);
  });

  test('passes', () => {
    const record = { count: 5, lastAt: 1_000, recent: [], fought: 1 };
    expect(healDelay(record, 4_000)).toBe(2_000);
    expect(healDelay(record, 6_000)).toBe(0);
  });

  test('has passed long before the fight is forgotten: an object that was held back is still to be healed', () => {
    const record = { count: 5, lastAt: 1_000, recent: [], fought: 1 };
    expect(isFought(record, 6_000)).toBe(true);
    expect(isFought({ ...record, fought: 0 }, 6_000)).toBe(false);
    expect(isFought(record, 601_000)).toBe(false);
  });
});
