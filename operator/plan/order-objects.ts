// The order of objects: construct dependencies first, then kind, then name. Which of them are written, and where barriers stand, is decided elsewhere.
import type { Manifest } from '../model/manifest.ts';
import { keyOf, type ObjectKey, type ObjectRef } from '../model/object-ref.ts';
import { type KindPlace, placeOf } from './kind-order.ts';
import { requiredObjects } from './required-objects.ts';

/** An object with its place: all objects of a lower level, or of the same level and a lower phase, come before it. */
export interface OrderedObject {
  readonly manifest: Manifest;
  readonly level: number;
  readonly phase: number;
  /** Its Namespace and its CustomResourceDefinition, where the same commit declares them. */
  readonly requires: readonly ObjectKey[];
}

/** An object while levels are found. Objects are known by their index in the order of names. */
interface Candidate {
  readonly manifest: Manifest;
  readonly place: KindPlace;
  readonly dependsOn: readonly number[];
  readonly requires: readonly number[];
}

/**
 * Objects in apply order.
 * Guarantees: total and deterministic; an object comes after its dependencies, its Namespace and its CustomResourceDefinition. Where a
 * declared dependency contradicts one of the latter two, the declared one holds; with a circle of declared ones, kind order alone.
 */
export function orderDesired(desired: readonly Manifest[]): readonly OrderedObject[] {
  const candidates = candidatesOf([...desired].sort((left, right) => compareKeys(left.key, right.key)));
  const levels = levelsOf(candidates, true) ?? levelsOf(candidates, false) ?? [];
  return candidates
    .map(({ manifest, place, requires }, index) => ({ manifest, place, level: levels[index] ?? 0, requires }))
    .sort((left, right) => left.level - right.level || comparePlaces(left.place, right.place))
    .map(({ manifest, place, level, requires }) => ({
      manifest,
      level,
      phase: place.phase,
      requires: requires.map((index) => candidates[index]?.manifest.key ?? ''),
    }));
}

/** The order in which objects that left Git are removed: the reverse of kind order. */
export function comparePruned(left: ObjectRef, right: ObjectRef): number {
  return comparePlaces(placeOf(right), placeOf(left)) || compareKeys(keyOf(right), keyOf(left));
}

function candidatesOf(byName: readonly Manifest[]): readonly Candidate[] {
  const indices = new Map(byName.map((manifest, index) => [manifest.key, index]));
  const required = requiredObjects(byName);
  const indicesOf = (keys: readonly ObjectKey[], own: number): readonly number[] =>
    keys.flatMap((key) => indices.get(key) ?? []).filter((index) => index !== own);
  return byName.map((manifest, index) => ({
    manifest,
    place: placeOf(manifest.ref),
    dependsOn: indicesOf(manifest.dependsOn, index),
    requires: indicesOf(required(manifest), index),
  }));
}

/** The level of each object, or undefined when its dependencies, with or without what it requires, lead around in a circle. */
function levelsOf(candidates: readonly Candidate[], withRequired: boolean): readonly number[] | undefined {
  const before = candidates.map(({ dependsOn, requires }) => (withRequired ? [...dependsOn, ...requires] : dependsOn));
  const after: number[][] = candidates.map(() => []);
  before.forEach((indices, index) => {
    for (const dependency of indices) after[dependency]?.push(index);
  });
  const missing = before.map((indices) => indices.length);
  const levels = candidates.map(() => 0);
  const ready = missing.flatMap((count, index) => (count === 0 ? [index] : []));
  for (const index of ready) {
    levels[index] = levelAfter(candidates, levels, index, withRequired);
    for (const dependant of after[index] ?? []) {
      missing[dependant] = (missing[dependant] ?? 1) - 1;
      if (missing[dependant] === 0) ready.push(dependant);
    }
  }
  return ready.length === candidates.length ? levels : undefined;
}

/** The lowest level at which an object comes after everything it needs. The barrier between two phases serves a dependency across them too. */
function levelAfter(candidates: readonly Candidate[], levels: readonly number[], index: number, withRequired: boolean): number {
  const candidate = candidates[index];
  if (candidate === undefined) return 0;
  let level = 0;
  for (const dependency of candidate.dependsOn) {
    const isPhaseLater = candidate.place.phase > (candidates[dependency]?.place.phase ?? 0);
    level = Math.max(level, (levels[dependency] ?? 0) + (isPhaseLater ? 0 : 1));
  }
  if (withRequired) for (const required of candidate.requires) level = Math.max(level, levels[required] ?? 0);
  return level;
}

function comparePlaces(left: KindPlace, right: KindPlace): number {
  return left.phase - right.phase || left.rank - right.rank;
}

function compareKeys(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
