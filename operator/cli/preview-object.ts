// One object before and after a sync, found out by dry runs as one identity. What is removed beyond what a dry run shows is decided in plan/.
import { type FieldConflict, OperatorError } from '../model/error.ts';
import type { FieldPath } from '../model/field-set.ts';
import { canonicalJson, isJsonObject, type JsonObject, type JsonValue } from '../model/json.ts';
import type { KubeObject, Manifest } from '../model/manifest.ts';
import type { ManagedFields } from '../model/observed.ts';
import { formatManagedFields } from '../model/own-fields.ts';
import type { Preview } from '../plan/describe-plan.ts';
import { managedFieldsOf, removedFields, withoutFields } from '../plan/removed-fields.ts';
import type { PreviewIdentity } from './preview-cluster.ts';

/** How the operator would write an object. What is left out is an ordinary apply that takes what it declares. */
export interface WriteManner {
  /** It waits for a kind or namespace of the same sync. */
  readonly isDeferred?: boolean;
  /** Fields of others are asked about before they are taken. */
  readonly asksFirst?: boolean;
  /** What is applied, given the live object. */
  readonly applied?: (live: JsonObject) => KubeObject;
  /** Ownership entries after an adoption; undefined when there is nothing to take over. */
  readonly takeOver?: (entries: readonly ManagedFields[], apiVersion: string) => readonly ManagedFields[] | undefined;
  /** Additions of others that are taken away. */
  readonly stripped?: (entries: readonly ManagedFields[]) => readonly FieldPath[];
}

/** One object before and after. Read before it is dry-run: who may not read it learns nothing from the answer either. */
export async function compareObject(identity: PreviewIdentity, manifest: Manifest, manner: WriteManner): Promise<Preview> {
  if (manner.isDeferred === true) return { kind: 'deferred', message: 'not compared: its kind or namespace comes with the same sync' };
  try {
    const before = await identity.read(manifest.ref);
    const taken = before === undefined ? undefined : manner.takeOver?.(managedFieldsOf(before), manifest.ref.apiVersion);
    const owned = taken === undefined ? before : withManagedFields(before, taken.map(formatManagedFields));
    const object = owned === undefined ? manifest.object : (manner.applied?.(owned) ?? manifest.object);
    const { answer, conflicts } = await dryRun(identity, object, manner.asksFirst === true);
    const told = conflicts.length === 0 ? {} : { conflicts };
    if (before === undefined) return { kind: 'compared', before, after: answer, ...told };
    const removed = [...removedFields(taken ?? [], answer), ...(manner.stripped?.(managedFieldsOf(before)) ?? [])];
    return { kind: 'compared', before: owned, after: await withoutRemoved(identity, manifest.ref, before, answer, removed), ...told };
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    if (isRefusal(error)) return { kind: 'refused', message: error.message };
    // A webhook that cannot be dry-run says nothing about the object; it is asked at the apply.
    if (error.code === 'AdmissionUnavailable' && error.fate === 'terminal') return { kind: 'deferred', message: error.message };
    throw error;
  }
}

async function dryRun(
  identity: PreviewIdentity,
  object: KubeObject,
  asksFirst: boolean,
): Promise<{ readonly answer: JsonObject; readonly conflicts: readonly FieldConflict[] }> {
  if (!asksFirst) return { answer: await identity.dryRun(object, true), conflicts: [] };
  try {
    return { answer: await identity.dryRun(object, false), conflicts: [] };
  } catch (error) {
    if (!(error instanceof OperatorError) || error.conflicts.length === 0) throw error;
    return { answer: await identity.dryRun(object, true), conflicts: error.conflicts };
  }
}

/** The server's answer without what goes. What falls back to a default the server is asked; where it cannot be, it is shown as gone. */
async function withoutRemoved(
  identity: PreviewIdentity,
  ref: Manifest['ref'],
  before: JsonObject,
  answer: JsonObject,
  removed: readonly FieldPath[],
): Promise<JsonObject> {
  const content = withoutFields(answer, removed);
  if (canonicalJson(content) === canonicalJson(answer)) return answer;
  const metadata = isJsonObject(content['metadata']) ? content['metadata'] : {};
  try {
    const settled = await identity.dryRunPatch(ref, replacement(before, content));
    return withManagedFields(settled, metadata['managedFields']);
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    return content;
  }
}

/** One operation of a JSON patch (RFC 6902) on a member that may be there already. */
export type MemberOperation =
  | { readonly op: 'add'; readonly path: string; readonly value: JsonValue }
  | { readonly op: 'remove'; readonly path: string };

const metadataMembers = ['labels', 'annotations', 'finalizers', 'ownerReferences'];

/** Makes one state of an object the other, member by member. */
function replacement(before: JsonObject, after: JsonObject): readonly MemberOperation[] {
  const fixed = new Set(['apiVersion', 'kind', 'metadata', 'status']);
  const members = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((name) => !fixed.has(name));
  const [left, right] = [before, after].map(({ metadata }) => (isJsonObject(metadata) ? metadata : {}));
  return [
    ...members.flatMap((name) => setMember(`/${name}`, before[name], after[name])),
    ...metadataMembers.flatMap((name) => setMember(`/metadata/${name}`, left?.[name], right?.[name])),
  ];
}

function setMember(path: string, before: JsonValue | undefined, after: JsonValue | undefined): readonly MemberOperation[] {
  if (after !== undefined) return [{ op: 'add', path, value: after }];
  return before === undefined ? [] : [{ op: 'remove', path }];
}

function withManagedFields(object: JsonObject | undefined, managedFields: JsonValue | undefined): JsonObject {
  const metadata = isJsonObject(object?.['metadata']) ? object['metadata'] : {};
  return { ...object, metadata: { ...metadata, ...(managedFields === undefined ? {} : { managedFields }) } };
}

/** The server says no to this object; everything else leaves it unknown. */
function isRefusal({ code }: OperatorError): boolean {
  return code === 'ApplyRefused' || code === 'AdmissionDenied' || code === 'ApplyConflict' || code === 'Forbidden';
}
