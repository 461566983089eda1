// What the frames between the operator and a synth child say. Types only; the side that receives checks what it got.
import type { Finding } from '../model/finding.ts';
import type { JsonValue } from '../model/json.ts';
import type { SourcePosition } from '../model/manifest.ts';
import type { EntryKind } from '../model/snapshot.ts';

/** Limits on one synth. */
export interface SynthLimits {
  /** Time for the whole synth. */
  readonly milliseconds: number;
  /** Memory of the isolate that runs the app. */
  readonly memoryMegabytes: number;
  readonly objects: number;
  /** All objects together. */
  readonly outputBytes: number;
  readonly objectBytes: number;
  /** All files of the commit that are read. */
  readonly inputBytes: number;
  readonly inputFiles: number;
}

/** The work a child is given. */
export interface ChildRequest {
  readonly path: string;
  readonly entry?: string;
  readonly inputs?: JsonValue;
  readonly limits: SynthLimits;
}

/** One entry of a folder of the commit. */
export type FolderEntry = readonly [name: string, kind: EntryKind | 'folder'];

/** Everything about the objects but the objects, which come as a frame of their own. */
export interface ChildResult {
  readonly origins: readonly (readonly SourcePosition[])[];
  /** Lists of indices of objects, each shared by all objects that depend on the same things. */
  readonly groups: readonly (readonly number[])[];
  readonly entries: readonly ResultEntry[];
  readonly findings: readonly Finding[];
  readonly filesRead: readonly string[];
}

/** About one object: its construct path, index of its origin, indices of the groups it depends on. */
export type ResultEntry = readonly [constructPath: string, origin: number, groups: readonly number[]];
