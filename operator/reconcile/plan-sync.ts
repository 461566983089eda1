// What a sync will do: the plan, made after the server was asked what it would refuse of what changed in Git. Nothing is written here.
import { baselineOf } from '../apply/baseline.ts';
import { type DryRunResult, deferredKeys, dryRunManifests } from '../apply/dry-run.ts';
import { conflictHint, type FieldConflict, formatConflicts, OperatorError } from '../model/error.ts';
import type { Finding } from '../model/finding.ts';
import { tenantIdentity } from '../model/identity.ts';
import type { JsonObject } from '../model/json.ts';
import type { Manifest } from '../model/manifest.ts';
import { formatRef, moreObjects, type ObjectKey, type ObjectRef } from '../model/object-ref.ts';
import type { TakenOver } from '../model/outcome.ts';
import type { Plan, WriteChange } from '../model/plan.ts';
import { claimedFields } from '../observe/claimed-fields.ts';
import { planChanges } from '../plan/plan-changes.ts';
import type { PlanRequest } from '../plan/ports.ts';
import { isDeclaredAnew } from './confirm-drift.ts';
import type { Look } from './look.ts';
import { nameMissingAccount, nameMissingNamespaces } from './missing-namespaces.ts';
import { ownershipConflict, readOwnership } from './ownership.ts';
import { type Observed, withFetched } from './read-observed.ts';
import type { SyncScope } from './sync-objects.ts';
import { writerOf } from './writer-of.ts';

/** What is known of the cluster before planning. */
export interface Seen {
  readonly observed: Observed;
  /** API groups that do not answer. */
  readonly failedGroups: ReadonlySet<string>;
  /** Objects to be written although Git did not change. */
  readonly suspects: ReadonlySet<ObjectKey>;
}

/** A plan, and what was found out on the way to it. */
export interface Planned {
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
export async function planSync(look: Look, scope: SyncScope, seen: Seen): Promise<Planned> {
  const { conflicts: policy } = look.application.spec.sync;
  const request = await planRequest(look, scope, seen);
  const first = planChanges(request);
  const deferred = deferredKeys(scope.desired, (key) => seen.observed(key) !== undefined);
  const declaredAnew = first.steps
    .flatMap((step) => step.changes)
    .flatMap((change) => (change.action === 'prune' || !isDeclaredAnew(look, change.manifest) ? [] : [change]));
  const { findings, conflicts, existing } = await dryRun(look, declaredAnew, deferred);
  const observed = await withFetched(seen.observed, existing, look.parts.observer);
  const again = existing.length === 0 ? request : await planRequest(look, scope, { ...seen, observed });
  const heldFields: DryRunResult['conflicts'] = policy === 'Fail' ? claimedAnew(look, conflicts, observed) : new Map();
  const plan = again === request && heldFields.size === 0 ? first : planChanges({ ...again, heldFields });
  const isDrift = ({ key }: WriteChange): boolean => conflicts.has(key) && !heldFields.has(key);
  const unforced = new Set(policy === 'Fail' ? declaredAnew.filter((change) => !isDrift(change)).map(({ key }) => key) : []);
  const takenOver = declaredAnew.flatMap(({ key, ref }) => {
    const fields = heldFields.has(key) ? undefined : conflicts.get(key);
    return fields === undefined ? [] : [{ ref, fields }];
  });
  return { plan, findings, observed, deferred, unforced, takenOver };
}

async function planRequest(look: Look, scope: SyncScope, seen: Seen): Promise<PlanRequest> {
  const { application, memory } = look;
  const { prune, selfHeal } = application.spec.sync;
  const keys = new Set([...scope.desired.map(({ key }) => key), ...scope.inventory.keys()]);
  return {
    desired: scope.desired,
    inventory: scope.inventory,
    ...seen,
    policy: { prune: prune && !memory.isRebuilt, selfHeal },
    owner: application,
    ...(await readOwnership(look, keys, seen.observed)),
  };
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
  const named = await nameMissingAccount(await nameMissingNamespaces(findings, parts.observer), look);
  return { findings: named, conflicts, existing };
}

/** The conflicts that `Fail` is about: fields that were ours and that somebody took are drift, which this apply undoes. */
function claimedAnew({ memory }: Look, conflicts: DryRunResult['conflicts'], observed: Observed): DryRunResult['conflicts'] {
  const claimed = new Map<ObjectKey, readonly FieldConflict[]>();
  for (const [key, all] of conflicts) {
    const entry = memory.inventory?.get(key);
    const live = observed(key);
    const last = memory.accepted?.byKey.get(key);
    const fields = claimedFields(all, {
      live: live?.uid === entry?.uid ? live : undefined,
      baseline: entry?.baseline,
      applied: last !== undefined && last.digest === entry?.digest ? last.object : undefined,
    });
    if (fields.length > 0) claimed.set(key, fields);
  }
  return claimed;
}

/** Namespaces and CustomResourceDefinitions on which no watch says anything. */
export function unseenContainers(desired: readonly Manifest[], observed: Observed): readonly ObjectRef[] {
  const kinds = new Set(['Namespace', 'CustomResourceDefinition']);
  return desired.filter(({ ref, key }) => kinds.has(ref.kind) && observed(key) === undefined).map(({ ref }) => ref);
}

/** What a plan leaves to other Applications, as one error; undefined when there is nothing. */
export function conflictError(plan: Plan): OperatorError | undefined {
  const conflicts = plan.changes.filter((change) => change.action === 'conflict');
  const [first] = conflicts;
  if (first === undefined) return undefined;
  const more = moreObjects(conflicts.length);
  if (first.fields !== undefined) {
    return new OperatorError(`apply ${formatRef(first.ref)}: ${formatConflicts(first.fields)}${more}`, {
      ...{ code: 'ApplyConflict', stage: 'apply', fate: 'transient', hint: conflictHint, conflicts: first.fields },
    });
  }
  return ownershipConflict(first.ref, first.owner, more);
}
