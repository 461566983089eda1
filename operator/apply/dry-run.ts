// Asks the server what it would refuse, before anything is written. Schemas and policy are checked earlier, in validate/.
import { type FieldConflict, OperatorError } from '../model/error.ts';
import type { Finding } from '../model/finding.ts';
import type { TenantIdentity } from '../model/identity.ts';
import { isJsonObject, type JsonObject } from '../model/json.ts';
import { type Manifest, positionOf } from '../model/manifest.ts';
import { compareRefs, formatRef, groupOf, type ObjectKey } from '../model/object-ref.ts';
import { inFlight } from './in-flight.ts';
import type { ObjectWriter } from './ports.ts';

/** What a dry run needs. */
export interface DryRunRequest {
  readonly manifests: readonly Manifest[];
  readonly writer: ObjectWriter;
  readonly identity: TenantIdentity;
  /** Objects that cannot be asked about yet: their kind or namespace comes with the same sync. See {@link deferredKeys}. */
  readonly deferred: ReadonlySet<ObjectKey>;
  /** Told of the object as it would be; one that has no resource version does not exist yet. */
  readonly onAnswer?: (manifest: Manifest, answer: JsonObject) => void;
  /** @default 24 */
  readonly concurrency?: number;
}

/** What a dry run found out. */
export interface DryRunResult {
  /** What the server would refuse, one finding per object, in order of the objects. */
  readonly findings: readonly Finding[];
  /** Declared fields that other managers hold with other values. */
  readonly conflicts: ReadonlyMap<ObjectKey, readonly FieldConflict[]>;
}

/**
 * Asks about objects.
 * Guarantees: fields of other managers are asked about without force first, so that they are known; an object that only force could write is
 * asked about with force too.
 * Throws OperatorError when the server could not be asked: then nothing is known about the objects.
 */
export async function dryRunManifests(request: DryRunRequest, signal: AbortSignal): Promise<DryRunResult> {
  const findings: Finding[] = [];
  const conflicts = new Map<ObjectKey, readonly FieldConflict[]>();
  const asked = request.manifests.filter((manifest) => !request.deferred.has(manifest.key));
  await inFlight(
    asked,
    request.concurrency ?? 24,
    () => !signal.aborted,
    async (manifest) => {
      try {
        const answer = await askAbout(request, manifest, conflicts, signal);
        request.onAnswer?.(manifest, answer);
      } catch (error) {
        findings.push(findingOf(manifest, error));
      }
    },
  );
  signal.throwIfAborted();
  findings.sort((left, right) => (left.object === undefined || right.object === undefined ? 0 : compareRefs(left.object, right.object)));
  return { findings, conflicts };
}

/** The object as it would be. Fields that would have to be taken from others are noted. */
async function askAbout(
  { writer, identity }: DryRunRequest,
  { key, object }: Manifest,
  conflicts: Map<ObjectKey, readonly FieldConflict[]>,
  signal: AbortSignal,
): Promise<JsonObject> {
  try {
    return await writer.apply(identity, object, { dryRun: true, force: false }, signal);
  } catch (error) {
    if (!(error instanceof OperatorError) || error.conflicts.length === 0) throw error;
    conflicts.set(key, error.conflicts);
    return writer.apply(identity, object, { dryRun: true, force: true }, signal);
  }
}

/** Refusals of the object itself are findings; that the server could not answer is not the author's mistake and is thrown. */
function findingOf(manifest: Manifest, error: unknown): Finding {
  if (!(error instanceof OperatorError)) throw error;
  const position = positionOf(manifest.origin);
  const about = {
    message: error.message.replace(`dry-run ${formatRef(manifest.ref)}: `, ''),
    object: manifest.ref,
    constructPath: manifest.origin.constructPath,
    frames: manifest.origin.frames,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...(position === undefined ? {} : { position }),
  };
  switch (error.code) {
    case 'Forbidden':
      return { code: 'NoPermission', severity: 'error', ...about };
    case 'ApplyRefused':
    case 'AdmissionDenied':
    case 'ApplyConflict':
      return { code: 'ServerRefused', severity: 'error', ...about };
    case 'AdmissionUnavailable':
      // A webhook that cannot be dry-run says nothing about the object; it is asked at the apply.
      if (error.fate === 'terminal') return { code: 'ServerRefused', severity: 'warning', ...about };
      throw error;
    default:
      throw error;
  }
}

/**
 * Keys of the objects whose kind or namespace only comes with this sync.
 * `exists` tells whether an object is in the cluster already; a CustomResourceDefinition that changes defers its objects too.
 */
export function deferredKeys(manifests: readonly Manifest[], exists: (key: ObjectKey) => boolean): ReadonlySet<ObjectKey> {
  const namespaces = new Set(
    manifests.filter(({ ref, key }) => ref.kind === 'Namespace' && ref.apiVersion === 'v1' && !exists(key)).map(({ ref }) => ref.name),
  );
  const kinds = new Set(
    manifests.filter(({ ref }) => ref.kind === 'CustomResourceDefinition').map(({ object }) => definedKind(object['spec'])),
  );
  return new Set(
    manifests
      .filter(({ ref }) => namespaces.has(ref.namespace) || kinds.has(`${groupOf(ref.apiVersion)}|${ref.kind}`))
      .map(({ key }) => key),
  );
}

function definedKind(spec: unknown): string {
  if (!isJsonObject(spec) || !isJsonObject(spec['names'])) return '';
  return `${String(spec['group'])}|${String(spec['names']['kind'])}`;
}
