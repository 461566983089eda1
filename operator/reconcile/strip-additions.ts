// Takes away what others added where nothing may be added: each removal is one JSON patch as the Application's ServiceAccount, of exactly these fields.
import { removalPatch } from '../apply/removal-patch.ts';
import { OperatorError, toOperatorError } from '../model/error.ts';
import { tenantIdentity } from '../model/identity.ts';
import { isJsonObject, type JsonObject } from '../model/json.ts';
import type { Manifest } from '../model/manifest.ts';
import type { ObjectKey } from '../model/object-ref.ts';
import type { Drift, ObservedObject } from '../model/observed.ts';
import type { ObjectFailure } from '../model/outcome.ts';
import { parseManagedFields } from '../model/own-fields.ts';
import { type Addition, findAdditions } from '../observe/find-additions.ts';
import { additionsAsDrift, judgeAdditions } from '../observe/judge-additions.ts';
import { additionsIn } from './extra-fields.ts';
import type { Look } from './look.ts';
import type { Observed } from './read-observed.ts';

/** What came of stripping. */
export interface Stripped {
  readonly drift: readonly Drift[];
  readonly failures: readonly ObjectFailure[];
}

/** How often an object is read again because it changed between read and patch. */
const attempts = 5;

/** Owned objects that hold additions which are not tolerated, as the watches show them. */
export function findUnwanted(look: Look, manifests: readonly Manifest[], observed: Observed): ReadonlyMap<ObjectKey, readonly Addition[]> {
  const unwanted = new Map<ObjectKey, readonly Addition[]>();
  const added = additionsIn(look);
  if (added.size === 0) return unwanted;
  for (const manifest of manifests) {
    const live = added.has(manifest.key) ? observed(manifest.key) : undefined;
    if (live === undefined || look.memory.inventory?.get(manifest.key)?.uid !== live.uid) continue;
    const found = unwantedOf(look, manifest, live);
    if (found.length > 0) unwanted.set(manifest.key, found);
  }
  return unwanted;
}

function unwantedOf({ application }: Look, { ref, object }: Manifest, live: Pick<ObservedObject, 'managedFields'>): readonly Addition[] {
  const additions = findAdditions(live);
  return additions.length === 0
    ? additions
    : judgeAdditions(additions, { ref, managedFields: live.managedFields }, object, application.spec.sync).unwanted;
}

/** Removes unwanted additions. Never throws for an object that could not be written: that is in `failures`. */
export async function stripAdditions(look: Look, manifests: readonly Manifest[]): Promise<Stripped> {
  const { memory } = look;
  for (const { key } of manifests) memory.inFlight.add(key);
  try {
    const results = await Promise.all(manifests.map((manifest) => stripObject(look, manifest)));
    return { drift: results.flatMap(({ drift }) => drift), failures: results.flatMap(({ failures }) => failures) };
  } finally {
    for (const { key } of manifests) memory.inFlight.delete(key);
  }
}

async function stripObject(look: Look, manifest: Manifest): Promise<Stripped> {
  const { application, parts, signal } = look;
  const { ref } = manifest;
  const identity = tenantIdentity(application.namespace, application.spec.serviceAccountName);
  for (let attempt = 1; ; attempt += 1) {
    try {
      const live = await parts.writer.read(identity, ref, signal);
      const additions = live === undefined ? [] : unwantedOf(look, manifest, { managedFields: managedFieldsOf(live) });
      const operations = removalPatch(
        live ?? {},
        additions.map(({ path }) => path),
      );
      if (operations.length === 0) return { drift: [], failures: [] };
      await parts.writer.patch(identity, ref, operations, signal);
      return { drift: additionsAsDrift(ref, additions, true, look.startedAt), failures: [] };
    } catch (error) {
      signal.throwIfAborted();
      const hasChanged = error instanceof OperatorError && error.code === 'ApplyConflict' && error.fate === 'transient';
      if (!hasChanged || attempt === attempts) return { drift: [], failures: [{ ref, error: toOperatorError(error, 'apply') }] };
    }
  }
}

function managedFieldsOf(object: JsonObject): ObservedObject['managedFields'] {
  const metadata = isJsonObject(object['metadata']) ? object['metadata'] : {};
  return parseManagedFields(metadata['managedFields']);
}
