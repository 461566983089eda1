// The plan: what a sync will do, to what, in which order and why. A value: printed, stored, compared by digest. Reasons are for people; no code branches on them.
import type { FieldConflict } from './error.ts';
import { canonicalJson, sha256 } from './json.ts';
import type { Manifest } from './manifest.ts';
import type { ObjectKey, ObjectRef } from './object-ref.ts';

/** Why an object that left Git is not deleted: protected by its annotation or its kind, or known only from its own marks after an inventory was lost. */
export type KeptReason = 'protected' | 'lost';

interface ChangeOf<Action extends string> {
  readonly action: Action;
  readonly ref: ObjectRef;
  readonly key: ObjectKey;
  readonly reason: string;
}

/** An object that will be written. `uid` is '' when it does not exist yet. */
export interface WriteChange extends ChangeOf<'create' | 'update'> {
  readonly manifest: Manifest;
  readonly uid: string;
  /**
   * Only of an object that exists already and that nobody's inventory names: the field managers it is taken over from, sorted; empty when
   * none is known. What `setpoint plan` shows as a preview of what the first sync takes over.
   */
  readonly adoptedFrom?: readonly string[];
}
/** An object that needs no request. */
export interface UnchangedChange extends ChangeOf<'unchanged'> {
  readonly manifest: Manifest;
}
/** An object that will be deleted, if it still has this UID. */
export interface PruneChange extends ChangeOf<'prune'> {
  readonly uid: string;
  /** When its deletion began, if it did (RFC 3339): it is only waited for. */
  readonly deletingSince?: string;
}
/** An object left alone on purpose: protected, foreign, being deleted. `forget` also drops it from the inventory. */
export interface SkipChange extends ChangeOf<'skip'> {
  readonly forget: boolean;
  /** Why an object that left Git stays, where that is for a person to know and to end. */
  readonly kept?: KeptReason;
}
/** An object that someone else owns: another Application, or, of `fields`, other field managers. */
export interface ConflictChange extends ChangeOf<'conflict'> {
  readonly owner: string;
  readonly fields?: readonly FieldConflict[];
}

/** One decision about one object. */
export type Change = WriteChange | UnchangedChange | PruneChange | SkipChange | ConflictChange;

/** Changes that may be in flight together; the next step starts when all succeeded and `waitHealthy` are healthy. */
export interface PlanStep {
  readonly changes: readonly (WriteChange | PruneChange)[];
  readonly waitHealthy: readonly ObjectKey[];
}

/** Everything a sync will do. */
export interface Plan {
  /** All decisions, also `unchanged`, `skip` and `conflict`, in apply order, then prune order. */
  readonly changes: readonly Change[];
  readonly steps: readonly PlanStep[];
  /** Names the plan: equal digest, equal writes in equal order. */
  readonly digest: string;
}

/** Counts per action. */
export type ActionCounts = Readonly<Record<Change['action'], number>>;

/** How many changes of each action a plan holds. */
export function countActions(changes: readonly Change[]): ActionCounts {
  const counts: Record<Change['action'], number> = { create: 0, update: 0, unchanged: 0, prune: 0, skip: 0, conflict: 0 };
  for (const change of changes) counts[change.action] += 1;
  return counts;
}

/** Counts of two looks in a row as one: what was written adds up, what was left alone is as the last look that compared anything found it. */
export function addCounts(left: ActionCounts, right: ActionCounts): ActionCounts {
  if (Object.values(right).every((count) => count === 0)) return left;
  return {
    create: left.create + right.create,
    update: left.update + right.update,
    unchanged: right.unchanged,
    prune: left.prune + right.prune,
    skip: right.skip,
    conflict: right.conflict,
  };
}

/** The digest of ordered changes. */
export function planDigest(steps: readonly PlanStep[]): string {
  const text = steps.map((step) => [
    step.changes.map((change) => [change.action, change.key, change.uid, change.action === 'prune' ? '' : change.manifest.digest]),
    [...step.waitHealthy],
  ]);
  return sha256(canonicalJson(text));
}
