// Sets of fields as managedFields tell them (fieldsV1). Format: sigs.k8s.io/structured-merge-diff, fieldpath/serialize. No values of objects but keys of list items are in there.
import { canonicalJson, isJsonObject, type JsonObject, type JsonValue } from './json.ts';

/** One step of a path: `f:replicas`, `k:{"name":"web"}`, `v:"item"`, `i:0`. */
export type FieldElement = string;
/** From the root of an object to one of its fields. */
export type FieldPath = readonly FieldElement[];

/** The fields that a set names, without what only leads to them. */
export function leavesOf(fields: JsonObject | undefined): readonly FieldPath[] {
  const found: FieldPath[] = [];
  if (fields !== undefined) collect(fields, [], found);
  return found;
}

function collect(fields: JsonObject, prefix: FieldPath, found: FieldPath[]): void {
  for (const [element, below] of Object.entries(fields)) {
    // '.' says that the list item or map itself is held, which its leaves say already.
    const path = element === '.' ? prefix : [...prefix, element];
    if (isJsonObject(below) && Object.keys(below).some((name) => name !== '.')) collect(below, path, found);
    else if (element !== '.' || Object.keys(fields).length === 1) found.push(path);
  }
}

/** The set below one element; undefined when the set does not name it. */
export function below(fields: JsonObject | undefined, element: FieldElement): JsonObject | undefined {
  const found = fields?.[element];
  return isJsonObject(found) ? found : undefined;
}

/** Whether a set holds this place with everything in it: a scalar, an atomic list or map, or a map that was declared empty. */
export function isWhole(fields: JsonObject | undefined): boolean {
  return fields !== undefined && Object.keys(fields).length === 0;
}

/** Elements that name items of a list by key or by value. */
export function itemElements(sets: readonly (JsonObject | undefined)[]): readonly FieldElement[] {
  return [...new Set(sets.flatMap((set) => Object.keys(set ?? {}).filter((name) => /^[kv]:/.test(name))))];
}

/** Whether an element names this item of a list. */
export function namesItem(element: FieldElement, item: JsonValue | undefined): boolean {
  if (element.startsWith('v:')) return canonicalJson(item) === canonicalJson(parse(element.slice(2)));
  const keys = keysOf(element);
  if (keys === undefined || !isJsonObject(item)) return false;
  // A key that is left out has the default of its schema, which only the server knows: then the others decide.
  const stated = Object.entries(keys).filter(([name]) => item[name] !== undefined);
  return stated.length > 0 && stated.every(([name, value]) => canonicalJson(item[name]) === canonicalJson(value));
}

/** The keys of `k:{"name":"web"}`. */
export function keysOf(element: FieldElement): JsonObject | undefined {
  const keys = element.startsWith('k:') ? parse(element.slice(2)) : undefined;
  return isJsonObject(keys) ? keys : undefined;
}

/** `.spec.template.spec.containers[name="web"].image`. */
export function formatFieldPath(path: FieldPath): string {
  return path.map(formatElement).join('');
}

/** A path as the server writes it in conflicts: names of members are not quoted, whatever is in them. */
export function formatServerPath(path: FieldPath): string {
  return path.map(serverElement).join('');
}

function serverElement(element: FieldElement): string {
  if (element.startsWith('f:')) return `.${element.slice(2)}`;
  return element.startsWith('v:') ? `[=${element.slice(2)}]` : formatElement(element);
}

/** What an object holds at a path; undefined when it holds nothing there. */
export function valueAt(object: JsonObject, path: FieldPath): JsonValue | undefined {
  let value: JsonValue | undefined = object;
  for (const element of path) {
    if (Array.isArray(value)) value = (value as readonly JsonValue[]).find((item) => namesItem(element, item));
    else value = isJsonObject(value) ? value[element.slice(2)] : undefined;
  }
  return value;
}

function formatElement(element: FieldElement): string {
  const value = element.slice(2);
  switch (element.slice(0, 2)) {
    case 'f:':
      return /^[A-Za-z_][A-Za-z0-9_-]*$/.test(value) ? `.${value}` : `[${JSON.stringify(value)}]`;
    case 'k:':
      return `[${keyText(element) ?? value}]`;
    default:
      return `[${value}]`;
  }
}

/** `{"containerPort":80,"protocol":"TCP"}` → `containerPort=80,protocol="TCP"`. */
function keyText(element: FieldElement): string | undefined {
  const keys = keysOf(element);
  if (keys === undefined) return undefined;
  return Object.entries(keys)
    .map(([name, part]) => `${name}=${JSON.stringify(part)}`)
    .join(',');
}

function parse(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}
