// The part of a sync that touches the cluster: compare → plan → may apply? → widen inventory → run plan → narrow inventory. What is desired was settled before.

import { applicationFinalizer } from '../../constructs/annotations.ts';
import type { ApplyResult } from '../apply/apply-plan.ts';
import { baselineOf } from '../apply/baseline.ts';
import { type DryRunResult, deferredKeys, dryRunManifests } from '../apply/dry-run.ts';
import { conflictHint, formatConflicts, OperatorError } from '../model/error.ts';
import { type Finding, hasErrors } from '../model/finding.ts';
import { tenantIdentity } from '../model/identity.ts';
import type { Inventory, InventoryEntry } from '../model/inventory.ts';
import type { JsonObject } from '../model/json.ts';
import type { Manifest } from '../model/manifest.ts';
import { formatRef, keyOf, type ObjectKey, type ObjectRef } from '../model/object-ref.ts';
import type { Drift } from '../model/observed.ts';
import type { TakenOver } from '../model/outcome.ts';
import { type ActionCounts, countActions, type Plan, type WriteChange } from '../model/plan.ts';
import type { Addition } from '../observe/find-additions.ts';
import { additionsAsDrift } from '../observe/judge-additions.ts';
import { guardPlan } from '../plan/guard-plan.ts';
import { planChanges } from '../plan/plan-changes.ts';
import type { PlanRequest } from '../plan/ports.ts';
import type { Desired } from './application-memory.ts';
import { type Confirmation, confirmByDryRun, healedDrift, isDeclaredAnew, readBefore, type SuspectBefore } from './confirm-drift.ts';
import { narrowInventory, widenInventory } from './keep-inventory.ts';
import type { Look } from './look.ts';
import { nameMissingNamespaces } from './missing-namespaces.ts';
import { noteMutations } from './mutations.ts';
import { ownershipConflict, readOwnership } from './ownership.ts';
import { type Observed, readObserved, withFetched } from './read-observed.ts';
import { type RunPlanOptions, runPlan } from './run-plan.ts';
import { findUnwanted, stripAdditions } from './strip-additions.ts';
import { writerOf } from './writer-of.ts';

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
      readonly takenOver?: readonly TakenOver[];
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
  const seen = await readObserved(kindsOf(scope), scope.inventory.values(), parts.observer);
  // Whether these exist already decides what can be asked about the others before the first write.
  const observed = await withFetched(seen, unseenContainers(scope.desired, seen), parts.observer);
  const unwanted = findUnwanted(look, scope.desired, observed);
  for (const key of unwanted.keys()) memory.suspects.add(key);
  const suspects = scope.desired.filter(({ key }) => memory.suspects.has(key));
  const found = sync.selfHeal ? undefined : await showDrift(look, suspects, observed, unwanted);
  const planned = await planUnheld(look, scope, observed, found?.drifted ?? memory.suspects);
  if (hasErrors(planned.findings)) return { kind: 'refused', findings: planned.findings };
  const { plan } = planned;
  const held = guardPlan({ plan, desired: scope.desired.length, owned: scope.inventory.size, policy: sync });
  if (held !== undefined) return { kind: 'held', error: held };
  const isStripped = ({ key }: Manifest): boolean => sync.selfHeal && unwanted.has(key);
  const stripped = await stripAdditions(look, scope.desired.filter(isStripped));
  const before = sync.selfHeal ? await readBefore(look, suspects, observed) : new Map<ObjectKey, SuspectBefore>();
  const ran = await carryOut(look, plan, planned, scope.revision);
  noteMutations(look, ran.written);
  // What could not be stripped stays suspected, so that it is tried again with the retry and not at once.
  for (const { ref } of stripped.failures) memory.suspects.add(keyOf(ref));
  const result = { ...ran, failures: [...ran.failures, ...stripped.failures] };
  const healed = [...healedDrift(result, before, look.startedAt, sync.ignoreDifferences), ...stripped.drift];
  const drift = found?.drift ?? healed;
  const written = new Set(result.written.map(({ change }) => change.key));
  const takenOver = planned.takenOver.filter(({ ref }) => written.has(keyOf(ref)));
  return { kind: 'ran', plan, result, counts: countDone(plan, result, before, drift), drift, takenOver };
}

/** Drift that is shown and not healed. */
async function showDrift(
  look: Look,
  suspects: readonly Manifest[],
  observed: Observed,
  unwanted: ReadonlyMap<ObjectKey, readonly Addition[]>,
): Promise<Pick<Confirmation, 'drift' | 'drifted'>> {
  // What a commit changes is written in any case, and its own difference is no drift.
  const unchanged = suspects.filter((manifest) => observed(manifest.key) === undefined || !isDeclaredAnew(look, manifest));
  const found = await confirmByDryRun(look, unchanged, observed);
  await keepCleared(
    look,
    found.cleared.filter(({ ref }) => !unwanted.has(keyOf(ref))),
  );
  const added = unchanged.flatMap(({ key, ref }) => additionsAsDrift(ref, unwanted.get(key) ?? [], false, look.startedAt));
  return { drift: [...found.drift, ...added], drifted: found.drifted };
}

interface Planned {
  readonly plan: Plan;
  readonly findings: readonly Finding[];
  readonly observed: Observed;
  readonly deferred: ReadonlySet<ObjectKey>;
  readonly unforced: ReadonlySet<ObjectKey>;
  readonly takenOver: readonly TakenOver[];
}

/**
 * The plan, after the server was asked about what changed in Git. Fields of others are taken, or their objects left out, as `sync.conflicts`
 * says. What nobody labelled is on no watch: only the dry run shows that it is there, and then it is not made but adopted.
 */
async function planUnheld(look: Look, scope: SyncScope, seen: Observed, suspects: ReadonlySet<ObjectKey>): Promise<Planned> {
  const { conflicts: policy } = look.application.spec.sync;
  const request = await planRequest(look, scope, seen, suspects);
  const first = planChanges(request);
  const deferred = deferredKeys(scope.desired, (key) => seen(key) !== undefined);
  const declaredAnew = first.steps
    .flatMap((step) => step.changes)
    .flatMap((change) => (change.action === 'prune' || !isDeclaredAnew(look, change.manifest) ? [] : [change]));
  const { findings, conflicts, existing } = await dryRun(look, declaredAnew, deferred);
  const observed = await withFetched(seen, existing, look.parts.observer);
  const again = existing.length === 0 ? request : await planRequest(look, scope, observed, suspects);
  const heldFields: DryRunResult['conflicts'] = policy === 'Fail' ? conflicts : new Map();
  const plan = again === request && heldFields.size === 0 ? first : planChanges({ ...again, heldFields });
  const unforced = new Set(policy === 'Fail' ? declaredAnew.map(({ key }) => key) : []);
  const takenOver = declaredAnew.flatMap(({ key, ref }) => {
    const fields = policy === 'Fail' ? undefined : conflicts.get(key);
    return fields === undefined ? [] : [{ ref, fields }];
  });
  return { plan, findings, observed, deferred, unforced, takenOver };
}

async function planRequest(look: Look, scope: SyncScope, observed: Observed, suspects: ReadonlySet<ObjectKey>): Promise<PlanRequest> {
  const { application, memory } = look;
  const { prune, selfHeal } = application.spec.sync;
  const keys = new Set([...scope.desired.map(({ key }) => key), ...scope.inventory.keys()]);
  return {
    desired: scope.desired,
    inventory: scope.inventory,
    observed,
    suspects,
    policy: { prune: prune && !memory.isRebuilt, selfHeal },
    owner: application,
    ...(await readOwnership(look, keys, observed)),
  };
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
async function carryOut(look: Look, plan: Plan, options: RunPlanOptions, revision: string): Promise<ApplyResult> {
  if (look.halted.aborted) return { written: [], pruned: [], failures: [], stopped: 'aborted' };
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
async function dryRun(
  look: Look,
  changes: readonly WriteChange[],
  deferred: ReadonlySet<ObjectKey>,
): Promise<DryRunResult & { readonly existing: readonly ObjectRef[] }> {
  const existing: ObjectRef[] = [];
  if (changes.length === 0) return { findings: [], conflicts: new Map(), existing };
  const { application, parts, signal } = look;
  const identity = tenantIdentity(application.namespace, application.spec.serviceAccountName);
  const created = new Set(changes.filter(({ action }) => action === 'create').map(({ key }) => key));
  const onAnswer = ({ key, ref }: Manifest, answer: JsonObject): void => {
    if (created.has(key) && baselineOf(answer).resourceVersion !== '') existing.push(ref);
  };
  const manifests = changes.map(({ manifest }) => manifest);
  const { findings, conflicts } = await dryRunManifests({ manifests, writer: writerOf(look), identity, deferred, onAnswer }, signal);
  return { findings: await nameMissingNamespaces(findings, parts.observer), conflicts, existing };
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

/** Namespaces and CustomResourceDefinitions on which no watch says anything. */
function unseenContainers(desired: readonly Manifest[], observed: Observed): readonly ObjectRef[] {
  const kinds = new Set(['Namespace', 'CustomResourceDefinition']);
  return desired.filter(({ ref, key }) => kinds.has(ref.kind) && observed(key) === undefined).map(({ ref }) => ref);
}

function kindsOf(scope: SyncScope): readonly { readonly apiVersion: string; readonly kind: string }[] {
  const refs = [...scope.desired.map(({ ref }) => ref), ...[...scope.inventory.values()].map(({ ref }) => ref)];
  return [...new Map(refs.map(({ apiVersion, kind }) => [`${apiVersion}|${kind}`, { apiVersion, kind }])).values()];
}

/** What a plan leaves to other Applications, as one error; undefined when there is nothing. */
export function conflictError(plan: Plan): OperatorError | undefined {
  const conflicts = plan.changes.filter((change) => change.action === 'conflict');
  const [first] = conflicts;
  if (first === undefined) return undefined;
  const more = conflicts.length > 1 ? ` (and ${conflicts.length - 1} more objects)` : '';
  if (first.fields !== undefined) {
    return new OperatorError(`apply ${formatRef(first.ref)}: ${formatConflicts(first.fields)}${more}`, {
      ...{ code: 'ApplyConflict', stage: 'apply', fate: 'transient', hint: conflictHint, conflicts: first.fields },
    });
  }
  return ownershipConflict(first.ref, first.owner, more);
}
