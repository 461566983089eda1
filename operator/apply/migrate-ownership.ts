// Which field ownership entries an adopted object has afterwards. Pure; the same rules as client-go's csaupgrade. Sending them is cluster/'s matter.
import { declaringManagers } from '../model/adoption.ts';
import { isJsonObject, type JsonObject } from '../model/json.ts';
import type { ManagedFields } from '../model/observed.ts';
import { isOwnEntry, ownManager } from '../model/own-fields.ts';

/**
 * The entries with those of declaring tools made ours: one entry of our applies that holds what they held in its version of the API.
 * What they held in another version is held by nobody afterwards. Undefined when there is nothing to take over.
 */
export function takeOverFields(entries: readonly ManagedFields[], apiVersion: string): readonly ManagedFields[] | undefined {
  const taken = entries.filter(isTakenOver);
  if (taken.length === 0) return undefined;
  const own = entries.find(isOwnEntry);
  const target = own ?? newestOf(taken.filter((entry) => entry.apiVersion === apiVersion)) ?? newestOf(taken);
  if (target === undefined) return undefined;
  const united = taken
    .filter((entry) => entry !== target && entry.apiVersion === target.apiVersion)
    .reduce((fields, entry) => unite(fields, entry.fieldsV1 ?? {}), target.fieldsV1 ?? {});
  const ours: ManagedFields = { ...target, manager: ownManager, operation: 'Apply', fieldsV1: united };
  return [ours, ...entries.filter((entry) => entry !== target && !isTakenOver(entry))];
}

function isTakenOver(entry: ManagedFields): boolean {
  return entry.subresource === undefined && declaringManagers.has(entry.manager);
}

function newestOf(entries: readonly ManagedFields[]): ManagedFields | undefined {
  return [...entries].sort((left, right) => ((left.time ?? '') < (right.time ?? '') ? 1 : -1))[0];
}

/** Two sets of fields as one: fieldsV1 is a trie whose leaves are empty objects. */
function unite(left: JsonObject, right: JsonObject): JsonObject {
  const united: Record<string, JsonObject[string]> = { ...left };
  for (const [name, fields] of Object.entries(right)) {
    const other = united[name];
    united[name] = isJsonObject(other) && isJsonObject(fields) ? unite(other, fields) : fields;
  }
  return united;
}
