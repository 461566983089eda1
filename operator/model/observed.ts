// Live objects as the metadata-only watch shows them. No values: not even a Secret's are held here.
import type { JsonObject } from './json.ts';
import type { ObjectKey, ObjectRef } from './object-ref.ts';

/** One entry of `metadata.managedFields`. */
export interface ManagedFields {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  /** RFC 3339; absent for some writers. */
  readonly time?: string;
  readonly subresource?: string;
  readonly fieldsV1?: JsonObject;
}

/** Metadata of a live object. */
export interface ObservedObject {
  readonly ref: ObjectRef;
  readonly key: ObjectKey;
  readonly uid: string;
  readonly resourceVersion: string;
  /** Absent for kinds that do not count generations. */
  readonly generation?: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly finalizers: readonly string[];
  readonly ownerUids: readonly string[];
  readonly deletionTimestamp?: string;
  readonly managedFields: readonly ManagedFields[];
}

/** What the last apply of ours left behind; a live object that still matches has not drifted. */
export interface Baseline {
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation?: number;
  /** Short hash of our own fieldsV1 entry. */
  readonly fieldsHash: string;
  /** `time` of our own entry. */
  readonly time?: string;
}

/** Fields of one live object that differ from what was applied, and who is known to have done it. */
export interface Drift {
  readonly ref: ObjectRef;
  /** JSON paths such as `.spec.replicas`; empty when the object itself is gone. */
  readonly fields: readonly string[];
  /** `added`: fields that somebody added where nothing may be added. */
  readonly kind: 'changed' | 'deleted' | 'added';
  /** `unknown` when no managedFields entry tells. */
  readonly manager: string;
  readonly operation: string;
  readonly time: string;
  readonly healed: boolean;
}

/** Fields that somebody else added to an object of ours and that are left alone. */
export interface ExtraFields {
  readonly ref: ObjectRef;
  /** Paths such as `.metadata.annotations.note`. */
  readonly fields: readonly string[];
  readonly manager: string;
  readonly operation: string;
  /** When the manager last wrote; absent for some writers. */
  readonly time?: string;
}
