// When a heal has to wait because somebody undoes it again and again. Pure: times are handed in.

/** Heals of one object. */
export interface HealRecord {
  /** Heals in a row, none of them long after the one before. */
  readonly count: number;
  /** Monotonic time of the last. */
  readonly lastAt: number;
}

/** This many heals in a row are ordinary. */
const patience = 5;
const firstWaitMilliseconds = 5_000;
const longestWaitMilliseconds = 180_000;
/** After this long without a heal the count starts anew. */
const calmMilliseconds = 600_000;

/** The record with one more heal. */
export function recordHeal(record: HealRecord | undefined, now: number): HealRecord {
  const goesOn = record !== undefined && now - record.lastAt < calmMilliseconds;
  return { count: goesOn ? record.count + 1 : 1, lastAt: now };
}

/** True while heals of the object have to be spaced out, whether or not the next may be now. */
export function isFought(record: HealRecord | undefined, now: number): boolean {
  return record !== undefined && record.count >= patience && now - record.lastAt < calmMilliseconds;
}

/** Milliseconds until the next heal may be; 0 when it may be now. */
export function healDelay(record: HealRecord | undefined, now: number): number {
  if (record === undefined || !isFought(record, now)) return 0;
  const wait = Math.min(firstWaitMilliseconds * 2 ** (record.count - patience), longestWaitMilliseconds);
  return Math.max(0, record.lastAt + wait - now);
}
