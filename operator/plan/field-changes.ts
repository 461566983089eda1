// Which fields differ between two states of an object, item by item where the server merges lists by key, and which of them Git no longer declares.
import { canonicalJson, isJsonObject, type JsonObject, type JsonValue } from '../model/json.ts';
import { ownEntry, parseManagedFields } from '../model/own-fields.ts';

/** One field with its value before and after; a value that is absent does not exist in that state. */
export interface FieldChange {
  /** `.spec.template.spec.containers[name="web"].image`. */
  readonly path: string;
  readonly before?: JsonValue;
  readonly after?: JsonValue;
  /** Git declared it at the last apply and does not any more: `after` is what it falls back to. */
  readonly undeclared?: true;
}

/** A node of fieldsV1: `all` when everything below is held, undefined when nothing is. */
type Held = JsonObject | 'all' | undefined;

/** What is known of one place in both states. */
interface Place {
  readonly path: string;
  /** fieldsV1 of all managers together: tells by which keys the items of a list are known. */
  readonly known: Held;
  readonly heldBefore: Held;
  readonly heldAfter: Held;
}

/** Members that the server counts or keeps itself. */
const serverMetadata = new Set(['managedFields', 'resourceVersion', 'generation', 'creationTimestamp', 'uid', 'selfLink']);

/** The object without what the server keeps for itself: the part that somebody declares. */
export function declaredPart(object: JsonObject): JsonObject {
  const { status: _, metadata, ...content } = object;
  const members = isJsonObject(metadata) ? Object.entries(metadata).filter(([name]) => !serverMetadata.has(name)) : [];
  return { ...content, metadata: Object.fromEntries(members) };
}

/** The differing fields in order of their paths. Assumes: both states are answers of the server to the same API version. */
export function fieldChanges(before: JsonObject, after: JsonObject): readonly FieldChange[] {
  const found: FieldChange[] = [];
  const place: Place = {
    path: '',
    known: [...fieldsOf(before), ...fieldsOf(after)].reduce<JsonObject>(mergeFields, {}),
    heldBefore: ownFields(before),
    heldAfter: ownFields(after),
  };
  compare(declaredPart(before), declaredPart(after), place, found);
  return found;
}

function compare(before: JsonValue | undefined, after: JsonValue | undefined, place: Place, found: FieldChange[]): void {
  if (canonicalJson(before) === canonicalJson(after) && (before === undefined) === (after === undefined)) return;
  if (isJsonObject(before) && isJsonObject(after)) compareMembers(before, after, place, found);
  else if (Array.isArray(before) && Array.isArray(after)) {
    compareItems(before as readonly JsonValue[], after as readonly JsonValue[], place, found);
  } else found.push(changeAt(place, before, after));
}

/** The difference at one place as a whole. */
function changeAt({ path, heldBefore, heldAfter }: Place, before: JsonValue | undefined, after: JsonValue | undefined): FieldChange {
  const undeclared = before !== undefined && heldBefore !== undefined && heldAfter === undefined;
  return {
    path,
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
    ...(undeclared ? { undeclared } : {}),
  };
}

function compareMembers(before: JsonObject, after: JsonObject, place: Place, found: FieldChange[]): void {
  for (const name of namesOf(before, after)) {
    const segment = /^[A-Za-z_][A-Za-z0-9_-]*$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
    compare(before[name], after[name], below(place, segment, `f:${name}`), found);
  }
}

/** By key where the server merges by key, by position where items are objects, and otherwise as a whole. */
function compareItems(before: readonly JsonValue[], after: readonly JsonValue[], place: Place, found: FieldChange[]): void {
  const keys = keysOf(place.known);
  if (keys !== undefined && [...before, ...after].every((item) => isJsonObject(item))) {
    const left = byKey(before as readonly JsonObject[], keys);
    const right = byKey(after as readonly JsonObject[], keys);
    for (const element of new Set([...left.keys(), ...right.keys()])) {
      compare(left.get(element), right.get(element), below(place, `[${keyText(element)}]`, element), found);
    }
  } else if (before.length === after.length && before.every(isJsonObject) && after.every(isJsonObject)) {
    for (const [index, item] of before.entries()) compare(item, after[index], below(place, `[${index}]`, `i:${index}`), found);
  } else found.push(changeAt(place, before, after));
}

function below(place: Place, segment: string, element: string): Place {
  return {
    path: place.path + segment,
    known: childOf(place.known, element),
    heldBefore: childOf(place.heldBefore, element),
    heldAfter: childOf(place.heldAfter, element),
  };
}

function childOf(held: Held, element: string): Held {
  if (held === 'all' || held === undefined) return held;
  const child = held[element];
  if (!isJsonObject(child)) return undefined;
  return Object.keys(child).length === 0 ? 'all' : child;
}

/** The names of the key fields of a list that is merged by key, as fieldsV1 tells them: `k:{"containerPort":80,"protocol":"TCP"}`. */
function keysOf(known: Held): readonly string[] | undefined {
  if (known === undefined || known === 'all') return undefined;
  const element = Object.keys(known).find((name) => name.startsWith('k:'));
  const key = element === undefined ? undefined : parseKey(element);
  return key === undefined ? undefined : Object.keys(key);
}

function byKey(items: readonly JsonObject[], keys: readonly string[]): Map<string, JsonObject> {
  return new Map(items.map((item) => [`k:${JSON.stringify(Object.fromEntries(keys.map((key) => [key, item[key]])))}`, item]));
}

function keyText(element: string): string {
  return Object.entries(parseKey(element) ?? {})
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(',');
}

function parseKey(element: string): JsonObject | undefined {
  try {
    const key: unknown = JSON.parse(element.slice(2));
    return isJsonObject(key) ? key : undefined;
  } catch {
    return undefined;
  }
}

function fieldsOf(object: JsonObject): readonly JsonObject[] {
  return managedFieldsOf(object)
    .map(({ fieldsV1 }) => fieldsV1)
    .filter((fields) => fields !== undefined);
}

function ownFields(object: JsonObject): JsonObject | undefined {
  return ownEntry(managedFieldsOf(object))?.fieldsV1;
}

function managedFieldsOf(object: JsonObject): ReturnType<typeof parseManagedFields> {
  return parseManagedFields(isJsonObject(object['metadata']) ? object['metadata']['managedFields'] : undefined);
}

function mergeFields(left: JsonObject, right: JsonObject): JsonObject {
  const merged: Record<string, JsonValue | undefined> = { ...left };
  for (const [name, value] of Object.entries(right)) {
    const known = merged[name];
    merged[name] = isJsonObject(known) && isJsonObject(value) ? mergeFields(known, value) : value;
  }
  return merged;
}

function namesOf(before: JsonObject, after: JsonObject): readonly string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
}
