// Which conflicts of a changed object are about fields that were ours, and so drift. Pure; from managedFields and what was applied, no value is told.
import type { FieldConflict } from '../model/error.ts';
import { type FieldPath, formatServerPath, leavesOf, valueAt } from '../model/field-set.ts';
import { isJsonObject, type JsonObject } from '../model/json.ts';
import type { Baseline, ObservedObject } from '../model/observed.ts';
import { fieldsHash, isOwnEntry, ownEntry } from '../model/own-fields.ts';

/** What is known of the last apply of an object. */
export interface LastApply {
  /** The live object, if it still is the one that was applied. */
  readonly live: Pick<ObservedObject, 'managedFields'> | undefined;
  readonly baseline: Baseline | undefined;
  /** The object as it was applied last; undefined when that is not remembered, as after a restart. */
  readonly applied: JsonObject | undefined;
}

/**
 * The conflicts about fields that Git did not declare before.
 * A field was ours when the last applied manifest declared it. Where that is not remembered, it was ours when our entry, with the conflicting
 * fields put back, is exactly what the last apply left behind.
 * Guarantees: what cannot be shown to have been ours counts as claimed anew, so nothing is taken on a guess.
 */
export function claimedFields(conflicts: readonly FieldConflict[], { live, baseline, applied }: LastApply): readonly FieldConflict[] {
  if (live === undefined) return conflicts;
  const theirs = live.managedFields.filter((entry) => !isOwnEntry(entry)).flatMap(({ fieldsV1 }) => leavesOf(fieldsV1));
  const paths = new Map(theirs.map((path) => [formatServerPath(path), path]));
  const fields = conflicts.map(({ field }) => paths.get(field));
  if (baseline !== undefined && fieldsHash(putBack(live, fields)) === baseline.fieldsHash) return [];
  return conflicts.filter((_, index) => {
    const path = fields[index];
    return path === undefined || applied === undefined || valueAt(applied, path) === undefined;
  });
}

/** Our entry as it was before others took fields from it; undefined when one of them is not known. */
function putBack({ managedFields }: Pick<ObservedObject, 'managedFields'>, taken: readonly (FieldPath | undefined)[]) {
  const own = ownEntry(managedFields);
  let fieldsV1: JsonObject = own?.fieldsV1 ?? {};
  for (const path of taken) {
    if (path === undefined) return undefined;
    fieldsV1 = withField(fieldsV1, path);
  }
  return { manager: '', operation: 'Apply', apiVersion: '', ...own, fieldsV1 } as const;
}

function withField(fields: JsonObject, [element, ...rest]: FieldPath): JsonObject {
  if (element === undefined) return fields;
  const below = fields[element];
  return { ...fields, [element]: withField(isJsonObject(below) ? below : {}, rest) };
}
