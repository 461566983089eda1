// Remembers answers by key, within a bound. What is asked again stays; what nobody asks about for a whole generation goes.

/** Answers that were computed before. */
export interface VerdictCache<Value> {
  /** The remembered answer, or the computed one. */
  get(key: string, compute: () => Value): Value;
}

/** A cache of two generations of `size` answers each. @default 25,000: more than the largest application */
export function createVerdictCache<Value>(size = 25_000): VerdictCache<Value> {
  let young = new Map<string, Value>();
  let old = new Map<string, Value>();
  return {
    get(key, compute) {
      const known = young.get(key);
      if (known !== undefined) return known;
      const value = old.get(key) ?? compute();
      if (young.size >= size) {
        old = young;
        young = new Map();
      }
      young.set(key, value);
      return value;
    },
  };
}
