// What the next sync of an Application would do, found out as the operator would: the same stages on the same state, with dry runs in the place of writes.
import path from 'node:path';
import { trackingLabelValue } from '../../constructs/annotations.ts';
import type { Application } from '../model/application.ts';
import type { Clock } from '../model/clock.ts';
import { type FieldConflict, OperatorError } from '../model/error.ts';
import { type FieldPath, formatFieldPath } from '../model/field-set.ts';
import { type Finding, hasErrors } from '../model/finding.ts';
import { digestUnder, type IgnoreRule, ignoredPaths, rulesFor } from '../model/ignore-rules.ts';
import type { Inventory } from '../model/inventory.ts';
import type { JsonObject } from '../model/json.ts';
import { type KubeObject, type Manifest, positionOf, type SynthesizedObject } from '../model/manifest.ts';
import { keyOf, type ObjectKey, type ObjectRef } from '../model/object-ref.ts';
import type { Baseline, ManagedFields, ObservedObject } from '../model/observed.ts';
import type { Change, Plan } from '../model/plan.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { Preview } from '../plan/describe-plan.ts';
import { fieldChanges } from '../plan/field-changes.ts';
import { guardPlan } from '../plan/guard-plan.ts';
import { planChanges } from '../plan/plan-changes.ts';
import type { PlanRequest } from '../plan/ports.ts';
import { valueAt } from '../plan/removed-fields.ts';
import type { SourceSpec } from '../source/ports.ts';
import { createSourcePool } from '../source/source-pool.ts';
import type { Synthesizer } from '../synth/ports.ts';
import { createValidator } from '../validate/create-validator.ts';
import { inLanes } from './in-lanes.ts';
import type { PreviewCluster, PreviewIdentity } from './preview-cluster.ts';
import { compareObject, type WriteManner } from './preview-object.ts';
import { openSnapshot } from './synthesize-folder.ts';
import { kindsOf } from './validate-objects.ts';

/** Decisions of other stages that a preview shares with the operator. */
export interface PreviewStages {
  /** What an Application asks of the source stage. */
  readonly sourceOf: (application: Application, secrets: PreviewIdentity['secrets']) => SourceSpec;
  /** Whether live metadata may differ from what was applied; `same` when it does not. */
  readonly judgeTrigger: (baseline: Baseline, observed: ObservedObject | undefined) => string;
  /** Objects that cannot be dry-run because their kind or namespace comes with the same sync. */
  readonly deferredKeys: (manifests: readonly Manifest[], exists: (key: ObjectKey) => boolean) => ReadonlySet<ObjectKey>;
  /** Of the fields that others hold, those that a commit only begins to declare. */
  readonly claimedFields: (
    conflicts: readonly FieldConflict[],
    last: { readonly live: ObservedObject | undefined; readonly baseline: Baseline | undefined; readonly applied: undefined },
  ) => readonly FieldConflict[];
  /** What is applied of an object of which others decide some fields. */
  readonly keepLive: (declared: KubeObject, live: JsonObject, rules: readonly IgnoreRule[]) => KubeObject;
  /** Ownership entries of an object that was adopted; undefined when there is nothing to take over. */
  readonly takeOverFields: NonNullable<WriteManner['takeOver']>;
  /** What others added to an object and is not tolerated. */
  readonly unwantedFields: (
    manifest: Manifest,
    entries: readonly ManagedFields[],
    policy: Application['spec']['sync'],
  ) => readonly FieldPath[];
  readonly clock: Clock;
}

/** What a preview works with. */
export interface PreviewRequest {
  readonly cluster: PreviewCluster;
  readonly application: Application;
  readonly stages: PreviewStages;
  readonly openSynthesizer: () => Promise<Synthesizer>;
  /** Another branch, tag or commit than the Application's. */
  readonly revision?: string;
  /** A local checkout in the place of the repository. */
  readonly dir?: string;
  readonly signal: AbortSignal;
}

/** What the next sync would do. */
export interface ApplicationPreview {
  readonly snapshot: Snapshot;
  readonly identity: string;
  /** Errors among them: the commit would be refused. */
  readonly findings: readonly Finding[];
  /** Undefined when the commit is refused before it can be planned. */
  readonly planned?: PlannedSync;
}

/** A plan and what it was made from. */
export interface PlannedSync {
  readonly plan: Plan;
  readonly desired: readonly Manifest[];
  readonly inventory: Inventory;
  readonly previews: ReadonlyMap<ObjectKey, Preview>;
  /** Fields that are left to others. */
  readonly ignored: ReadonlyMap<ObjectKey, readonly string[]>;
  /** Why the plan would be held back. */
  readonly held?: OperatorError;
}

/** Fetches, synthesizes, validates, compares and plans. Throws OperatorError; an author's mistakes are findings. */
export async function previewApplication(request: PreviewRequest): Promise<ApplicationPreview> {
  const { cluster, application } = request;
  const identity = await cluster.identityFor(application);
  const { snapshot, folder } = await readCommit(request, identity);
  const synthesized = await synthesize(request, snapshot, folder);
  const known = { snapshot, identity: identity.name };
  if (hasErrors(synthesized.findings)) return { ...known, findings: synthesized.findings };
  const validated = await validate(request, synthesized.objects);
  const findings = [...synthesized.findings, ...validated.findings];
  if (hasErrors(findings)) return { ...known, findings };
  const planned = await planSync(request, identity, validated.manifests);
  return { ...known, findings: [...findings, ...refusals(planned)], planned };
}

/** The commit, and the app's folder in it. */
async function readCommit(
  { application, stages, cluster, revision, dir, signal }: PreviewRequest,
  identity: PreviewIdentity,
): Promise<{ readonly snapshot: Snapshot; readonly folder: string }> {
  const { source } = application.spec;
  if (dir !== undefined) {
    const local = await openSnapshot(path.join(dir, source.path), revision);
    return { snapshot: local.snapshot, folder: local.path };
  }
  const { hostname } = cluster.connection.server;
  // A control plane on this machine has its Git server here as well; any other Application has no business with this machine.
  const loopback = /^(127\.|localhost$|\[::1\]$)/.test(hostname);
  const pool = createSourcePool({ clock: stages.clock, network: { addresses: { loopback } } });
  try {
    const spec = { ...stages.sourceOf(application, identity.secrets), ...(revision === undefined ? {} : { ref: revision }) };
    return { snapshot: await pool.snapshot(spec, signal), folder: source.path };
  } catch (error) {
    if (!(error instanceof OperatorError) || error.code === 'RefNotFound') throw error;
    const { code, stage, fate, cause, message } = error;
    const hint = `${error.hint === undefined ? '' : `${error.hint}; `}with a checkout of the repository on this machine: --dir DIR`;
    throw new OperatorError(message, { code, stage, fate, cause, hint });
  } finally {
    await pool.close();
  }
}

async function synthesize(
  { application, openSynthesizer, signal }: PreviewRequest,
  snapshot: Snapshot,
  folder: string,
): Promise<{ readonly objects: readonly SynthesizedObject[]; readonly findings: readonly Finding[] }> {
  const { entry, inputs } = application.spec.source;
  const synthesizer = await openSynthesizer();
  try {
    const request = { snapshot, path: folder, ...(entry === undefined ? {} : { entry }), ...(inputs === undefined ? {} : { inputs }) };
    return await synthesizer.synthesize(request, signal);
  } finally {
    await synthesizer.close();
  }
}

async function validate(
  { application, cluster }: PreviewRequest,
  objects: readonly SynthesizedObject[],
): Promise<{ readonly manifests: readonly Manifest[]; readonly findings: readonly Finding[] }> {
  const catalog = await cluster.catalog(kindsOf(objects));
  const destinationNamespace = application.spec.destination?.namespace ?? application.namespace;
  const { manifests, findings } = createValidator().validate({ objects, catalog, application, destinationNamespace });
  const { ignoreDifferences } = application.spec.sync;
  const digested = manifests.map((manifest): Manifest => {
    return { ...manifest, digest: digestUnder(manifest.digest, rulesFor(ignoreDifferences, manifest.ref)) };
  });
  return { manifests: digested, findings };
}

async function planSync(request: PreviewRequest, identity: PreviewIdentity, desired: readonly Manifest[]): Promise<PlannedSync> {
  const { application, cluster, stages } = request;
  const { sync } = application.spec;
  const inventory = await cluster.inventory(application);
  const live = await observeAll(request, desired, inventory);
  const observed = (key: ObjectKey): ObservedObject | undefined => live.get(key);
  const planning = { desired, inventory, observed, policy: { prune: sync.prune, selfHeal: sync.selfHeal }, owner: application };
  const suspects = new Set([
    ...[...inventory].flatMap(([key, { baseline }]) =>
      baseline !== undefined && stages.judgeTrigger(baseline, observed(key)) !== 'same' ? [key] : [],
    ),
    ...unwantedIn(request, desired, { ...planning, suspects: new Set() }),
  ]);
  const previews = await comparePlan(
    { identity, deferred: stages.deferredKeys(desired, (key) => live.has(key)), mannerOf: mannersOf(request, inventory) },
    planChanges({ ...planning, suspects }),
    desired,
  );
  const plan = planChanges({
    ...planning,
    // Without self-heal only a confirmed difference is drift; it is never written, so that the steps are the same either way.
    suspects: sync.selfHeal ? suspects : confirmed(suspects, previews),
    heldFields: heldFieldsIn(request, previews, inventory, observed),
  });
  const held = guardPlan({ plan, desired: desired.length, owned: inventory.size, policy: sync });
  const ignored = ignoredIn(request, desired, observed);
  return { plan, desired, inventory, previews, ignored, ...(held === undefined ? {} : { held }) };
}

/** Live metadata of what is declared and of what is owned. What exists without the label is found too: the operator adopts it. */
async function observeAll(
  { cluster, application }: PreviewRequest,
  desired: readonly Manifest[],
  inventory: Inventory,
): Promise<ReadonlyMap<ObjectKey, ObservedObject>> {
  const refs = new Map<ObjectKey, ObjectRef>([
    ...desired.map(({ key, ref }): [ObjectKey, ObjectRef] => [key, ref]),
    ...[...inventory.values()].map(({ ref }): [ObjectKey, ObjectRef] => [keyOf(ref), ref]),
  ]);
  return cluster.observeAll([...refs.values()], trackingLabelValue(application));
}

interface Comparison {
  readonly identity: PreviewIdentity;
  readonly deferred: ReadonlySet<ObjectKey>;
  readonly mannerOf: (change: Change, manifest: Manifest) => WriteManner;
}

/** What the server would make of every object that is written or differs. What is pruned is read as it is. */
async function comparePlan(
  { identity, deferred, mannerOf }: Comparison,
  plan: Plan,
  desired: readonly Manifest[],
): Promise<ReadonlyMap<ObjectKey, Preview>> {
  const manifests = new Map(desired.map((manifest) => [manifest.key, manifest]));
  const previews = new Map<ObjectKey, Preview>();
  await inLanes(plan.changes.filter(isShown), async (change) => {
    if (change.action === 'prune') {
      previews.set(change.key, { kind: 'compared', before: await identity.read(change.ref), after: undefined });
      return;
    }
    const manifest = manifests.get(change.key);
    if (manifest === undefined) return;
    const manner = mannerOf(change, manifest);
    if (change.action === 'skip') {
      const preview = await compareObject(identity, manifest, manner).catch(ignoreOperatorError);
      if (preview?.kind === 'compared') previews.set(change.key, preview);
    } else previews.set(change.key, await compareObject(identity, manifest, { ...manner, isDeferred: deferred.has(change.key) }));
  });
  return previews;
}

/** How the operator would write each object. */
function mannersOf({ application, stages }: PreviewRequest, inventory: Inventory): Comparison['mannerOf'] {
  const { sync } = application.spec;
  return (change, manifest) => {
    const entry = inventory.get(manifest.key);
    const isAdopted = change.action === 'update' && change.adoptedFrom !== undefined;
    return {
      asksFirst: entry?.digest !== manifest.digest,
      applied: (live) => stages.keepLive(manifest.object, live, rulesFor(sync.ignoreDifferences, manifest.ref)),
      ...(isAdopted ? { takeOver: stages.takeOverFields } : {}),
      ...(isAdopted || entry === undefined ? {} : { stripped: (entries) => stages.unwantedFields(manifest, entries, sync) }),
    };
  };
}

/** Objects of ours to which somebody added what is not tolerated. */
function unwantedIn({ application, stages }: PreviewRequest, desired: readonly Manifest[], planning: PlanRequest): readonly ObjectKey[] {
  return desired.flatMap((manifest) => {
    const live = planning.observed(manifest.key);
    if (live === undefined || planning.inventory.get(manifest.key)?.uid !== live.uid) return [];
    return stages.unwantedFields(manifest, live.managedFields, application.spec.sync).length === 0 ? [] : [manifest.key];
  });
}

/** Fields that are taken from nobody, where the Application says so. */
function heldFieldsIn(
  { application, stages }: PreviewRequest,
  previews: ReadonlyMap<ObjectKey, Preview>,
  inventory: Inventory,
  observed: PlanRequest['observed'],
): PlanRequest['heldFields'] & {} {
  if (application.spec.sync.conflicts !== 'Fail') return new Map();
  return new Map(
    [...previews].flatMap(([key, preview]) => {
      if (preview.kind !== 'compared' || preview.conflicts === undefined) return [];
      const entry = inventory.get(key);
      const live = observed(key);
      // What was applied last is known to the operator alone: without it the decision is the one after its restart.
      const last = { live: live?.uid === entry?.uid ? live : undefined, baseline: entry?.baseline, applied: undefined };
      const fields = stages.claimedFields(preview.conflicts, last);
      return fields.length === 0 ? [] : [[key, fields] as const];
    }),
  );
}

/** Fields that rules leave to others, of each object that is there: those that Git declares or somebody holds. */
function ignoredIn(
  { application }: PreviewRequest,
  desired: readonly Manifest[],
  observed: PlanRequest['observed'],
): ReadonlyMap<ObjectKey, readonly string[]> {
  const { ignoreDifferences } = application.spec.sync;
  return new Map(
    desired.map(({ key, ref, object }) => {
      const live = observed(key);
      const rules = rulesFor(ignoreDifferences, ref);
      const named = live === undefined || rules.length === 0 ? [] : ignoredPaths(rules, object, live.managedFields);
      return [key, [...new Set(named.filter((path) => valueAt(object, path) !== undefined).map(formatFieldPath))].sort()] as const;
    }),
  );
}

/** What is left alone is shown with its difference where there is one to show. */
function ignoreOperatorError(error: unknown): undefined {
  if (!(error instanceof OperatorError)) throw error;
}

function isShown({ action }: Change): boolean {
  return action === 'create' || action === 'update' || action === 'prune' || action === 'skip';
}

function confirmed(suspects: ReadonlySet<ObjectKey>, previews: ReadonlyMap<ObjectKey, Preview>): ReadonlySet<ObjectKey> {
  const differs = (key: ObjectKey): boolean => {
    const preview = previews.get(key);
    if (preview?.kind !== 'compared' || preview.before === undefined || preview.after === undefined) return true;
    return fieldChanges(preview.before, preview.after).length > 0;
  };
  return new Set([...suspects].filter(differs));
}

/** What the server refuses keeps the commit from being applied. */
function refusals({ desired, previews }: PlannedSync): readonly Finding[] {
  return desired.flatMap((manifest): Finding[] => {
    const preview = previews.get(manifest.key);
    if (preview?.kind !== 'refused') return [];
    const position = positionOf(manifest.origin);
    const { constructPath, frames } = manifest.origin;
    return [
      {
        ...{ code: 'ServerRefused', severity: 'error', message: preview.message, object: manifest.ref, constructPath, frames },
        ...(position === undefined ? {} : { position }),
      },
    ];
  });
}
