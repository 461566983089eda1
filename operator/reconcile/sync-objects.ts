// The part of a sync that touches the cluster: compare → plan → may apply? → widen inventory → run plan → narrow inventory. What is desired was settled before.

import { applicationFinalizer } from '../../constructs/annotations.ts';
import type { ApplyResult } from '../apply/apply-plan.ts';
import { deferredKeys, dryRunManifests } from '../apply/dry-run.ts';
import { OperatorError } from '../model/error.ts';
import { type Finding, hasErrors } from '../model/finding.ts';
import { tenantIdentity } from '../model/identity.ts';
import type { Inventory, InventoryEntry } from '../model/inventory.ts';
import type { Manifest } from '../model/manifest.ts';
import { formatRef, groupOf, keyOf, type ObjectKey } from '../model/object-ref.ts';
import type { Drift } from '../model/observed.ts';
import type { ObjectFailure } from '../model/outcome.ts';
import { type ActionCounts, countActions, type Plan } from '../model/plan.ts';
import { guardPlan } from '../plan/guard-plan.ts';
import { planChanges } from '../plan/plan-changes.ts';
import type { Desired } from './application-memory.ts';
import { confirmByDryRun, healedDrift, isDeclaredAnew, readBefore, type SuspectBefore } from './confirm-drift.ts';
import { narrowInventory, widenInventory } from './keep-inventory.ts';
import type { Look } from './look.ts';
import { type Observed, readObserved, watchOwned } from './read-observed.ts';
import { runPlan } from './run-plan.ts';

/** What a sync works on: everything an Application declares and owns, or some objects of it. */
export interface SyncScope {
  readonly desired: readonly Manifest[];
  readonly inventory: Inventory;
  readonly revision: string;
}

/** What came of it. */
export type SyncOutcome =
  | { readonly kind: 'refused'; readonly findings: readonly Finding[] }
  | { readonly kind: 'held'; readonly error: OperatorError }
  | {
      readonly kind: 'ran';
      readonly plan: Plan;
      readonly result: ApplyResult;
      readonly counts: ActionCounts;
      readonly drift: readonly Drift[];
    };

/** Everything of a commit. The server's dry run of what changed comes before the first write. */
export function fullScope(look: Look, desired: Desired): SyncScope {
  return { desired: desired.manifests, inventory: look.memory.inventory ?? new Map(), revision: desired.revision.sha };
}

/** Only the objects that may have drifted, but for some. */
export function suspectScope(look: Look, desired: Desired, except: ReadonlySet<ObjectKey>): SyncScope {
  const { memory } = look;
  const manifests = [...memory.suspects].filter((key) => !except.has(key)).flatMap((key) => desired.byKey.get(key) ?? []);
  const entries = manifests.flatMap(({ key }): [ObjectKey, InventoryEntry][] => {
    const entry = memory.inventory?.get(key);
    return entry === undefined ? [] : [[key, entry]];
  });
  return { desired: manifests, inventory: new Map(entries), revision: desired.revision.sha };
}

/** Makes the cluster equal to what is desired. Throws OperatorError for what kept it from comparing or from keeping its inventory. */
export async function syncObjects(look: Look, scope: SyncScope): Promise<SyncOutcome> {
  const { application, memory, parts } = look;
  const { sync } = application.spec;
  const failedGroups = await watchOwned(scope.inventory.values(), parts.observer);
  const known = [...scope.inventory.values()].filter(({ ref }) => !failedGroups.has(groupOf(ref.apiVersion)));
  const observed = await readObserved(kindsOf(scope), known, parts.observer);
  const suspects = scope.desired.filter(({ key }) => memory.suspects.has(key));
  // What a commit changes is written in any case, and its own difference is no drift.
  const unchanged = suspects.filter((manifest) => observed(manifest.key) === undefined || !isDeclaredAnew(look, manifest));
  const found = sync.selfHeal ? undefined : await confirmByDryRun(look, unchanged, observed);
  if (found !== undefined) await keepCleared(look, found.cleared);
  const plan = planChanges({
    desired: scope.desired,
    inventory: scope.inventory,
    observed,
    suspects: found?.drifted ?? memory.suspects,
    policy: { prune: sync.prune, selfHeal: sync.selfHeal },
    failedGroups,
    owner: application,
  });
  const deferred = deferredKeys(scope.desired, (key) => observed(key) !== undefined);
  const findings = await dryRun(look, plan, deferred);
  if (hasErrors(findings)) return { kind: 'refused', findings };
  const held = guardPlan({ plan, desired: scope.desired.length, owned: scope.inventory.size, policy: sync });
  if (held !== undefined) return { kind: 'held', error: held };
  const before = sync.selfHeal ? await readBefore(look, suspects, observed) : new Map<ObjectKey, SuspectBefore>();
  const done = await carryOut(look, plan, { deferred, observed }, scope.revision);
  const result = { ...done, failures: [...done.failures, ...unknownObjects(scope.inventory, failedGroups)] };
  if (failedGroups.size > 0) memory.kindsMayHaveChanged = true;
  const drift = found?.drift ?? healedDrift(result, before, look.startedAt);
  return { kind: 'ran', plan, result, counts: countDone(plan, result, before, drift), drift };
}

/** What was carried out; a suspect that was no drift after all is unchanged. */
function countDone(
  plan: Plan,
  result: ApplyResult,
  suspects: ReadonlyMap<ObjectKey, SuspectBefore>,
  drift: readonly Drift[],
): ActionCounts {
  const done = new Set([...result.pruned, ...result.written.map(({ change }) => change.key)]);
  const drifted = new Set(drift.map(({ ref }) => keyOf(ref)));
  const counts = { ...countActions([]) };
  for (const { action, key } of plan.changes) {
    const isWrite = action === 'create' || action === 'update';
    if (isWrite && suspects.get(key)?.declaredAnew === false && !drifted.has(key)) counts.unchanged += 1;
    else if (done.has(key) || !(isWrite || action === 'prune')) counts[action] += 1;
  }
  return counts;
}

/** Widen, run, narrow: in this order whatever happens in between. */
async function carryOut(
  look: Look,
  plan: Plan,
  options: { readonly deferred: ReadonlySet<ObjectKey>; readonly observed: Observed },
  revision: string,
): Promise<ApplyResult> {
  if (plan.steps.length > 0) await holdForFinalizer(look);
  await widenInventory(look, plan, revision);
  const result = await runPlan(look, plan, options);
  await narrowInventory(look, plan, result, revision);
  await learnKinds(look, plan, result);
  return result;
}

/** Kinds that came with this sync are watched from now on, and known to the next check. */
async function learnKinds({ memory, parts }: Look, plan: Plan, result: ApplyResult): Promise<void> {
  if (!result.written.some(({ change }) => change.ref.kind === 'CustomResourceDefinition')) return;
  memory.kindsMayHaveChanged = true;
  await parts.observer.watchKinds(plan.changes.map(({ ref }) => ref));
}

/** Before the first object is written, the Application is kept from going without its objects being dealt with. */
async function holdForFinalizer({ application, parts }: Look): Promise<void> {
  if (application.deletionTimestamp !== undefined || application.finalizers.includes(applicationFinalizer)) return;
  await parts.applications.setFinalizer(application, true);
}

/** Asks the server about what changed in Git; objects that only drifted were accepted before. */
async function dryRun(look: Look, plan: Plan, deferred: ReadonlySet<ObjectKey>): Promise<readonly Finding[]> {
  const { application, memory, parts, signal } = look;
  const manifests = plan.steps
    .flatMap((step) => step.changes)
    .flatMap((change) =>
      change.action === 'prune' || memory.inventory?.get(change.key)?.digest === change.manifest.digest ? [] : [change.manifest],
    );
  if (manifests.length === 0) return [];
  const identity = tenantIdentity(application.namespace, application.spec.serviceAccountName);
  return dryRunManifests({ manifests, writer: parts.writer, identity, force: true, deferred }, signal);
}

/** Suspects that turned out to be as they should be. */
async function keepCleared({ application, memory, parts }: Look, cleared: readonly InventoryEntry[]): Promise<void> {
  if (cleared.length === 0) return;
  await parts.inventories.save(application, cleared, []);
  const inventory = new Map(memory.inventory);
  for (const entry of cleared) {
    inventory.set(keyOf(entry.ref), entry);
    memory.suspects.delete(keyOf(entry.ref));
  }
  memory.inventory = inventory;
}

/** One failure for each API group that does not answer: what is owned of it could not be compared. */
function unknownObjects(inventory: Inventory, failedGroups: ReadonlySet<string>): readonly ObjectFailure[] {
  return [...failedGroups].flatMap((group) => {
    const objects = [...inventory.values()].filter(({ ref }) => groupOf(ref.apiVersion) === group);
    const [first] = objects;
    if (first === undefined) return [];
    const more = objects.length > 1 ? ` (and ${objects.length - 1} more objects)` : '';
    const error = new OperatorError(`look at ${formatRef(first.ref)}${more}: the server of API group ${group} does not answer`, {
      ...{ code: 'ApiUnreachable', stage: 'apply', fate: 'transient' },
      hint: `check the APIService of ${group}`,
    });
    return [{ ref: first.ref, error }];
  });
}

function kindsOf({ desired }: SyncScope): readonly { readonly apiVersion: string; readonly kind: string }[] {
  const refs = desired.map(({ ref }) => ref);
  return [...new Map(refs.map(({ apiVersion, kind }) => [`${apiVersion}|${kind}`, { apiVersion, kind }])).values()];
}

/** What a plan leaves to other Applications, as one error; undefined when there is nothing. */
export function conflictError(plan: Plan): OperatorError | undefined {
  const conflicts = plan.changes.filter((change) => change.action === 'conflict');
  const [first] = conflicts;
  if (first === undefined) return undefined;
  const more = conflicts.length > 1 ? ` (and ${conflicts.length - 1} more objects)` : '';
  return new OperatorError(`apply ${formatRef(first.ref)}: it belongs to Application ${first.owner}${more}`, {
    ...{ code: 'OwnershipConflict', stage: 'apply', fate: 'transient' },
    hint: 'declare it in one of the two only',
  });
}
