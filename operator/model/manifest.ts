// Desired objects on their way from synth to apply. Live state is in observed.ts.
import { canonicalJson, type JsonObject, sha256 } from './json.ts';
import type { ObjectKey, ObjectRef } from './object-ref.ts';

/** A Kubernetes object as plain JSON. */
export interface KubeObject extends JsonObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMetadata;
}

/** The members of `metadata` that desired objects use; others pass through untouched. */
export interface ObjectMetadata extends JsonObject {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A place in a file of the commit; line and column count from 1. */
export interface SourcePosition {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Where an object comes from: the construct path and the user's own frames, innermost first. */
export interface Origin {
  readonly constructPath: string;
  readonly frames: readonly SourcePosition[];
}

/** An object as synth found it: exactly what the user wrote, not yet checked against any cluster. */
export interface SynthesizedObject {
  readonly object: JsonObject;
  readonly origin: Origin;
  /** Indices, within the same result, of the objects that must be applied and healthy before this one. */
  readonly dependsOn: readonly number[];
}

/** A checked object, ready to be planned: namespace resolved, tracking label and annotation set, `stringData` folded into `data`. */
export interface Manifest {
  readonly ref: ObjectRef;
  readonly key: ObjectKey;
  readonly object: KubeObject;
  /** SHA-256 of the canonical JSON of `object`, and of the rules that say which of its fields others decide: equal digest, equal desired state. */
  readonly digest: string;
  readonly origin: Origin;
  readonly dependsOn: readonly ObjectKey[];
}

/** The digest of a desired object. */
export function digestOf(object: JsonObject): string {
  return sha256(canonicalJson(object));
}

/** `apps/web.ts:4:3`. */
export function formatPosition(position: SourcePosition): string {
  return `${position.file}:${position.line}:${position.column}`;
}

/** The first frame of an origin as text, or undefined when nothing is known. */
export function positionOf(origin: Origin): SourcePosition | undefined {
  return origin.frames[0];
}
