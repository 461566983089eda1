// Which fields of a live object our own applies hold, as the server tells in managedFields. No values are in there.
import { fieldManager } from '../../constructs/annotations.ts';
import { canonicalJson, isJsonObject, type JsonObject, type JsonValue, sha256 } from './json.ts';
import type { ManagedFields } from './observed.ts';

/** The field manager of our applies. */
export const ownManager = fieldManager;

/** The entry of our applies, or undefined when we hold nothing. */
export function ownEntry(managedFields: readonly ManagedFields[]): ManagedFields | undefined {
  return managedFields.find(isOwnEntry);
}

/** True for the entry of our applies. */
export function isOwnEntry(entry: ManagedFields): boolean {
  return entry.manager === fieldManager && entry.operation === 'Apply' && entry.subresource === undefined;
}

/** Under this name the server merges the oldest entries when more than ten have updated an object: it tells neither who nor when. */
export const mergedManager = 'ancient-changes';

/** Short hash of the fields we hold; '' when we hold nothing. */
export function fieldsHash(entry: ManagedFields | undefined): string {
  return entry?.fieldsV1 === undefined ? '' : sha256(canonicalJson(entry.fieldsV1), 16);
}

/** `metadata.managedFields` of a raw object. */
export function parseManagedFields(value: JsonValue | undefined): readonly ManagedFields[] {
  if (!Array.isArray(value)) return [];
  return (value as readonly JsonValue[]).filter(isJsonObject).map((entry) => {
    const { manager, operation, apiVersion, time, subresource, fieldsV1 } = entry;
    return {
      manager: typeof manager === 'string' ? manager : '',
      operation: operation === 'Apply' ? 'Apply' : 'Update',
      apiVersion: typeof apiVersion === 'string' ? apiVersion : '',
      ...(typeof time === 'string' ? { time } : {}),
      ...(typeof subresource === 'string' && subresource !== '' ? { subresource } : {}),
      ...(isJsonObject(fieldsV1) ? { fieldsV1 } : {}),
    };
  });
}

/** One entry as `metadata.managedFields` holds it. */
export function formatManagedFields(entry: ManagedFields): JsonObject {
  return { ...entry, fieldsType: 'FieldsV1', fieldsV1: entry.fieldsV1 ?? {} };
}
