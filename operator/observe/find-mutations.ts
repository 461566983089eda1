// What admission made of an object that was applied: where the server's answer says something else than Git. Only paths are told, never values.
import { type FieldPath, formatFieldPath, itemElements, namesItem } from '../model/field-set.ts';
import { type IgnoreRule, ignoredPaths, isWithin } from '../model/ignore-rules.ts';
import { canonicalJson, isJsonObject, type JsonObject, type JsonValue } from '../model/json.ts';
import { ownEntry, parseManagedFields } from '../model/own-fields.ts';
import { isSameValue } from './same-value.ts';

/**
 * Paths at which the answer to an apply differs from what was declared, sorted.
 * Guarantees: what the server merely adds (defaults, fields of others), or writes in another form (`1000m` as `1`), is no difference.
 */
export function findMutations(declared: JsonObject, answer: JsonObject, rules: readonly IgnoreRule[]): readonly string[] {
  const metadata = isJsonObject(answer['metadata']) ? answer['metadata'] : {};
  const entries = parseManagedFields(metadata['managedFields']);
  const found: FieldPath[] = [];
  const { apiVersion: _, kind: __, ...content } = declared;
  compare(content, answer, ownEntry(entries)?.fieldsV1, [], found);
  const ignored = ignoredPaths(rules, declared, entries);
  return found
    .filter((path) => !isWithin(path, ignored))
    .map(formatFieldPath)
    .sort();
}

function compare(
  declared: JsonValue | undefined,
  live: JsonValue | undefined,
  own: JsonObject | undefined,
  path: FieldPath,
  found: FieldPath[],
): void {
  if (isNothing(declared) && isNothing(live)) return;
  if (isJsonObject(declared) && isJsonObject(live)) {
    for (const [name, value] of Object.entries(declared)) {
      const element = `f:${name}`;
      if (value !== undefined && value !== null) compare(value, live[name], setAt(own, element), [...path, element], found);
    }
  } else if (Array.isArray(declared) && Array.isArray(live)) {
    compareLists(declared as readonly JsonValue[], live as readonly JsonValue[], own, path, found);
  } else if (!isSameValue(declared, live)) found.push(path);
}

function compareLists(
  declared: readonly JsonValue[],
  live: readonly JsonValue[],
  own: JsonObject | undefined,
  path: FieldPath,
  found: FieldPath[],
): void {
  const elements = itemElements([own]);
  if (elements.length === 0 && declared.length !== live.length) {
    found.push(path);
    return;
  }
  for (const [index, item] of declared.entries()) {
    const element = elements.find((candidate) => namesItem(candidate, item));
    if (element === undefined) {
      // An item without a place in our entry is compared by its place in the list, or is one of a set.
      if (elements.length === 0) compare(item, live[index], undefined, [...path, `i:${index}`], found);
      else if (!live.some((candidate) => canonicalJson(candidate) === canonicalJson(item))) found.push([...path, `i:${index}`]);
    } else {
      const counterpart = live.find((candidate) => namesItem(element, candidate));
      if (counterpart === undefined) found.push([...path, element]);
      else compare(item, counterpart, setAt(own, element), [...path, element], found);
    }
  }
}

function setAt(own: JsonObject | undefined, element: string): JsonObject | undefined {
  const value = own?.[element];
  return isJsonObject(value) ? value : undefined;
}

/** What the server leaves out: nothing, and the empty value of each type. */
function isNothing(value: JsonValue | undefined): boolean {
  if (value === undefined || value === null || value === '' || value === 0 || value === false) return true;
  if (Array.isArray(value)) return value.length === 0;
  return isJsonObject(value) && Object.values(value).every(isNothing);
}
