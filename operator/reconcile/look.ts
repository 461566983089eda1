// One look at one Application: what it is given, and which kind it is. What each kind does is in its own file.
import type { Application } from '../model/application.ts';
import type { Outcome } from '../model/outcome.ts';
import type { Suspension } from '../model/suspension.ts';
import type { ApplicationMemory, Reason } from './application-memory.ts';
import type { OwnedObjects } from './owned-objects.ts';
import type { Parts } from './parts.ts';
import type { WorkSlot } from './queue.ts';

/** What a look is given. */
export interface Look {
  readonly kind: LookKind;
  readonly application: Application;
  readonly memory: ApplicationMemory;
  readonly parts: Parts;
  readonly owned: OwnedObjects;
  readonly reasons: readonly Reason[];
  readonly slot: WorkSlot;
  readonly startedAt: Date;
  /** The operator stops. */
  readonly signal: AbortSignal;
  /** There is something newer to look at: a wait for health ends. */
  readonly superseded: AbortSignal;
  /** It is suspended or paused from now on: nothing more is written to users' objects; requests in flight are finished. */
  readonly halted: AbortSignal;
  /** Why the Application was left alone when the look began; undefined when it was not. */
  readonly suspension: Suspension | undefined;
  /** Writes an outcome that is not the last word into the status. */
  report(outcome: Outcome): Promise<void>;
}

/** What a look does. */
export type LookKind = 'finalize' | 'suspended' | 'sync' | 'heal' | 'health';

/** The least that answers all reasons. */
export function chooseLook(
  application: Application,
  suspension: Suspension | undefined,
  memory: ApplicationMemory,
  reasons: readonly Reason[],
): LookKind {
  if (application.deletionTimestamp !== undefined) return 'finalize';
  if (suspension !== undefined) return 'suspended';
  if (memory.lastOutcome === undefined || reasons.some((reason) => reason !== 'drift' && reason !== 'health')) return 'sync';
  return memory.suspects.size > 0 && reasons.includes('drift') ? 'heal' : 'health';
}

/** Who or what asked for a look, as history names it. What is tried again, or gone on with, was asked for by whoever asked first. */
export function initiatorOf(reasons: readonly Reason[], last: Outcome | undefined): string {
  const order: readonly Reason[] = ['request', 'commit', 'spec', 'resume', 'drift'];
  return order.find((reason) => reasons.includes(reason)) ?? last?.initiatedBy ?? 'commit';
}
