// When a heal has to wait because somebody undoes it again and again. Pure: times are handed in.

/** Heals of one object. */
export interface HealRecord {
  /** Heals in a row, none of them long after the one before. */
  readonly count: number;
  /** Monotonic time of the last. */
  readonly lastAt: number;
  /** Monotonic times of the last heals, at most a minute before the last. */
  readonly recent: readonly number[];
  /** Heals since it became a fight; 0: it is none. */
  readonly fought: number;
}

/** So many heals within a minute are ordinary; what would need one more is a fight. */
const patience = 5;
const minuteMilliseconds = 60_000;
const firstWaitMilliseconds = 5_000;
const longestWaitMilliseconds = 180_000;
/** After this long without a heal the count starts anew. */
const calmMilliseconds = 600_000;

/** The record with one more heal. */
export function recordHeal(record: HealRecord | undefined, now: number): HealRecord {
  const before = record !== undefined && now - record.lastAt < calmMilliseconds ? record : undefined;
  const recent = [...(before?.recent ?? []).filter((time) => now - time < minuteMilliseconds), now].slice(-patience);
  const wasFought = before !== undefined && before.fought > 0;
  return {
    count: (before?.count ?? 0) + 1,
    lastAt: now,
    recent,
    fought: wasFought ? before.fought + 1 : recent.length >= patience ? 1 : 0,
  };
}

/** True while heals of the object have to be spaced out, whether or not the next may be now. */
export function isFought(record: HealRecord | undefined, now: number): boolean {
  return record !== undefined && record.fought > 0 && now - record.lastAt < calmMilliseconds;
}

/** Milliseconds until the next heal may be; 0 when it may be now. */
export function healDelay(record: HealRecord | undefined, now: number): number {
  if (record === undefined || !isFought(record, now)) return 0;
  const wait = Math.min(firstWaitMilliseconds * 2 ** (record.fought - 1), longestWaitMilliseconds);
  return Math.max(0, record.lastAt + wait - now);
}
