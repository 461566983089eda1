// What a rule is given and what it answers. Rules are pure and know neither positions nor constructs: create-validator.ts adds these.
import type { FindingCode } from '../model/catalogue.ts';
import type { JsonObject } from '../model/json.ts';
import type { Manifest, Origin } from '../model/manifest.ts';
import type { ObjectRef } from '../model/object-ref.ts';
import type { SchemaCheck } from './schema/compile-schema.ts';

/** Something wrong with one object, wherever it was declared. */
export interface Problem {
  readonly code: FindingCode;
  readonly message: string;
  readonly hint?: string;
  /** JSON path within the object: `.spec.replicas`. */
  readonly field?: string;
}

/** One object of a known kind. `metadata` and `metadata.name` have been checked for their type. */
export interface Subject {
  readonly object: JsonObject;
  readonly metadata: JsonObject;
  readonly ref: ObjectRef;
  /** Length of the object's JSON text in UTF-8. */
  readonly bytes: number;
  /** The compiled schema of the kind; undefined when the cluster publishes none. */
  readonly schema: SchemaCheck | undefined;
}

/** A rule about one object by itself. Its answer depends on the subject alone, so it can be remembered. */
export type ObjectRule = (subject: Subject) => readonly Problem[];

/** An object among the others of its commit. */
export interface Member {
  /** Index in the list that was validated. */
  readonly index: number;
  readonly ref: ObjectRef;
  readonly key: Manifest['key'];
  readonly origin: Origin;
  /** Indices of the objects it depends on. */
  readonly dependsOn: readonly number[];
}

/** A rule about objects as a set. The index says which of them the problem is reported on. */
export type SetRule = (members: readonly Member[]) => readonly { readonly index: number; readonly problem: Problem }[];
