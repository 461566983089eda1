// What is applied of an object whose fields are partly decided by others. Pure: the live object is handed in. Which rules mean the object was decided before.
import { below, type FieldPath, isWhole, itemElements, keysOf, leavesOf, namesItem } from '../model/field-set.ts';
import { type IgnoreRule, isTrusted, pointerTokens } from '../model/ignore-rules.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../model/json.ts';
import type { KubeObject } from '../model/manifest.ts';
import { isOwnEntry, parseManagedFields } from '../model/own-fields.ts';
import { marksOf } from '../model/tracking.ts';

type Value = JsonValue | undefined;

/** One place of the live object: its value, what we hold there, and what others do. */
interface Place {
  readonly live: Value;
  readonly own: JsonObject | undefined;
  readonly others: readonly (JsonObject | undefined)[];
}

/**
 * The object to apply so that ignored fields keep their live values.
 * A field that others hold is left out, so that it is not taken over; one that we alone hold is applied with its live value, for the server
 * removes what an applier stops declaring. A part of the object that does not exist yet is created as declared.
 */
export function keepLive(declared: KubeObject, live: JsonObject, rules: readonly IgnoreRule[]): KubeObject {
  const metadata = isJsonObject(live['metadata']) ? live['metadata'] : {};
  const entries = parseManagedFields(metadata['managedFields']);
  const others = entries.filter((entry) => !isOwnEntry(entry));
  const root: Place = { live, own: entries.find(isOwnEntry)?.fieldsV1, others: others.map(({ fieldsV1 }) => fieldsV1) };
  const pointers = rules.flatMap(({ jsonPointers }) => jsonPointers ?? []).map(pointerTokens);
  const trusted = rules.flatMap((rule) => others.filter((entry) => isTrusted(entry, rule)));
  let kept: Value = declared;
  // Later items of a list first, so that what is removed does not move what the other pointers name.
  for (const tokens of pointers.sort(compareTokens).reverse()) kept = keepAt(kept, root, tokens);
  for (const path of trusted.flatMap(({ fieldsV1 }) => leavesOf(fieldsV1))) kept = withoutPath(kept, path);
  return withIdentity(isJsonObject(kept) ? kept : {}, declared);
}

/** The declared value with what the tokens lead to as it is live. */
function keepAt(declared: Value, place: Place, tokens: readonly string[]): Value {
  const [token, ...rest] = tokens;
  if (token === undefined) return ownPart(place);
  const { live, own, others } = place;
  if (Array.isArray(declared)) return keepInList(declared as readonly JsonValue[], place, token, rest);
  if (!isJsonObject(live) || (declared !== undefined && !isJsonObject(declared))) return declared;
  if (declared !== undefined && Object.keys(declared).length > 0 && [own, ...others].some(isWhole)) return liveAt(declared, live, tokens);
  const before = declared?.[token];
  const after = keepAt(before, stepInto(place, `f:${token}`, live[token]), rest);
  return after === before ? declared : withMember(declared ?? {}, token, after);
}

function keepInList(declared: readonly JsonValue[], place: Place, token: string, rest: readonly string[]): Value {
  const item = declared[Number(token)];
  const live = Array.isArray(place.live) ? (place.live as readonly JsonValue[]) : undefined;
  if (item === undefined || live === undefined) return declared;
  const elements = itemElements([place.own, ...place.others]);
  const element = elements.find((candidate) => namesItem(candidate, item));
  if (element === undefined) return elements.length > 0 ? declared : liveAt(declared, live, [token, ...rest]);
  const keys = keysOf(element) ?? {};
  if (rest.length === 1 && rest[0] !== undefined && rest[0] in keys) return declared;
  const liveItem = live.find((candidate) => namesItem(element, candidate));
  const kept = liveItem === undefined ? item : keepAt(item, stepInto(place, element, liveItem), rest);
  const list = declared.flatMap((value, index) => (index === Number(token) ? (kept === undefined ? [] : [kept]) : [value]));
  return list.length === 0 ? undefined : list;
}

function stepInto(place: Place, element: string, live: Value): Place {
  return { live, own: below(place.own, element), others: place.others.map((set) => below(set, element)) };
}

/** What of a live value we hold and nobody else does; undefined when there is nothing. */
function ownPart({ live, own, others }: Place): Value {
  if (own === undefined || live === undefined) return undefined;
  if (isWhole(own)) return others.some((set) => set !== undefined) ? undefined : live;
  if (isJsonObject(live)) {
    const members = Object.keys(own).filter((element) => element.startsWith('f:'));
    const kept = members.map((element) => {
      const name = element.slice(2);
      return [name, ownPart(stepInto({ live, own, others }, element, live[name]))] as const;
    });
    const present = kept.filter(([, value]) => value !== undefined);
    return present.length === 0 ? undefined : Object.fromEntries(present);
  }
  if (!Array.isArray(live)) return live;
  const elements = itemElements([own]);
  const items = (live as readonly JsonValue[]).flatMap((item): readonly JsonValue[] => {
    const element = elements.find((candidate) => namesItem(candidate, item));
    if (element === undefined) return [];
    const place = stepInto({ live, own, others }, element, item);
    const part = ownPart(place);
    if (!isJsonObject(item)) return part === undefined ? [] : [part];
    const isHeld = part !== undefined || place.others.every((set) => set === undefined);
    return isHeld ? [{ ...keysOf(element), ...(isJsonObject(part) ? part : {}) }] : [];
  });
  return items.length === 0 ? undefined : items;
}

/** A value that is owned as a whole, with what the tokens lead to as it is live. */
function liveAt(declared: Value, live: Value, tokens: readonly string[]): Value {
  const [token, ...rest] = tokens;
  if (token === undefined) return live;
  if (Array.isArray(declared) && Array.isArray(live)) {
    const index = Number(token);
    const [from, to] = [(declared as readonly JsonValue[])[index], (live as readonly JsonValue[])[index]];
    const kept = liveAt(from, to, rest);
    return (declared as readonly JsonValue[]).flatMap((value, at) => (at === index ? (kept === undefined ? [] : [kept]) : [value]));
  }
  if (!isJsonObject(declared) || !isJsonObject(live)) return declared;
  return withMember(declared, token, liveAt(declared[token], live[token], rest));
}

/** The object with one member replaced or left out; undefined when nothing is left of it: an empty map is a declaration of its own. */
function withMember(object: JsonObject, name: string, value: Value): JsonObject | undefined {
  const { [name]: _, ...others } = object;
  const next = value === undefined ? others : { ...others, [name]: value };
  return Object.keys(next).length === 0 ? undefined : next;
}

/** A declared value without the field at a path; keys of list items stay, for they name the item. */
function withoutPath(declared: Value, path: FieldPath): Value {
  const [element, ...rest] = path;
  if (element === undefined || declared === undefined) return undefined;
  if (Array.isArray(declared)) {
    const items = declared as readonly JsonValue[];
    const index = items.findIndex((item) => namesItem(element, item));
    const [next] = rest;
    if (index < 0 || (element.startsWith('k:') && next === undefined)) return declared;
    if (next !== undefined && rest.length === 1 && next.slice(2) in (keysOf(element) ?? {})) return declared;
    const kept = withoutPath(items[index], rest);
    const list = items.flatMap((item, at) => (at === index ? (kept === undefined ? [] : [kept]) : [item]));
    return list.length === 0 ? undefined : list;
  }
  if (!isJsonObject(declared) || !element.startsWith('f:')) return declared;
  const name = element.slice(2);
  return declared[name] === undefined ? declared : withMember(declared, name, withoutPath(declared[name], rest));
}

/** What names the object and marks it as ours is never anybody else's. */
function withIdentity(kept: JsonObject, declared: KubeObject): KubeObject {
  const { apiVersion, kind, metadata } = declared;
  const { name, namespace } = metadata;
  const marks = marksOf(metadata);
  const others = isJsonObject(kept['metadata']) ? kept['metadata'] : {};
  return {
    ...kept,
    apiVersion,
    kind,
    metadata: {
      ...others,
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...marked('labels', others['labels'], marks.labels),
      ...marked('annotations', others['annotations'], marks.annotations),
    },
  };
}

function marked(member: 'labels' | 'annotations', kept: Value, marks: JsonObject): JsonObject {
  if (Object.keys(marks).length === 0) return {};
  return { [member]: { ...(isJsonObject(kept) ? kept : {}), ...marks } };
}

function compareTokens(left: readonly string[], right: readonly string[]): number {
  return left.join('/').localeCompare(right.join('/'), 'en', { numeric: true });
}
