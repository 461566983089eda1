// The end of an Application: its objects are deleted or left, then it may go. Protections are those of any prune.
import { apiGroup, applicationFinalizer } from '../../constructs/annotations.ts';
import { toOperatorError } from '../model/error.ts';
import type { Outcome } from '../model/outcome.ts';
import { countActions } from '../model/plan.ts';
import { planChanges } from '../plan/plan-changes.ts';
import { narrowInventory } from './keep-inventory.ts';
import type { Look } from './look.ts';
import { failedOutcome, outcomeOf } from './outcome-of.ts';
import { readOwnership } from './ownership.ts';
import { readObserved } from './read-observed.ts';
import { outcomeOfSync } from './reconcile-application.ts';
import { runPlan } from './run-plan.ts';
import { suspendedResult } from './watch-suspended.ts';

/**
 * Deletes what the Application owns in reverse order, or leaves it, as `spec.deletionPolicy` says, then releases the Application.
 * Undefined when it is released. Never throws.
 */
export async function finalizeApplication(look: Look): Promise<Outcome | undefined> {
  const { application, parts } = look;
  if (!application.finalizers.includes(applicationFinalizer)) return undefined;
  try {
    const leaves = application.spec.deletionPolicy === 'Orphan' || (await namespaceIsGoing(look)) || (await kindIsGoing(look));
    const paused = leaves ? undefined : parts.pause.current();
    // Who paused everything sees nothing deleted; a suspended Application may still be deleted with its objects.
    if (paused !== undefined) return outcomeOf(look, suspendedResult(look, paused));
    const outcome = leaves ? undefined : await deleteOwned(look);
    if (outcome !== undefined) return outcome;
    await parts.applications.setFinalizer(application, false);
    return undefined;
  } catch (error) {
    return failedOutcome(look, toOperatorError(error, 'apply'));
  }
}

/** The outcome when something could not be deleted. */
async function deleteOwned(look: Look): Promise<Outcome | undefined> {
  const { application, memory, parts } = look;
  const inventory = memory.inventory ?? new Map();
  const observed = await readObserved(
    [...inventory.values()].map(({ ref }) => ref),
    inventory.values(),
    parts.observer,
  );
  const policy = { prune: true, selfHeal: false };
  const ownership = await readOwnership(look, inventory.keys(), observed);
  const plan = planChanges({ desired: [], inventory, observed, suspects: new Set(), policy, owner: application, ...ownership });
  const result = await runPlan(look, plan, { deferred: new Set(), observed });
  await narrowInventory(look, plan, result, '');
  if (result.failures.length === 0 && result.stopped === undefined) return undefined;
  const done = new Set(result.pruned);
  const counts = countActions(plan.changes.filter(({ key }) => done.has(key)));
  return result.failures.length === 0
    ? outcomeOf(look, { kind: 'applying', message: 'deleting its objects' }, { counts })
    : outcomeOfSync(look, { kind: 'ran', plan, result, counts, drift: [] }, {});
}

/** A namespace that is being deleted takes the Application's ServiceAccount and rights along: nothing can be deleted as it any more. */
async function namespaceIsGoing({ application, parts }: Look): Promise<boolean> {
  const namespace = await parts.observer.fetch({ apiVersion: 'v1', kind: 'Namespace', namespace: '', name: application.namespace });
  return namespace === undefined || namespace.deletionTimestamp !== undefined;
}

/** Whoever deletes the kind Application removes Setpoint, not every object of every Application. */
async function kindIsGoing({ parts }: Look): Promise<boolean> {
  const definition = await parts.observer.fetch({
    ...{ apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', namespace: '', name: `applications.${apiGroup}` },
  });
  return definition === undefined || definition.deletionTimestamp !== undefined;
}
