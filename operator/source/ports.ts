// What the source stage offers and needs. Nothing here knows Kubernetes.
import type { Snapshot } from '../model/snapshot.ts';

/** Credentials of a repository, read by the caller from a Secret each time they are needed. */
export type Credentials =
  | { readonly type: 'basic'; readonly username: string; readonly password: string }
  | { readonly type: 'bearer'; readonly token: string };

/** One repository at one ref, as one set of credentials sees it: everything that shares this shares one poll. */
export interface SourceSpec {
  readonly url: string;
  /** Branch, tag, full ref, commit id or semver range over tags; undefined: the remote's HEAD. */
  readonly ref?: string;
  /** Distinguishes credentials without holding them, e.g. `namespace/secret-name`; '' without. */
  readonly credentialsId: string;
  /** Called anew for each connection, so that a rotated Secret is picked up. */
  readonly credentials?: () => Promise<Credentials | undefined>;
  /** PEM of a private CA, read anew too. */
  readonly certificateAuthority?: () => Promise<string | undefined>;
  readonly requireFastForward: boolean;
  /** The commit that an operator before this one followed last: until one that comes after it was seen, others must be confirmed. */
  readonly followedBefore?: string;
}

/** An interest in a source; the smallest interval of all interests in one source is polled, with jitter. */
export interface Subscription {
  close(): void;
}

/** A rewrite of history that was accepted. */
export interface HistoryRewrite {
  readonly from: string;
  readonly to: string;
}

/** All repositories the operator follows. */
export interface SourcePool {
  /** Starts polling; `onChange` is called when the ref resolves to another commit than before, or its state turns from or to failure. */
  subscribe(spec: SourceSpec, intervalMilliseconds: number, onChange: () => void): Subscription;
  /**
   * The newest known commit; asks the remote only when nothing is known yet or a look is due.
   * Throws OperatorError; after a failure the last good snapshot stays available from `lastGood`.
   */
  snapshot(spec: SourceSpec, signal: AbortSignal): Promise<Snapshot>;
  lastGood(spec: SourceSpec): Snapshot | undefined;
  /** The last accepted non-fast-forward move, until it was read once. */
  takeRewrite(spec: SourceSpec): HistoryRewrite | undefined;
  /** Look now: at every source of this URL (webhook), or at one spec (annotation). Returns how many will look. Coalesced and rate-limited. */
  look(target: { readonly url: string } | { readonly spec: SourceSpec }): number;
  close(): Promise<void>;
}
