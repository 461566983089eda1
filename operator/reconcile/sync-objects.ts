// The part of a sync that touches the cluster: compare → plan → may apply? → widen inventory → run plan → narrow inventory. What is desired was settled before.

import { applicationFinalizer } from '../../constructs/annotations.ts';
import type { ApplyResult } from '../apply/apply-plan.ts';
import { OperatorError } from '../model/error.ts';
import { type Finding, hasErrors } from '../model/finding.ts';
import type { Inventory, InventoryEntry } from '../model/inventory.ts';
import type { Manifest } from '../model/manifest.ts';
import { formatRef, groupOf, keyOf, moreObjects, type ObjectKey } from '../model/object-ref.ts';
import type { Drift } from '../model/observed.ts';
import type { ObjectFailure, TakenOver } from '../model/outcome.ts';
import { type ActionCounts, countActions, type Plan } from '../model/plan.ts';
import type { Addition } from '../observe/find-additions.ts';
import { additionsAsDrift } from '../observe/judge-additions.ts';
import { guardPlan } from '../plan/guard-plan.ts';
import type { Desired } from './application-memory.ts';
import { type Confirmation, confirmByDryRun, healedDrift, isDeclaredAnew, readBefore, type SuspectBefore } from './confirm-drift.ts';
import { narrowInventory, widenInventory } from './keep-inventory.ts';
import type { Look } from './look.ts';
import { noteMutations } from './mutations.ts';
import type { OutcomeParts } from './outcome-of.ts';
import { planSync, unseenContainers } from './plan-sync.ts';
import { type Observed, readObserved, watchOwned, withFetched } from './read-observed.ts';
import { type RunPlanOptions, runPlan } from './run-plan.ts';
import { findUnwanted, stripAdditions } from './strip-additions.ts';

/** What a sync works on: everything an Application declares and owns, or some objects of it. */
export interface SyncScope {
  readonly desired: readonly Manifest[];
  readonly inventory: Inventory;
  readonly revision: string;
  /** Of a whole commit: what is told of it while it is applied. */
  readonly known?: OutcomeParts;
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
  const { manifests, revision, ref, findings } = desired;
  return { desired: manifests, inventory: look.memory.inventory ?? new Map(), revision: revision.sha, known: { revision, ref, findings } };
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
  const seen = await readObserved(kindsOf(scope), known, parts.observer);
  // Whether these exist already decides what can be asked about the others before the first write.
  const observed = await withFetched(seen, unseenContainers(scope.desired, seen), parts.observer);
  const unwanted = findUnwanted(look, scope.desired, observed);
  for (const key of unwanted.keys()) memory.suspects.add(key);
  const suspects = scope.desired.filter(({ key }) => memory.suspects.has(key));
  const found = sync.selfHeal ? undefined : await showDrift(look, suspects, observed, unwanted);
  const planned = await planSync(look, scope, { observed, failedGroups, suspects: found?.drifted ?? memory.suspects });
  if (hasErrors(planned.findings)) return { kind: 'refused', findings: planned.findings };
  const { plan } = planned;
  const held = guardPlan({ plan, desired: scope.desired.length, owned: scope.inventory.size, policy: sync });
  if (held !== undefined) return { kind: 'held', error: held };
  const isStripped = ({ key }: Manifest): boolean => sync.selfHeal && unwanted.has(key);
  const stripped = await stripAdditions(look, scope.desired.filter(isStripped));
  const before = sync.selfHeal ? await readBefore(look, suspects, observed) : new Map<ObjectKey, SuspectBefore>();
  const versions = versionsBefore(plan, scope.inventory, planned.observed);
  const told = scope.known === undefined ? {} : { known: scope.known };
  const ran = await carryOut(look, plan, { ...planned, ...told }, scope.revision);
  noteMutations(look, ran.written);
  // What could not be stripped stays suspected, so that it is tried again with the retry and not at once.
  for (const { ref } of stripped.failures) memory.suspects.add(keyOf(ref));
  const result = { ...ran, failures: [...ran.failures, ...stripped.failures, ...unknownObjects(scope.inventory, failedGroups)] };
  if (failedGroups.size > 0) memory.kindsMayHaveChanged = true;
  const healed = [...healedDrift(result, before, look.startedAt, sync.ignoreDifferences), ...stripped.drift];
  const drift = found?.drift ?? healed;
  const written = new Set(result.written.map(({ change }) => change.key));
  const takenOver = planned.takenOver.filter(({ ref }) => written.has(keyOf(ref)));
  const counts = countDone(plan, result, { before, drift, moved: movedBy(result, versions) });
  return { kind: 'ran', plan, result, counts, drift, takenOver };
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

/** Resource versions of what is about to be written: afterwards the watches show what we wrote. */
function versionsBefore({ steps }: Plan, inventory: Inventory, observed: Observed): ReadonlySet<string> {
  const keys = steps.flatMap(({ changes }) => changes.map(({ key }) => key));
  const versionsOf = (key: ObjectKey) => [observed(key)?.resourceVersion, inventory.get(key)?.baseline?.resourceVersion];
  return new Set(keys.flatMap((key) => versionsOf(key).map((version) => `${key} ${version}`)));
}

/** The objects that a sync really wrote: an apply that changes nothing leaves the resource version as it is. */
function movedBy({ written }: ApplyResult, versions: ReadonlySet<string>): ReadonlySet<ObjectKey> {
  const moved = written.filter(({ change, baseline }) => !versions.has(`${change.key} ${baseline.resourceVersion}`));
  return new Set(moved.map(({ change }) => change.key));
}

interface Done {
  readonly before: ReadonlyMap<ObjectKey, SuspectBefore>;
  readonly drift: readonly Drift[];
  readonly moved: ReadonlySet<ObjectKey>;
}

/** What was carried out; what an apply left as it was, and a suspect that was no drift after all, is unchanged. */
function countDone(plan: Plan, result: ApplyResult, { before, drift, moved }: Done): ActionCounts {
  const done = new Set([...result.pruned, ...result.written.map(({ change }) => change.key)]);
  const drifted = new Set(drift.map(({ ref }) => keyOf(ref)));
  const counts = { ...countActions([]) };
  for (const { action, key } of plan.changes) {
    const isWrite = action === 'create' || action === 'update';
    const isNoDrift = before.get(key)?.declaredAnew === false && !drifted.has(key);
    const isAsBefore = done.has(key) && !moved.has(key) && !drifted.has(key);
    if (isWrite && (isNoDrift || isAsBefore)) counts.unchanged += 1;
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
    const more = moreObjects(objects.length);
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
