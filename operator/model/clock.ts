// Time as a value that is passed in. The real clock is made once, in main.ts.

/** Wall-clock and monotonic time, and waiting. */
export interface Clock {
  /** Wall clock. For people only: no decision compares it across machines. */
  now(): Date;
  /** Milliseconds that never go back. */
  monotonic(): number;
  /** Resolves after `milliseconds`; rejects with the signal's reason when aborted. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}
