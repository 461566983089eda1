// Takes the values of Secrets out of the two states of an object before anybody sees them. Equal stays equal, different stays different; nothing else is told.
import { canonicalJson, isJsonObject, type JsonObject, type JsonValue } from '../model/json.ts';

/** Two states of one object; undefined where it does not exist. */
export interface ObjectPair {
  readonly before: JsonObject | undefined;
  readonly after: JsonObject | undefined;
}

/** What stands for a value that both states have, and for values that differ. */
export const masks = { same: '***', before: '*** (before)', after: '*** (after)' } as const;

/** Members of a Secret that hold values, as people see them and as clients write them. */
const valueMembers = ['data', 'stringData'] as const;
/** kubectl keeps a whole copy of what was applied here, values of other days included. */
const copyAnnotation = 'kubectl.kubernetes.io/last-applied-configuration';
/** Who and what it is, and who holds which fields: known without any right to read values. */
const plainMembers = new Set(['apiVersion', 'kind', 'name', 'namespace', 'uid', 'resourceVersion', 'managedFields']);
/** Shorter values would be found in everything. */
const shortestValue = 3;

/**
 * The pair with every value of a Secret replaced; other objects as they are.
 * Guarantees: no value, its length, or a text that holds it remains: in data, in annotations, anywhere in the object.
 */
export function maskSecret({ before, after }: ObjectPair): ObjectPair {
  if (!isSecret(before) && !isSecret(after)) return { before, after };
  const values = [...valuesIn(before), ...valuesIn(after)].filter((value) => value.length >= shortestValue);
  const holdsValue = (text: string): boolean => values.some((value) => text.includes(value));
  const state = (object: JsonObject | undefined, other: JsonObject | undefined, mask: string): JsonObject | undefined =>
    object === undefined ? undefined : maskMembers(object, other, mask, holdsValue);
  return { before: state(before, after, masks.before), after: state(after, before, masks.after) };
}

function isSecret(object: JsonObject | undefined): boolean {
  return object?.['kind'] === 'Secret' && object['apiVersion'] === 'v1';
}

/** Values in both of their forms. */
function valuesIn(object: JsonObject | undefined): readonly string[] {
  const texts = valueMembers.flatMap((member) => Object.values(membersOf(object?.[member]))).filter((value) => typeof value === 'string');
  return texts.flatMap((text) => [text, Buffer.from(text, 'base64').toString('utf8'), Buffer.from(text, 'utf8').toString('base64')]);
}

function maskMembers(object: JsonObject, other: JsonObject | undefined, mask: string, holdsValue: (text: string) => boolean): JsonObject {
  const entries = Object.entries(object).map(([name, value]): [string, JsonValue | undefined] => {
    const isValue = valueMembers.some((member) => member === name);
    return [name, isValue ? maskAll(value, other?.[name], mask) : maskTexts(value, other?.[name], mask, holdsValue, name)];
  });
  return Object.fromEntries(entries);
}

/** Every member of `data`; a `data` that is no map, as a whole. */
function maskAll(value: JsonValue | undefined, other: JsonValue | undefined, mask: string): JsonValue | undefined {
  if (value === undefined || value === null) return value;
  if (!isJsonObject(value)) return maskOf(value, other, mask);
  const others = membersOf(other);
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, maskOf(member, others[name], mask)]));
}

/** Texts that hold a value wherever they are. */
function maskTexts(
  value: JsonValue | undefined,
  other: JsonValue | undefined,
  mask: string,
  holdsValue: (text: string) => boolean,
  name: string,
): JsonValue | undefined {
  if (plainMembers.has(name)) return value;
  if (typeof value === 'string') return name === copyAnnotation || holdsValue(value) ? maskOf(value, other, mask) : value;
  if (Array.isArray(value)) {
    const others: readonly JsonValue[] = Array.isArray(other) ? other : [];
    return (value as readonly JsonValue[]).map((item, index) => maskTexts(item, others[index], mask, holdsValue, '') ?? null);
  }
  if (!isJsonObject(value)) return value;
  const others = membersOf(other);
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, maskTexts(member, others[key], mask, holdsValue, key)]));
}

function maskOf(value: JsonValue | undefined, other: JsonValue | undefined, mask: string): string {
  return other === undefined || canonicalJson(value) === canonicalJson(other) ? masks.same : mask;
}

function membersOf(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}
