// The order of objects: construct dependencies first, then kind, then name. Which of them are written, and where barriers stand, is decided elsewhere.
import type { Manifest } from '../model/manifest.ts';
import { compareRefs, type ObjectKey, type ObjectRef } from '../model/object-ref.ts';
import { placeOf } from './kind-order.ts';
import { requiredObjects } from './required-objects.ts';

/** An object with its place: all objects of a lower level, or of the same level and a lower phase, come before it. */
export interface OrderedObject {
  readonly manifest: Manifest;
  readonly level: number;
  readonly phase: number;
}

/**
 * Objects in apply order.
 * Guarantees: total and deterministic; an object comes after its dependencies, its Namespace and its CustomResourceDefinition. Where a
 * declared dependency contradicts one of the latter two, the declared one holds; with a circle of declared ones, kind order alone.
 */
export function orderDesired(desired: readonly Manifest[]): readonly OrderedObject[] {
  const byName = [...desired].sort((left, right) => compareRefs(left.ref, right.ref));
  const keys = new Set(byName.map((manifest) => manifest.key));
  const declared = new Map(
    byName.map((manifest) => [manifest.key, manifest.dependsOn.filter((key) => keys.has(key) && key !== manifest.key)]),
  );
  const levels =
    levelsOf(byName, declared, requiredObjects(byName)) ?? levelsOf(byName, declared, new Map()) ?? new Map<ObjectKey, number>();
  return byName
    .map((manifest) => ({ manifest, level: levels.get(manifest.key) ?? 0, phase: placeOf(manifest.ref).phase }))
    .sort((left, right) => left.level - right.level || compareKinds(left.manifest.ref, right.manifest.ref));
}

/** The order in which objects that left Git are removed: the reverse of kind order. */
export function comparePruned(left: ObjectRef, right: ObjectRef): number {
  return -compareKinds(left, right);
}

function compareKinds(left: ObjectRef, right: ObjectRef): number {
  const a = placeOf(left);
  const b = placeOf(right);
  return a.phase - b.phase || a.rank - b.rank || compareRefs(left, right);
}

type Edges = ReadonlyMap<ObjectKey, readonly ObjectKey[]>;

/** The level of each object, or undefined when the edges have a circle. */
function levelsOf(objects: readonly Manifest[], declared: Edges, implied: Edges): ReadonlyMap<ObjectKey, number> | undefined {
  const phases = new Map(objects.map((manifest) => [manifest.key, placeOf(manifest.ref).phase]));
  const dependants = new Map<ObjectKey, { readonly key: ObjectKey; readonly rise: number }[]>();
  const missing = new Map<ObjectKey, number>();
  const connect = (key: ObjectKey, dependency: ObjectKey, rise: number): void => {
    const list = dependants.get(dependency);
    if (list === undefined) dependants.set(dependency, [{ key, rise }]);
    else list.push({ key, rise });
    missing.set(key, (missing.get(key) ?? 0) + 1);
  };
  for (const { key } of objects) {
    const phase = phases.get(key) ?? 0;
    for (const dependency of declared.get(key) ?? []) connect(key, dependency, phase > (phases.get(dependency) ?? 0) ? 0 : 1);
    for (const dependency of implied.get(key) ?? []) connect(key, dependency, 0);
  }
  const levels = new Map<ObjectKey, number>(objects.map((manifest) => [manifest.key, 0]));
  const ready = objects.map((manifest) => manifest.key).filter((key) => !missing.has(key));
  for (const key of ready) {
    for (const { key: dependant, rise } of dependants.get(key) ?? []) {
      levels.set(dependant, Math.max(levels.get(dependant) ?? 0, (levels.get(key) ?? 0) + rise));
      const left = (missing.get(dependant) ?? 1) - 1;
      missing.set(dependant, left);
      if (left === 0) ready.push(dependant);
    }
  }
  return ready.length === objects.length ? levels : undefined;
}
