// Which fields that others added are reported, which are undone. Pure; undoing them is in reconcile/strip-additions.ts.
import type { ApplicationSpec } from '../model/application.ts';
import { type FieldPath, valueAt } from '../model/field-set.ts';
import { ignoredPaths, isWithin, rulesFor, selects } from '../model/ignore-rules.ts';
import { isJsonObject, type JsonObject } from '../model/json.ts';
import type { ObjectRef } from '../model/object-ref.ts';
import type { Drift, ExtraFields, ObservedObject } from '../model/observed.ts';
import { mergedManager } from '../model/own-fields.ts';
import { isBelow } from './field-paths.ts';
import { type Addition, isBookkeeping } from './find-additions.ts';

/** The members of `spec.sync` that decide about additions. */
export type AdditionPolicy = Pick<ApplicationSpec['sync'], 'extraFields' | 'strip' | 'ignoreDifferences'>;

/** One object's additions, by what becomes of them. */
export interface JudgedAdditions {
  /** Left alone and told. */
  readonly reported: readonly Addition[];
  /** Not tolerated: undone with self-heal, told as drift without. */
  readonly unwanted: readonly Addition[];
}

/** Judges what {@link findAdditions} found on one object. `declared` is the object as Git declares it. */
export function judgeAdditions(
  additions: readonly Addition[],
  object: Pick<ObservedObject, 'ref' | 'managedFields'>,
  declared: JsonObject,
  policy: AdditionPolicy,
): JudgedAdditions {
  const ignored = ignoredPaths(rulesFor(policy.ignoreDifferences, object.ref), declared, object.managedFields);
  // A field that Git declares and somebody took is drift, which describe-drift.ts tells.
  const isTaken = ({ path, insideOurs }: Addition): boolean => insideOurs === undefined && valueAt(declared, path) !== undefined;
  const others = additions.filter((addition) => !isWithin(addition.path, ignored) && !isTaken(addition));
  const unwanted = others.filter((addition) => isUnwanted(addition, object.ref, declared, policy));
  const reported = policy.extraFields === 'Ignore' ? [] : others.filter((addition) => !addition.routine && !unwanted.includes(addition));
  return { reported, unwanted };
}

function isUnwanted(addition: Addition, ref: ObjectRef, declared: JsonObject, { strip }: AdditionPolicy): boolean {
  const { by, field, path, insideOurs, routine } = addition;
  if (insideOurs !== undefined && !routine && isEmptyAt(declared, insideOurs)) return true;
  return (strip ?? [])
    .filter((rule) => selects(rule, ref))
    .some(({ managers, paths }) => {
      if (paths?.some((named) => field === named || isBelow(field, named)) === true) return true;
      return managers?.includes(by.manager) === true && !isBookkeeping(path);
    });
}

/** Whether Git declares an empty map or list at a path. */
function isEmptyAt(declared: JsonObject, path: FieldPath): boolean {
  const value = valueAt(declared, path);
  if (Array.isArray(value)) return value.length === 0;
  return isJsonObject(value) && Object.keys(value).length === 0;
}

/** Additions as a status tells them: one entry per manager of an object. */
export function tellAdditions(ref: ObjectRef, additions: readonly Addition[]): readonly ExtraFields[] {
  const groups = new Map<string, Addition[]>();
  for (const addition of additions) {
    const { manager, operation } = addition.by;
    const group = groups.get(`${manager}|${operation}`) ?? [];
    groups.set(`${manager}|${operation}`, [...group, addition]);
  }
  return [...groups].sort().flatMap(([, group]) => {
    const [first] = group;
    if (first === undefined) return [];
    const isMerged = first.by.manager === mergedManager;
    const time = isMerged
      ? undefined
      : group
          .flatMap(({ by }) => by.time ?? [])
          .sort()
          .at(-1);
    const manager = isMerged ? 'unknown' : first.by.manager;
    const fields = [...new Set(group.map(({ field }) => field))];
    return [{ ref, fields, manager, operation: first.by.operation, ...(time === undefined ? {} : { time }) }];
  });
}

/** Additions as drift. */
export function additionsAsDrift(ref: ObjectRef, additions: readonly Addition[], healed: boolean, seenAt: Date): readonly Drift[] {
  return tellAdditions(ref, additions).map(({ fields, manager, operation, time }) => {
    return { ref, fields, kind: 'added', manager, operation, time: time ?? seenAt.toISOString(), healed };
  });
}
