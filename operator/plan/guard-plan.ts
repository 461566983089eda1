// Stops a plan that would remove more than anyone is likely to have meant. Objects protected one by one are decide-prune.ts's matter.
import { OperatorError } from '../model/error.ts';
import { formatRef } from '../model/object-ref.ts';
import type { Plan } from '../model/plan.ts';

/** The numbers of `spec.sync` that bound what one sync may remove. */
export interface GuardPolicy {
  /** Leaving no object at all is meant. */
  readonly allowEmpty: boolean;
  /** Share of the owned objects that one sync may remove. @default 50 */
  readonly maxPrunePercent: number;
}

/** What the guard looks at. */
export interface GuardRequest {
  readonly plan: Plan;
  /** Objects that Git declares. */
  readonly desired: number;
  /** Objects in the inventory before the sync. */
  readonly owned: number;
  readonly policy: GuardPolicy;
  /** Digest of a plan that a person approved; lets exactly that plan pass. */
  readonly approvedDigest?: string;
}

/** Up to this many owned objects no share is too large: renaming one of two things is ordinary. */
const smallApplication = 10;
const namedObjects = 5;

/**
 * Why a plan must not run, or undefined when it may.
 * Guarantees: a plan that removes nothing always may.
 */
export function guardPlan(request: GuardRequest): OperatorError | undefined {
  const pruned = request.plan.changes.filter((change) => change.action === 'prune');
  if (pruned.length === 0 || request.approvedDigest === request.plan.digest) return undefined;
  const names = pruned
    .slice(0, namedObjects)
    .map((change) => formatRef(change.ref))
    .join(', ');
  const list = pruned.length > namedObjects ? `${names} and ${pruned.length - namedObjects} more` : names;
  if (request.desired === 0)
    return request.policy.allowEmpty ? undefined : refuse('EmptyGuard', emptyMessage(pruned.length, request.owned, list), emptyHint);
  if (request.owned <= smallApplication || pruned.length * 100 <= request.policy.maxPrunePercent * request.owned) return undefined;
  const message = `the sync would remove ${pruned.length} of ${request.owned} objects, more than ${request.policy.maxPrunePercent} %: ${list}`;
  return refuse(
    'PruneGuard',
    message,
    'if this is meant, approve the plan or raise spec.sync.maxPrunePercent; if not, check spec.source.path and the commit',
  );
}

const emptyHint =
  'if this is meant, set spec.sync.allowEmpty to true or delete the Application; if not, check spec.source.path and the commit';

function emptyMessage(removed: number, owned: number, list: string): string {
  const share = removed === owned ? `all ${owned}` : `${removed} of ${owned} objects`;
  return `the commit declares no object and the sync would remove ${share}: ${list}`;
}

function refuse(code: 'EmptyGuard' | 'PruneGuard', message: string, hint: string): OperatorError {
  return new OperatorError(message, { code, stage: 'plan', fate: 'terminal', hint });
}
