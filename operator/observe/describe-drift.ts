// Which fields drifted and who did it, from managedFields alone: no value is read or told.
import { formatFieldPath } from '../model/field-set.ts';
import { type IgnoreRule, ignoredPaths } from '../model/ignore-rules.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../model/json.ts';
import type { Drift, ManagedFields, ObservedObject } from '../model/observed.ts';
import { isOwnEntry, mergedManager, ownEntry, parseManagedFields } from '../model/own-fields.ts';
import { fieldPaths, isBelow } from './field-paths.ts';

/** What is known of one drift. */
export interface DriftEvidence {
  /** The live object's metadata as it drifted. */
  readonly drifted: ObservedObject;
  /** The answer of the apply, or of its dry run, that puts it right. */
  readonly restored: JsonObject;
  /** The live object before that, where it was read: tells the fields when managedFields do not. */
  readonly before?: JsonObject;
  readonly healed: boolean;
  /** When the change was seen: stands in where no entry has a time. */
  readonly seenAt: Date;
  /** Fields that others decide: they never drift. */
  readonly ignored?: IgnoredFields;
}

/** The rules about an object, and the object as declared, which they count list items in. */
export interface IgnoredFields {
  readonly rules: readonly IgnoreRule[];
  readonly declared: JsonObject;
}

/** What differs, by whose hand. Without any field named there is nothing that we declare to differ: then it is no drift. */
export function describeDrift(evidence: DriftEvidence): Drift {
  const { drifted, restored, before, healed, seenAt } = evidence;
  const isIgnored = ignoredBy(evidence);
  const held = heldPaths(restored);
  const left = fieldPaths(ownEntry(drifted.managedFields)?.fieldsV1);
  // Whom an apply by force leaves a field together with us had the same value: then only ownership was lost, and is back.
  const shared = sharedPaths(restored);
  const taken = without(without(held, left), shared).filter((path) => !isIgnored(path));
  const fields = [taken, before === undefined ? [] : changedOwnPaths(before, restored), without(left, held)]
    .map((paths) => paths.filter((path) => !isIgnored(path)))
    .find(({ length }) => length > 0);
  const culprit = findCulprit(drifted.managedFields, taken);
  return {
    ref: drifted.ref,
    fields: fields ?? [],
    kind: 'changed',
    manager: culprit?.manager ?? 'unknown',
    operation: culprit === undefined ? 'unknown' : culprit.operation,
    time: culprit?.time ?? seenAt.toISOString(),
    healed,
  };
}

function ignoredBy({ ignored, drifted, restored }: DriftEvidence): (path: string) => boolean {
  if (ignored === undefined || ignored.rules.length === 0) return () => false;
  const entries = [...drifted.managedFields, ...managedFieldsOf(restored)];
  const prefixes = ignoredPaths(ignored.rules, ignored.declared, entries).map(formatFieldPath);
  return (path) => prefixes.some((prefix) => path === prefix || isBelow(path, prefix));
}

/** The fields that our own entry of a live object names. */
function heldPaths(object: JsonObject): readonly string[] {
  return fieldPaths(ownEntry(managedFieldsOf(object))?.fieldsV1);
}

/** The fields that others hold in a live object. */
function sharedPaths(object: JsonObject): readonly string[] {
  return managedFieldsOf(object).flatMap((entry) => (isOwnEntry(entry) ? [] : fieldPaths(entry.fieldsV1)));
}

function managedFieldsOf(object: JsonObject): readonly ManagedFields[] {
  const metadata = isJsonObject(object['metadata']) ? object['metadata'] : {};
  return parseManagedFields(metadata['managedFields']);
}

function without(paths: readonly string[], others: readonly string[]): readonly string[] {
  const left = new Set(others);
  return paths.filter((path) => !left.has(path));
}

/** A confirmed deletion. Nobody is named: the server keeps no trace of who deleted. */
export function describeDeletion(ref: ObservedObject['ref'], healed: boolean, seenAt: Date): Drift {
  return { ref, fields: [], kind: 'deleted', manager: 'unknown', operation: 'Delete', time: seenAt.toISOString(), healed };
}

/** The newest entry that now holds a field taken from us; with no field known, nobody is accused. */
function findCulprit(entries: readonly ManagedFields[], taken: readonly string[]): ManagedFields | undefined {
  const suspects = entries.filter((entry) => !isOwnEntry(entry) && entry.manager !== mergedManager && holdsAny(entry, taken));
  return suspects.sort((left, right) => ((left.time ?? '') < (right.time ?? '') ? 1 : -1))[0];
}

function holdsAny(entry: ManagedFields, paths: readonly string[]): boolean {
  const held = fieldPaths(entry.fieldsV1);
  return paths.some((path) => held.some((candidate) => candidate === path || isBelow(candidate, path) || isBelow(path, candidate)));
}

/**
 * The changed paths that are ours before or after. The others were written by somebody else between the two states, such as the
 * revision that a controller counts in an annotation.
 */
export function changedOwnPaths(before: JsonObject, after: JsonObject): readonly string[] {
  const own = new Set([...heldPaths(before), ...heldPaths(after)]);
  return changedPaths(before, after).filter((path) => {
    // Items are counted here but named in managedFields: the list itself is what both know.
    const known = path.replace(/\[\d+\].*$/, '');
    return own.has(known) || [...own].some((held) => isBelow(known, held) || isBelow(held, known));
  });
}

/** Members of metadata that the server counts or keeps itself. */
const serverMetadata = new Set(['managedFields', 'resourceVersion', 'generation', 'creationTimestamp', 'uid', 'selfLink']);

/** Paths at which two states of an object differ, status left out. */
export function changedPaths(before: JsonObject, after: JsonObject): readonly string[] {
  const found: string[] = [];
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (name === 'status') continue;
    compare(before[name], after[name], `.${name}`, found);
  }
  return found.sort();
}

function compare(before: JsonValue | undefined, after: JsonValue | undefined, path: string, found: string[]): void {
  if (isJsonObject(before) && isJsonObject(after)) {
    for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
      if (path === '.metadata' && serverMetadata.has(name)) continue;
      compare(
        before[name],
        after[name],
        /^[A-Za-z_][A-Za-z0-9_-]*$/.test(name) ? `${path}.${name}` : `${path}[${JSON.stringify(name)}]`,
        found,
      );
    }
  } else if (Array.isArray(before) && Array.isArray(after)) {
    for (let index = 0; index < Math.max(before.length, after.length); index += 1)
      compare(before[index], after[index], `${path}[${index}]`, found);
  } else if (before !== after) found.push(path);
}
