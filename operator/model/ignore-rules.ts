// spec.sync.ignoreDifferences: which fields of which objects others decide. Keeping their live values is in apply/, leaving them out of drift in observe/.
import { fieldManager } from '../../constructs/annotations.ts';
import type { ApplicationSpec } from './application.ts';
import { type FieldElement, type FieldPath, itemElements, leavesOf, namesItem } from './field-set.ts';
import { canonicalJson, isJsonObject, type JsonObject, type JsonValue, sha256 } from './json.ts';
import { groupOf, type ObjectRef } from './object-ref.ts';
import type { ManagedFields } from './observed.ts';

/** Fields that others decide. */
export type IgnoreRule = NonNullable<ApplicationSpec['sync']['ignoreDifferences']>[number];

/** Which objects something is about; what is left out means all. */
export interface ObjectSelector {
  readonly group?: string;
  readonly kind?: string;
  readonly name?: string;
  readonly namespace?: string;
}

/** Whether a selector means this object. `*` stands for any text in group and kind. */
export function selects(selector: ObjectSelector, ref: ObjectRef): boolean {
  const { group, kind, name, namespace } = selector;
  return (
    (group === undefined || matches(group, groupOf(ref.apiVersion))) &&
    (kind === undefined || matches(kind, ref.kind)) &&
    (name === undefined || name === ref.name) &&
    (namespace === undefined || namespace === ref.namespace)
  );
}

function matches(pattern: string, text: string): boolean {
  const parts = pattern.split('*');
  if (parts.length === 1) return pattern === text;
  const [first = '', ...rest] = parts;
  const last = rest.pop() ?? '';
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length) return false;
  let from = first.length;
  for (const part of rest) {
    const found = text.indexOf(part, from);
    if (found < 0) return false;
    from = found + part.length;
  }
  return from <= text.length - last.length;
}

/** The rules that mean an object. */
export function rulesFor(rules: readonly IgnoreRule[] | undefined, ref: ObjectRef): readonly IgnoreRule[] {
  return (rules ?? []).filter((rule) => selects(rule, ref));
}

/** The digest of a desired object under its rules: an object is applied anew when a rule of it comes or goes. */
export function digestUnder(digest: string, rules: readonly IgnoreRule[]): string {
  return rules.length === 0 ? digest : sha256(`${digest}\n${canonicalJson(rules as unknown as JsonValue)}`);
}

/** The steps of a JSON pointer (RFC 6901). */
export function pointerTokens(pointer: string): readonly string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** Whether an entry is of a manager that a rule names. What is in a subresource of its own, such as status, is nothing we declare. */
export function isTrusted({ manager, subresource }: ManagedFields, rule: IgnoreRule): boolean {
  return manager !== fieldManager && subresource !== 'status' && (rule.managers ?? []).includes(manager);
}

/**
 * The paths that rules name on a live object.
 * Items of lists are counted in `declared`, as the rule's author sees them, and named by key where managedFields know keys.
 */
export function ignoredPaths(
  rules: readonly IgnoreRule[],
  declared: JsonObject | undefined,
  entries: readonly ManagedFields[],
): readonly FieldPath[] {
  const sets = entries.map(({ fieldsV1 }) => fieldsV1);
  return rules.flatMap((rule) => [
    ...(rule.jsonPointers ?? []).map((pointer) => pathOf(pointerTokens(pointer), declared, sets)),
    ...entries.filter((entry) => isTrusted(entry, rule)).flatMap(({ fieldsV1 }) => leavesOf(fieldsV1)),
  ]);
}

function pathOf(tokens: readonly string[], declared: JsonObject | undefined, sets: readonly (JsonObject | undefined)[]): FieldPath {
  const path: FieldElement[] = [];
  let value: JsonValue | undefined = declared;
  let known = sets;
  for (const token of tokens) {
    const item: JsonValue | undefined = Array.isArray(value) ? (value as readonly JsonValue[])[Number(token)] : undefined;
    const keyed = item === undefined ? undefined : itemElements(known).find((element) => namesItem(element, item));
    const element: FieldElement = keyed ?? (Array.isArray(value) ? `i:${token}` : `f:${token}`);
    path.push(element);
    value = item ?? (isJsonObject(value) ? value[token] : undefined);
    known = known.map((set) => (isJsonObject(set?.[element]) ? set[element] : undefined));
  }
  return path;
}

/** Whether a path is one of others, or inside one. */
export function isWithin(path: FieldPath, others: readonly FieldPath[]): boolean {
  return others.some((other) => other.length <= path.length && other.every((element, index) => element === path[index]));
}
