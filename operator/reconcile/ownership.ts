// Whose an object is when more than one Application names it, and what both are told. The index itself is in owned-objects.ts.
import { OperatorError } from '../model/error.ts';
import type { ApplicationKey } from '../model/event.ts';
import type { Finding } from '../model/finding.ts';
import { formatRef, type ObjectKey, type ObjectRef } from '../model/object-ref.ts';
import type { ObservedObject } from '../model/observed.ts';
import type { Plan } from '../model/plan.ts';
import { foreignOwnerOf } from '../model/tracking.ts';
import type { PlanRequest } from '../plan/ports.ts';
import type { Look } from './look.ts';
import type { Observed } from './read-observed.ts';

/** The part of a plan's request that tells whose objects are. Throws OperatorError when an Application could not be asked for. */
export async function readOwnership(
  look: Look,
  keys: Iterable<ObjectKey>,
  observed: Observed,
): Promise<Required<Pick<PlanRequest, 'holder' | 'claimant'>>> {
  const { application, memory, owned, parts } = look;
  const marked = (live: ObservedObject | undefined): ApplicationKey | undefined =>
    live === undefined ? undefined : foreignOwnerOf(live, application);
  const gone = new Set<ApplicationKey>();
  for (const owner of new Set([...keys].flatMap((key) => marked(observed(key)) ?? []))) {
    // Marks outlive an Application that was deleted with the policy Orphan.
    if (!(await parts.applications.exists(owner))) gone.add(owner);
  }
  return {
    holder(key, live) {
      const owner = marked(live);
      return owned.holderOf(memory.key, key, owner === undefined || gone.has(owner) ? undefined : owner);
    },
    claimant: (key) => owned.claimantOf(memory.key, key),
  };
}

/** Keeps, after a sync of everything, what an Application declares and which of it others have; those are told. */
export function settleClaims({ memory, owned, parts }: Look, plan: Plan, declared: Iterable<ObjectKey>): void {
  owned.declare(memory.key, declared);
  const claims = plan.changes.flatMap((change) => (change.action === 'conflict' ? [{ ref: change.ref, holder: change.owner }] : []));
  for (const { ref, holder } of owned.setClaims(memory.key, claims)) {
    parts.emit({ type: 'claimed', application: holder, by: memory.key, ref });
  }
}

/** What an Application is told about objects of its own that others declare too. */
export function claimFindings({ memory, owned }: Look): readonly Finding[] {
  return owned.claimsOn(memory.key).map(({ ref, by }) => ({
    code: 'ClaimedByAnother',
    severity: 'warning',
    message: `Application ${by} declares it too; it stays with this one`,
    hint: 'declare it in one of the two only',
    object: ref,
  }));
}

/** The error of an object that belongs to another Application. */
export function ownershipConflict(ref: ObjectRef, holder: ApplicationKey | undefined, more = ''): OperatorError {
  return new OperatorError(`apply ${formatRef(ref)}: it belongs to Application ${holder}${more}`, {
    ...{ code: 'OwnershipConflict', stage: 'apply', fate: 'transient' },
    hint: 'declare it in one of the two only',
  });
}
