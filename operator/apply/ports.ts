// What apply needs of a cluster. cluster/ satisfies it; every call carries the tenant's identity.
import type { TenantIdentity } from '../model/identity.ts';
import type { JsonObject, JsonValue } from '../model/json.ts';
import type { KubeObject } from '../model/manifest.ts';
import type { ObjectRef } from '../model/object-ref.ts';
import type { ManagedFields } from '../model/observed.ts';

/** Options of one server-side apply. */
export interface ApplyOptions {
  readonly dryRun: boolean;
  /** Take over fields of other managers. */
  readonly force: boolean;
  /** Only if the live object still is this one. */
  readonly resourceVersion?: string;
}

/** Writes users' objects. Field manager `setpoint`. Throws OperatorError (Forbidden, ApplyRefused, AdmissionDenied, ApplyConflict, Terminating, ApiUnreachable, …). */
export interface ObjectWriter {
  /** Server-side apply; returns the live object after it, managedFields included. */
  apply(identity: TenantIdentity, object: KubeObject, options: ApplyOptions, signal: AbortSignal): Promise<JsonObject>;
  /** Replaces the ownership entries of the very version that was seen; returns the version after it. Throws OperatorError, `ApplyConflict` among them. */
  replaceManagedFields(
    identity: TenantIdentity,
    ref: ObjectRef,
    seen: { readonly managedFields: readonly ManagedFields[]; readonly resourceVersion: string },
    signal: AbortSignal,
  ): Promise<string>;
  /** Deletes with a UID precondition; `gone` when it was not there, `replaced` when another UID has its name, `terminating` when finalizers hold it. */
  delete(identity: TenantIdentity, ref: ObjectRef, uid: string, signal: AbortSignal): Promise<DeleteResult>;
  /** JSON patch (RFC 6902); returns the live object after it. */
  patch(
    identity: TenantIdentity,
    ref: ObjectRef,
    operations: readonly PatchOperation[],
    signal: AbortSignal,
    options?: Pick<ApplyOptions, 'dryRun'>,
  ): Promise<JsonObject>;
  /** The live object as the tenant may read it, or undefined when absent. */
  read(identity: TenantIdentity, ref: ObjectRef, signal: AbortSignal): Promise<JsonObject | undefined>;
}

/** One operation of a JSON patch. */
export type PatchOperation =
  | { readonly op: 'remove'; readonly path: string }
  | { readonly op: 'add' | 'replace'; readonly path: string; readonly value: JsonValue };

/** What became of a deletion. */
export type DeleteResult =
  | { readonly state: 'deleted' | 'gone' | 'replaced' }
  | { readonly state: 'terminating'; readonly finalizers: readonly string[] };
