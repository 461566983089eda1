// The times of a leader election. What is decided by them is in cluster/lease-step.ts.

/** Times of an election, in milliseconds. */
export interface LeaseTimes {
  /** A record that has not changed for so long has been left by its holder. */
  readonly lease: number;
  /** So long after a renewal the holder acts no more. The difference to `lease` is what clocks may disagree by and requests may take to arrive. */
  readonly renewDeadline: number;
  /** Between two renewals, and between two tries. */
  readonly retry: number;
}

/** The longest lease that may be configured. No record is believed more: a wrong one must not keep everybody out for ever. */
export const longestLease = 300_000;
