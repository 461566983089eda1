// The pipeline of one Application: the only place that knows the order of the stages. Each of them is elsewhere.
import { OperatorError, toOperatorError } from '../model/error.ts';
import type { Finding } from '../model/finding.ts';
import { formatRef } from '../model/object-ref.ts';
import type { Outcome, SyncResult } from '../model/outcome.ts';
import { healthOfApplication } from './application-health.ts';
import { declareObjects, fetchSnapshot } from './declare-objects.ts';
import { millisecondsOf } from './duration.ts';
import type { Look } from './look.ts';
import { failedOutcome, type OutcomeParts, outcomeOf, settledResult } from './outcome-of.ts';
import { conflictError, fullScope, type SyncOutcome, syncObjects } from './sync-objects.ts';

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
    if (synced.kind === 'ran') memory.accepted = desired;
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
      });
  }
}

function rejectedOutcome(look: Look, findings: readonly Finding[], known: OutcomeParts): Outcome {
  return outcomeOf(look, { kind: 'rejected', findings }, { ...known, findings });
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
    const more = drift.length > 1 ? ` (and ${drift.length - 1} more objects)` : '';
    const what = unhealed.kind === 'deleted' ? 'was deleted' : `differs from Git at ${unhealed.fields.join(', ')}`;
    return { kind: 'out-of-sync', message: `${formatRef(unhealed.ref)} ${what}${more}; self-heal is off` };
  }
  return settledResult(look, healthOfApplication(look.memory, look.parts.observer), counts.create + counts.update + counts.prune > 0);
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
