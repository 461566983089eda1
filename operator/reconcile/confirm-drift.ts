// Suspicion → drift: what the server's answer to an apply, or to its dry run, says about it. Attribution is in observe/.

import type { ApplyResult } from '../apply/apply-plan.ts';
import { baselineOf } from '../apply/baseline.ts';
import { tenantIdentity } from '../model/identity.ts';
import { type IgnoreRule, rulesFor } from '../model/ignore-rules.ts';
import type { InventoryEntry } from '../model/inventory.ts';
import { isJsonObject, type JsonObject } from '../model/json.ts';
import type { Manifest } from '../model/manifest.ts';
import type { ObjectKey } from '../model/object-ref.ts';
import type { Baseline, Drift, ManagedFields, ObservedObject } from '../model/observed.ts';
import { fieldsHash, ownEntry, parseManagedFields } from '../model/own-fields.ts';
import { isOlderVersion } from '../model/resource-version.ts';
import { changedOwnPaths, type DriftEvidence, describeDeletion, describeDrift } from '../observe/describe-drift.ts';
import type { Look } from './look.ts';
import type { Observed } from './read-observed.ts';
import { writerOf } from './writer-of.ts';

/** A suspect as it was before it was healed. */
export interface SuspectBefore {
  readonly drifted: ObservedObject | undefined;
  /** Git declares it otherwise than it was applied last, so an apply changes it without any drift. */
  readonly declaredAnew: boolean;
  /** The whole object, read only where its metadata cannot tell which fields changed. */
  readonly object: JsonObject | undefined;
}

/** What must be known of suspects before they are written over. */
export async function readBefore(
  look: Look,
  suspects: readonly Manifest[],
  observed: Observed,
): Promise<ReadonlyMap<ObjectKey, SuspectBefore>> {
  const entries = suspects.map(async (manifest) => {
    const { key, ref } = manifest;
    const drifted = observed(key);
    const declaredAnew = isDeclaredAnew(look, manifest);
    const baseline = look.memory.inventory?.get(key)?.baseline;
    const tellsItself = drifted === undefined || declaredAnew || wasTaken(drifted, baseline);
    const object = tellsItself ? undefined : await look.parts.writer.read(identityOf(look), ref, look.signal);
    return [key, { drifted, declaredAnew, object }] as const;
  });
  return new Map(await Promise.all(entries));
}

/** Whether Git declares an object otherwise than it was applied last. */
export function isDeclaredAnew({ memory }: Look, { key, digest }: Manifest): boolean {
  return memory.inventory?.get(key)?.digest !== digest;
}

/** Whether our entry is another than we left. What the watch showed before our last apply says nothing about that. */
function wasTaken(drifted: ObservedObject, baseline: Baseline | undefined): boolean {
  if (baseline !== undefined && isOlderVersion(drifted.resourceVersion, baseline.resourceVersion)) return false;
  return fieldsHash(ownEntry(drifted.managedFields)) !== baseline?.fieldsHash;
}

/**
 * The suspects in which an apply really changed something of ours. A server-side apply that changes nothing writes nothing; but the answer
 * is newer than what was seen before also when a controller wrote meanwhile, so only a field that differs makes it drift.
 */
export function healedDrift(
  result: ApplyResult,
  before: ReadonlyMap<ObjectKey, SuspectBefore>,
  seenAt: Date,
  rules: readonly IgnoreRule[] = [],
): readonly Drift[] {
  return result.written.flatMap(({ change, live, baseline }) => {
    const suspect = before.get(change.key);
    if (suspect === undefined) return [];
    const { drifted, declaredAnew, object } = suspect;
    if (drifted === undefined || drifted.uid !== baseline.uid) return [describeDeletion(change.ref, true, seenAt)];
    if ([drifted.resourceVersion, object && baselineOf(object).resourceVersion].includes(baseline.resourceVersion)) return [];
    // What was read is newer than what the watch showed.
    const seen = object === undefined ? drifted : { ...drifted, managedFields: managedFieldsOf(object) };
    const ignored = { rules: rulesFor(rules, change.ref), declared: change.manifest.object };
    const evidence = { drifted: seen, restored: live, healed: true, seenAt, ignored };
    const drift = describeDrift(object === undefined ? evidence : { ...evidence, before: object });
    // What a commit changes cannot be told from drift but by another who holds it.
    return drift.fields.length === 0 || (declaredAnew && drift.manager === 'unknown') ? [] : [drift];
  });
}

/** Suspects judged without healing: the drift that is confirmed, and new baselines of those that are as they should be. */
export interface Confirmation {
  readonly drift: readonly Drift[];
  readonly drifted: ReadonlySet<ObjectKey>;
  readonly cleared: readonly InventoryEntry[];
}

/** Judges suspects by dry run: nothing is written. Throws OperatorError. */
export async function confirmByDryRun(look: Look, suspects: readonly Manifest[], observed: Observed): Promise<Confirmation> {
  const judged = await Promise.all(suspects.map((manifest) => judgeByDryRun(look, manifest, observed(manifest.key))));
  return {
    drift: judged.flatMap(({ drift }) => drift ?? []),
    drifted: new Set(judged.filter(({ drift }) => drift !== undefined).map(({ key }) => key)),
    cleared: judged.flatMap(({ cleared }) => cleared ?? []),
  };
}

interface Judged {
  readonly key: ObjectKey;
  readonly drift?: Drift;
  readonly cleared?: InventoryEntry;
}

async function judgeByDryRun(look: Look, manifest: Manifest, drifted: ObservedObject | undefined): Promise<Judged> {
  const { parts, signal, memory } = look;
  const { key, ref } = manifest;
  const seenAt = parts.clock.now();
  const entry = memory.inventory?.get(key);
  const before = drifted === undefined ? undefined : await parts.writer.read(identityOf(look), ref, signal);
  if (drifted === undefined || before === undefined) return { key, drift: describeDeletion(ref, false, seenAt) };
  const restored = await writerOf(look).apply(identityOf(look), manifest.object, { dryRun: true, force: true }, signal);
  const baseline = baselineOf(before);
  const ignored = { rules: rulesFor(look.application.spec.sync.ignoreDifferences, ref), declared: manifest.object };
  const evidence = { drifted, restored, before, healed: false, seenAt, ignored };
  if (entry?.uid !== baseline.uid) return { key, drift: describeReplaced(evidence) };
  const drift = changedOwnPaths(before, restored).length === 0 ? undefined : describeDrift(evidence);
  if (drift !== undefined && drift.fields.length > 0) return { key, drift };
  return { key, cleared: { ...entry, baseline } };
}

/** Another object under the same name: it differs in fields, or at least what was applied is gone. */
function describeReplaced(evidence: DriftEvidence): Drift {
  const drift = describeDrift(evidence);
  return drift.fields.length > 0 ? drift : describeDeletion(drift.ref, evidence.healed, evidence.seenAt);
}

function managedFieldsOf(object: JsonObject): readonly ManagedFields[] {
  const metadata = isJsonObject(object['metadata']) ? object['metadata'] : {};
  return parseManagedFields(metadata['managedFields']);
}

function identityOf({ application }: Look): ReturnType<typeof tenantIdentity> {
  return tenantIdentity(application.namespace, application.spec.serviceAccountName);
}
