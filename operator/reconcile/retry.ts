// The only place that decides whether and when a look is repeated without a new reason. It waits for nothing itself.
import { clusterFindings } from '../model/catalogue.ts';
import type { Finding } from '../model/finding.ts';
import type { SyncResult } from '../model/outcome.ts';

/** How waiting grows from attempt to attempt. */
export interface RetryPolicy {
  readonly initialMilliseconds: number;
  readonly factor: number;
  readonly maximumMilliseconds: number;
}

/** 5 s, doubled each time, at most 3 minutes. */
export const defaultRetryPolicy: RetryPolicy = { initialMilliseconds: 5_000, factor: 2, maximumMilliseconds: 180_000 };

/** What follows a look. */
export type RetryDecision =
  /** Nothing to repeat. */
  | { readonly kind: 'done' }
  /** The same input would fail again: wait for a commit, a changed Application or a changed cluster. */
  | { readonly kind: 'wait-for-change' }
  | { readonly kind: 'retry'; readonly afterMilliseconds: number };

/** How often an app that did not end in time is run again: it may have been the load of the machine, it may be a loop. */
const synthTimeoutRetries = 2;

/**
 * Decides about the next attempt. `failures` counts failed looks in a row before this one and starts again at 0 with a newer commit
 * or a changed spec; `random` is in [0, 1).
 *
 * Guarantees: at least what the other side asked for by Retry-After; otherwise between half and the whole of the step, so that many
 * Applications that failed together do not come back together.
 */
export function decideRetry(result: SyncResult, failures: number, random: number, policy: RetryPolicy = defaultRetryPolicy): RetryDecision {
  switch (result.kind) {
    case 'synced':
    case 'applying':
    case 'progressing':
    case 'suspended':
    case 'out-of-sync':
      return { kind: 'done' };
    case 'rejected': {
      return result.findings.some((finding) => mayVanish(finding, failures))
        ? retryAfter(backOff(failures, random, policy))
        : { kind: 'wait-for-change' };
    }
    case 'failed': {
      const errors = [result.error, ...result.objects.map((failure) => failure.error)];
      if (errors.every((error) => error.fate === 'terminal')) return { kind: 'wait-for-change' };
      const asked = Math.max(0, ...errors.map((error) => error.retryAfterSeconds ?? 0)) * 1_000;
      return retryAfter(Math.max(asked * (1 + random / 10), backOff(failures, random, policy)));
    }
  }
}

function mayVanish({ severity, code }: Finding, failures: number): boolean {
  return severity === 'error' && (clusterFindings.has(code) || (code === 'SynthTimeout' && failures < synthTimeoutRetries));
}

function backOff(failures: number, random: number, policy: RetryPolicy): number {
  const step = Math.min(policy.initialMilliseconds * policy.factor ** failures, policy.maximumMilliseconds);
  return step * (0.5 + random / 2);
}

function retryAfter(milliseconds: number): RetryDecision {
  return { kind: 'retry', afterMilliseconds: Math.round(milliseconds) };
}
