// The result of one look at one Application: the only thing status is derived from.
import type { Adoption } from './adoption.ts';
import type { FieldConflict, OperatorError } from './error.ts';
import type { Finding } from './finding.ts';
import type { ApplicationHealth } from './health.ts';
import type { ObjectRef } from './object-ref.ts';
import type { Drift, ExtraFields } from './observed.ts';
import type { ActionCounts } from './plan.ts';
import type { Revision } from './revision.ts';
import type { Suspension } from './suspension.ts';

/** One object that could not be written. */
export interface ObjectFailure {
  readonly ref: ObjectRef;
  readonly error: OperatorError;
}

/** Declared fields that other managers held with other values before they were applied. */
export interface TakenOver {
  readonly ref: ObjectRef;
  readonly fields: readonly FieldConflict[];
}

/** An object that somebody changes back each time it is healed. */
export interface Fight {
  readonly ref: ObjectRef;
  /** Heals so far. */
  readonly heals: number;
  /** Who undid the last one; `unknown` when nothing tells. */
  readonly manager: string;
}

/** How far the pipeline came; one closed union instead of flags. */
export type SyncResult =
  /** Live equals Git at `revision`. `changed` tells whether anything had to be written. */
  | { readonly kind: 'synced'; readonly changed: boolean }
  /** Differences are known and not undone (self-heal off, or a prune waiting). */
  | { readonly kind: 'out-of-sync'; readonly message: string }
  /** The commit was refused before the first write. */
  | { readonly kind: 'rejected'; readonly findings: readonly Finding[] }
  /** A stage failed; nothing or part was written. */
  | { readonly kind: 'failed'; readonly error: OperatorError; readonly objects: readonly ObjectFailure[] }
  /** Under way: part of it is written, the rest waits for objects to become healthy. */
  | { readonly kind: 'applying'; readonly message: string }
  /** Written; waiting for objects to become healthy. */
  | { readonly kind: 'progressing'; readonly message: string }
  /** Left alone because somebody asked for it. */
  | { readonly kind: 'suspended'; readonly cause: Suspension['kind']; readonly message: string };

/** One look at one Application. */
export interface Outcome {
  readonly observedGeneration: number;
  readonly startedAt: Date;
  readonly finishedAt: Date;
  readonly initiatedBy: string;
  /** The commit that was looked at, once known. */
  readonly revision?: Revision;
  /** What `spec.source.ref` resolved to, e.g. `refs/heads/main`. */
  readonly ref?: string;
  /** Value of the annotation `setpoint.dev/reconcile-requested` that this look answers. */
  readonly handledRequest?: string;
  readonly result: SyncResult;
  /** Digest of the plan that was carried out, if this look made one. */
  readonly planDigest?: string;
  readonly counts: ActionCounts;
  /** Of a look that goes on with the sync before it: what both did. */
  readonly total?: ActionCounts;
  readonly findings: readonly Finding[];
  readonly drift: readonly Drift[];
  /** Standing warnings about live objects, whatever the commit says: claims of other Applications, protected objects that left Git. */
  readonly notices?: readonly Finding[];
  /** Objects that existed already and were taken over in this look. */
  readonly adopted?: readonly Adoption[];
  /** Fields of others on our objects that are left alone. */
  readonly extraFields?: readonly ExtraFields[];
  /** Fields that this look took from other managers. */
  readonly takenOver?: readonly TakenOver[];
  /** Objects that are undone again and again, and by whom. */
  readonly fights?: readonly Fight[];
  readonly health: ApplicationHealth;
  /** Objects in the inventory after this look. */
  readonly owned: number;
}
