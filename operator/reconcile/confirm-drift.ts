// Suspicion → drift: what the server's answer to an apply, or to its dry run, says about it. Attribution is in observe/.

import type { ApplyResult } from '../apply/apply-plan.ts';
import { baselineOf } from '../apply/baseline.ts';
import { tenantIdentity } from '../model/identity.ts';
import type { InventoryEntry } from '../model/inventory.ts';
import type { JsonObject } from '../model/json.ts';
import type { Manifest } from '../model/manifest.ts';
import type { ObjectKey } from '../model/object-ref.ts';
import type { Drift, ObservedObject } from '../model/observed.ts';
import { fieldsHash, ownEntry } from '../model/own-fields.ts';
import { changedPaths, describeDeletion, describeDrift } from '../observe/describe-drift.ts';
import type { Look } from './look.ts';
import type { Observed } from './read-observed.ts';

/** A suspect as it was before it was healed. */
export interface SuspectBefore {
  readonly drifted: ObservedObject | undefined;
  /** The whole object, read only where its metadata cannot tell which fields changed. */
  readonly object: JsonObject | undefined;
}

/** What must be known of suspects before they are written over. */
export async function readBefore(
  look: Look,
  suspects: readonly Manifest[],
  observed: Observed,
): Promise<ReadonlyMap<ObjectKey, SuspectBefore>> {
  const entries = suspects.map(async ({ key, ref }) => {
    const drifted = observed(key);
    const baseline = look.memory.inventory?.get(key)?.baseline;
    const tellsItself = drifted === undefined || fieldsHash(ownEntry(drifted.managedFields)) !== baseline?.fieldsHash;
    const object = tellsItself ? undefined : await look.parts.writer.read(identityOf(look), ref, look.signal);
    return [key, { drifted, object }] as const;
  });
  return new Map(await Promise.all(entries));
}

/** The suspects that an apply really changed. A server-side apply that changes nothing writes nothing: then it was no drift. */
export function healedDrift(result: ApplyResult, before: ReadonlyMap<ObjectKey, SuspectBefore>, seenAt: Date): readonly Drift[] {
  return result.written.flatMap(({ change, live, baseline }) => {
    const suspect = before.get(change.key);
    if (suspect === undefined) return [];
    const { drifted, object } = suspect;
    if (drifted === undefined || drifted.uid !== baseline.uid) return [describeDeletion(change.ref, true, seenAt)];
    if (drifted.resourceVersion === baseline.resourceVersion) return [];
    const evidence = { drifted, restored: live, healed: true, seenAt };
    return [describeDrift(object === undefined ? evidence : { ...evidence, before: object })];
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
  const restored = await parts.writer.apply(identityOf(look), manifest.object, { dryRun: true, force: true }, signal);
  const baseline = baselineOf(before);
  if (changedPaths(before, restored).length > 0 || entry?.uid !== baseline.uid) {
    return { key, drift: describeDrift({ drifted, restored, before, healed: false, seenAt }) };
  }
  return { key, cleared: { ...entry, baseline } };
}

function identityOf({ application }: Look): ReturnType<typeof tenantIdentity> {
  return tenantIdentity(application.namespace, application.spec.serviceAccountName);
}
