// What the pool of sources can be told, and the defaults. No behaviour.
import type { Clock } from '../model/clock.ts';
import type { EmitEvent } from '../model/event.ts';
import type { SourceLimits } from './limits.ts';
import type { NetworkOptions } from './network/git-http.ts';
import type { RemoteDeadlines } from './protocol/git-remote.ts';

/** How often and how doubtfully a source is looked at. */
export interface LookPolicy {
  /** A commit we moved away from is accepted again after this many equal answers in a row… */
  readonly confirmLooks: number;
  /** …spread over at least this time: a replica that lags behind does not make us go back. */
  readonly confirmMilliseconds: number;
  /** When a look was asked for and found nothing new, look again after these times: a webhook may come before the replica has the commit. */
  readonly followUpMilliseconds: readonly number[];
  /** At most `burst` looks in `burstMilliseconds`; more are delayed, not dropped. */
  readonly burst: number;
  readonly burstMilliseconds: number;
  /** First delay after a failure; it doubles up to the longer of the interval and `longestRetryMilliseconds`. */
  readonly firstRetryMilliseconds: number;
  readonly longestRetryMilliseconds: number;
}

/** Options of {@link createSourcePool}. */
export interface SourcePoolOptions {
  readonly clock: Clock;
  readonly emit?: EmitEvent;
  readonly network?: NetworkOptions;
  readonly limits?: Partial<SourceLimits>;
  readonly deadlines?: Partial<RemoteDeadlines>;
  readonly looks?: Partial<LookPolicy>;
  /** Between 0 and 1, for jitter. @default Math.random */
  readonly random?: () => number;
}

/** Deadlines of one request each. */
export const defaultDeadlines: RemoteDeadlines = { lookMilliseconds: 30_000, fetchMilliseconds: 300_000 };

/** See {@link LookPolicy}. */
export const defaultLooks: LookPolicy = {
  confirmLooks: 3,
  confirmMilliseconds: 3000,
  followUpMilliseconds: [1000, 3000],
  burst: 10,
  burstMilliseconds: 2000,
  firstRetryMilliseconds: 1000,
  longestRetryMilliseconds: 60_000,
};
