// The pipeline of one Application: the only place that knows the order of the stages. Each of them is elsewhere.
import type { ApplyResult } from '../apply/apply-plan.ts';
import type { Adoption } from '../model/adoption.ts';
import { OperatorError, toOperatorError } from '../model/error.ts';
import type { Finding } from '../model/finding.ts';
import { formatRef, moreObjects } from '../model/object-ref.ts';
import type { Drift } from '../model/observed.ts';
import type { Outcome, SyncResult } from '../model/outcome.ts';
import type { Plan } from '../model/plan.ts';
import { healthOfApplication } from './application-health.ts';
import { declareObjects, fetchSnapshot } from './declare-objects.ts';
import { millisecondsOf } from './duration.ts';
import type { Look } from './look.ts';
import { failedOutcome, type OutcomeParts, outcomeOf, settledResult } from './outcome-of.ts';
import { settleClaims } from './ownership.ts';
import { conflictError } from './plan-sync.ts';
import { fullScope, type SyncOutcome, syncObjects } from './sync-objects.ts';

/**
 * fetch → synthesize → validate → (rejected?) → read observed, dry-run what changed → plan → (may apply?) → widen inventory → run plan →
 * narrow inventory → outcome.
 *
 * Guarantees: never throws; nothing is written when anything before the first write failed or was refused; what was written is in the
 * inventory before and after.
 */
export async function reconcileApplication(look: Look): Promise<Outcome> {
  const { memory } = look;
  let known: OutcomeParts = {};
  try {
    const snapshot = await fetchSnapshot(look);
    known = { revision: snapshot.revision, ref: snapshot.ref };
    const declaration = await declareObjects(look, snapshot);
    if (declaration.kind === 'rejected') return rejectedOutcome(look, declaration.findings, known);
    const { desired } = declaration;
    const synced = await syncObjects(look, fullScope(look, desired));
    if (synced.kind === 'ran') {
      memory.accepted = desired;
      memory.notices = keptFindings(synced.plan);
      if (synced.result.failures.length === 0 && synced.result.stopped === undefined) memory.isRebuilt = false;
      settleClaims(look, synced.plan, desired.byKey.keys());
    }
    memory.healthDeadline = look.parts.clock.monotonic() + millisecondsOf(look.application.spec.sync.timeout);
    return outcomeOfSync(look, synced, { ...known, findings: desired.findings });
  } catch (error) {
    return failedOutcome(look, toOperatorError(error, 'apply'), known);
  }
}

/** The outcome of what touched the cluster. */
export function outcomeOfSync(look: Look, synced: SyncOutcome, known: OutcomeParts): Outcome {
  switch (synced.kind) {
    case 'refused':
      return rejectedOutcome(look, [...(known.findings ?? []), ...synced.findings], known);
    case 'held':
      return outcomeOf(look, { kind: 'failed', error: synced.error, objects: [] }, known);
    case 'ran':
      return outcomeOf(look, resultOf(look, synced), {
        ...{ ...known, planDigest: synced.plan.digest, counts: synced.counts, drift: synced.drift },
        ...{ adopted: adoptedIn(synced.result), takenOver: synced.takenOver ?? [] },
      });
  }
}

function rejectedOutcome(look: Look, findings: readonly Finding[], known: OutcomeParts): Outcome {
  return outcomeOf(look, { kind: 'rejected', findings }, { ...known, findings });
}

/** Objects that existed already and were taken over. */
function adoptedIn({ written }: ApplyResult): readonly Adoption[] {
  return written.flatMap(({ change }) => (change.adoptedFrom === undefined ? [] : [{ ref: change.ref, from: change.adoptedFrom }]));
}

/** What left Git and stays, as warnings: each names how it can be got rid of. */
function keptFindings(plan: Plan): readonly Finding[] {
  return plan.changes.flatMap((change): Finding[] => {
    if (change.action !== 'skip' || change.kept === undefined) return [];
    const isLost = change.kept === 'lost';
    return [
      {
        code: isLost ? 'LostFromInventory' : 'Protected',
        severity: 'warning',
        message: isLost ? change.reason : `left Git and stays: ${change.reason}`,
        hint: isLost ? 'delete it by hand, or declare it again' : 'delete it by hand, declare it again, or take its protection away',
        object: change.ref,
      },
    ];
  });
}

type Ran = Extract<SyncOutcome, { kind: 'ran' }>;

function resultOf(look: Look, { plan, result, counts, drift }: Ran): SyncResult {
  const conflict = conflictError(plan);
  if (result.failures.length > 0) return { kind: 'failed', error: failureOf(result.failures), objects: result.failures };
  if (conflict !== undefined) return { kind: 'failed', error: conflict, objects: [] };
  if (result.stopped !== undefined) {
    return { kind: 'applying', message: look.halted.aborted ? 'stopped because it is suspended now' : 'interrupted by something newer' };
  }
  const [unhealed] = drift.filter(({ healed }) => !healed);
  if (unhealed !== undefined) {
    const more = moreObjects(drift.length);
    const what = differenceOf(unhealed);
    return { kind: 'out-of-sync', message: `${formatRef(unhealed.ref)} ${what}${more}; self-heal is off` };
  }
  return settledResult(look, healthOfApplication(look.memory, look.parts.observer), counts.create + counts.update + counts.prune > 0);
}

function differenceOf({ kind, fields }: Drift): string {
  switch (kind) {
    case 'deleted':
      return 'was deleted';
    case 'added':
      return `has ${fields.join(', ')}, which Git does not allow`;
    case 'changed':
      return `differs from Git at ${fields.join(', ')}`;
  }
}

/** Many failures as one: the first names itself, and one that may pass makes all worth another try. */
function failureOf(failures: readonly { readonly error: OperatorError }[]): OperatorError {
  const [first] = failures;
  if (first === undefined) throw new RangeError('no failure given');
  const { code, stage, hint } = first.error;
  const fate = failures.some(({ error }) => error.fate === 'transient') ? 'transient' : 'terminal';
  const waits = failures.flatMap(({ error }) => error.retryAfterSeconds ?? []);
  return new OperatorError(first.error.message, {
    ...{ code, stage, fate, cause: first.error },
    ...(hint === undefined ? {} : { hint }),
    ...(waits.length === 0 ? {} : { retryAfterSeconds: Math.max(...waits) }),
  });
}
