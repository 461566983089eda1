// What validation needs to know of a cluster, as a plain value that was loaded before.
import type { JsonObject } from '../model/json.ts';

/** A kind the cluster serves. */
export interface KindInfo {
  readonly apiVersion: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
}

/** A schema and the document its `$ref`s point into. */
export interface KindSchema {
  /** OpenAPI v3 schema of the kind. */
  readonly schema: JsonObject;
  /** `components` of the OpenAPI document; `#/components/schemas/…` resolves here. */
  readonly components: JsonObject;
  /** Changes whenever the schema does; key of the compiled validator's cache. */
  readonly version: string;
}

/** Kinds and schemas of a cluster, loaded for the kinds at hand. Synchronous and immutable. */
export interface SchemaCatalog {
  kind(apiVersion: string, kind: string): KindInfo | undefined;
  schema(apiVersion: string, kind: string): KindSchema | undefined;
  /** Kinds with a similar name or another version, for "did you mean". */
  kinds(): readonly KindInfo[];
  /** Groups whose discovery failed: nothing of them may be called unknown or pruned. */
  readonly failedGroups: ReadonlySet<string>;
}
