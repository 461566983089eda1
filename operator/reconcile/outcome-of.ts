// Outcomes of looks, put together from their parts. What a status makes of them is status/'s matter.
import { reconcileRequestedAnnotation } from '../../constructs/annotations.ts';
import { OperatorError } from '../model/error.ts';
import type { ApplicationHealth } from '../model/health.ts';
import { formatRef } from '../model/object-ref.ts';
import type { Outcome, SyncResult } from '../model/outcome.ts';
import { type ActionCounts, addCounts, countActions } from '../model/plan.ts';
import { healthOfApplication } from './application-health.ts';
import { extraFieldsOf } from './extra-fields.ts';
import { initiatorOf, type Look } from './look.ts';
import { withMutations } from './mutations.ts';
import { claimFindings } from './ownership.ts';

/** What differs from look to look; what is left out is as it was, or empty. */
export type OutcomeParts = Partial<
  Pick<Outcome, 'revision' | 'ref' | 'planDigest' | 'counts' | 'findings' | 'drift' | 'adopted' | 'takenOver' | 'fights'>
>;

/** The outcome of a look that ends now. */
export function outcomeOf(look: Look, result: SyncResult, parts: OutcomeParts = {}): Outcome {
  const { application, memory } = look;
  const { lastOutcome: last } = memory;
  const revision = parts.revision ?? last?.revision;
  const ref = parts.ref ?? last?.ref;
  // What was found of another commit says nothing about this one.
  const lastFindings = revision?.sha === last?.revision?.sha ? last?.findings : undefined;
  const counts = parts.counts ?? countActions([]);
  const total = last?.revision?.sha === revision?.sha ? totalWith(last, counts) : undefined;
  const request = application.annotations[reconcileRequestedAnnotation];
  const answersRequest = request !== undefined && (look.kind === 'sync' || look.kind === 'suspended');
  return {
    observedGeneration: application.generation,
    startedAt: look.startedAt,
    finishedAt: look.parts.clock.now(),
    initiatedBy: initiatorOf(look.reasons, last),
    ...(revision === undefined ? {} : { revision }),
    ...(ref === undefined ? {} : { ref }),
    ...(answersRequest ? { handledRequest: request } : {}),
    result,
    ...(parts.planDigest === undefined ? {} : { planDigest: parts.planDigest }),
    counts,
    ...(total === undefined ? {} : { total }),
    findings: withMutations(memory, parts.findings ?? lastFindings ?? []),
    drift: parts.drift ?? [],
    notices: [...claimFindings(look), ...memory.notices],
    adopted: parts.adopted ?? [],
    extraFields: extraFieldsOf(look),
    takenOver: parts.takenOver ?? [],
    fights: parts.fights ?? [],
    health: isUntouched(look, result)
      ? { state: 'Unknown', message: 'nothing was applied yet' }
      : healthOfApplication(memory, look.parts.observer),
    owned: memory.inventory?.size ?? memory.status?.resources?.total ?? 0,
  };
}

/** What a sync did with what the one did that it goes on with; undefined when that one had ended. */
function totalWith(last: Outcome | undefined, counts: ActionCounts): ActionCounts | undefined {
  if (last === undefined) return undefined;
  const { result } = last;
  const waits =
    result.kind === 'applying' || result.kind === 'progressing' || (result.kind === 'failed' && result.error.stage === 'health');
  return waits ? addCounts(last.total ?? last.counts, counts) : undefined;
}

/** Whether a look failed before anything was ever applied: then nothing is healthy yet. */
function isUntouched({ memory }: Look, result: SyncResult): boolean {
  const applied = result.kind === 'synced' || result.kind === 'progressing';
  return !applied && (memory.inventory?.size ?? 0) === 0 && memory.status?.sync?.revision === undefined;
}

/** The outcome of a look that failed. Findings of the last look do not apply to this one. */
export function failedOutcome(look: Look, error: OperatorError, parts: OutcomeParts = {}): Outcome {
  return outcomeOf(look, { kind: 'failed', error, objects: [] }, { findings: [], ...parts });
}

/** What applied everything comes to, with the health it has now. */
export function settledResult(look: Look, health: ApplicationHealth, changed: boolean): SyncResult {
  if (health.state !== 'Progressing' && health.state !== 'Missing') return { kind: 'synced', changed };
  const { memory, parts, application } = look;
  const about = health.decidedBy === undefined ? health.message : `${formatRef(health.decidedBy)}: ${health.message}`;
  if (parts.clock.monotonic() < memory.healthDeadline) return { kind: 'progressing', message: about };
  const error = new OperatorError(`not healthy ${application.spec.sync.timeout} after the sync: ${about}`, {
    ...{ code: 'HealthTimeout', stage: 'health', fate: 'terminal' },
    hint: 'correct the object or raise spec.sync.timeout; it is Ready as soon as it is healthy',
  });
  return { kind: 'failed', error, objects: [] };
}
