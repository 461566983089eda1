// Fields that go although no dry run shows it: those that an apply gives up after their ownership was taken over, and those that are stripped. Pure.
import { below, type FieldPath, isWhole, namesItem } from '../model/field-set.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../model/json.ts';
import type { ManagedFields } from '../model/observed.ts';
import { isOwnEntry, ownEntry, parseManagedFields } from '../model/own-fields.ts';

/**
 * What an apply removes: fields that are ours by `held`, that `answer`, the server's answer to the apply, does not hold as ours, and that
 * nobody else holds. Source: the pruning of server-side apply in sigs.k8s.io/structured-merge-diff.
 */
export function removedFields(held: readonly ManagedFields[], answer: JsonObject): readonly FieldPath[] {
  const own = ownEntry(held)?.fieldsV1;
  if (own === undefined) return [];
  const declared = ownEntry(managedFieldsOf(answer))?.fieldsV1;
  const others = held.filter((entry) => !isOwnEntry(entry)).map(({ fieldsV1 }) => fieldsV1);
  const found: FieldPath[] = [];
  collect(own, declared, others, [], found);
  return found;
}

/** The ownership entries of an object. */
export function managedFieldsOf(object: JsonObject): readonly ManagedFields[] {
  return parseManagedFields(isJsonObject(object['metadata']) ? object['metadata']['managedFields'] : undefined);
}

type Fields = JsonObject | undefined;

function collect(own: JsonObject, declared: Fields, others: readonly Fields[], prefix: FieldPath, found: FieldPath[]): void {
  for (const [element, value] of Object.entries(own)) {
    if (element === '.') continue;
    const path = [...prefix, element];
    const fields = isJsonObject(value) ? value : {};
    const still = below(declared, element);
    const theirs = others.map((set) => below(set, element));
    const isKept = still !== undefined || theirs.some((set) => set !== undefined);
    // A map that only leads to held fields is not held itself: what the server put beside them stays.
    if (!isKept && (isWhole(fields) || '.' in fields)) found.push(path);
    else collect(fields, still, theirs, path, found);
  }
}

/** The object without the fields at some paths; a path that leads nowhere is passed over. */
export function withoutFields(object: JsonObject, paths: readonly FieldPath[]): JsonObject {
  return paths.reduceRight<JsonObject>((rest, path) => {
    const kept = without(rest, path);
    return isJsonObject(kept) ? kept : rest;
  }, object);
}

function without(value: JsonValue | undefined, path: FieldPath): JsonValue | undefined {
  const [element, ...rest] = path;
  if (element === undefined) return undefined;
  if (Array.isArray(value)) {
    const items = value as readonly JsonValue[];
    const index = indexOf(items, element);
    return items.flatMap((item, at) => {
      const kept = at === index ? without(item, rest) : item;
      return kept === undefined ? [] : [kept];
    });
  }
  const name = element.slice(2);
  if (!isJsonObject(value) || value[name] === undefined) return value;
  const { [name]: member, ...others } = value;
  const kept = without(member, rest);
  return kept === undefined ? others : { ...value, [name]: kept };
}

/** The value at a path; undefined when there is none. */
export function valueAt(value: JsonValue | undefined, path: FieldPath): JsonValue | undefined {
  const [element, ...rest] = path;
  if (element === undefined) return value;
  if (Array.isArray(value)) {
    const items = value as readonly JsonValue[];
    return valueAt(items[indexOf(items, element)], rest);
  }
  return isJsonObject(value) ? valueAt(value[element.slice(2)], rest) : undefined;
}

function indexOf(items: readonly JsonValue[], element: string): number {
  return element.startsWith('i:') ? Number(element.slice(2)) : items.findIndex((item) => namesItem(element, item));
}
