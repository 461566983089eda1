// What is live of the objects at hand: from the watches, and by a GET where a watch cannot tell. Judges nothing.
import { OperatorError } from '../model/error.ts';
import type { InventoryEntry } from '../model/inventory.ts';
import { groupOf, type KindRef, keyOf, type ObjectKey, type ObjectRef } from '../model/object-ref.ts';
import type { ObservedObject } from '../model/observed.ts';
import type { ObjectObserver } from './ports.ts';

/** Live metadata by key; undefined means absent. */
export type Observed = (key: ObjectKey) => ObservedObject | undefined;

/**
 * Watches the kinds of owned objects. Resolves with the API groups that do not answer: of their objects nothing is known, so they are neither
 * absent nor changed.
 */
export async function watchOwned(owned: Iterable<InventoryEntry>, observer: ObjectObserver): Promise<ReadonlySet<string>> {
  const kinds = new Map<string, KindRef>();
  for (const { ref } of owned) kinds.set(`${ref.apiVersion}|${ref.kind}`, ref);
  const groups = Map.groupBy(kinds.values(), ({ apiVersion }) => groupOf(apiVersion));
  const silent = new Set<string>();
  const watch = async ([group, kinds]: readonly [string, readonly KindRef[]]): Promise<void> => {
    try {
      await observer.watchKinds(kinds);
    } catch (error) {
      if (!(error instanceof OperatorError) || error.code !== 'ApiUnreachable') throw error;
      silent.add(group);
    }
  };
  await Promise.all([...groups].map(watch));
  return silent;
}

/** GETs at once. */
const lanes = 16;

/**
 * Watches the kinds at hand and asks for each owned object that no watch shows: an object without our label leaves the watch but not the
 * cluster, and one whose apply was not confirmed may be younger than what the watch has shown.
 */
export async function readObserved(
  kinds: readonly KindRef[],
  owned: Iterable<InventoryEntry>,
  observer: ObjectObserver,
): Promise<Observed> {
  await observer.watchKinds(kinds);
  const unseen = [...owned].filter((entry) => observer.get(keyOf(entry.ref)) === undefined);
  return withFetched(
    (key) => observer.get(key),
    unseen.map(({ ref }) => ref),
    observer,
  );
}

/** What is observed, with what a GET shows of some objects that no watch shows. */
export async function withFetched(observed: Observed, refs: readonly ObjectRef[], observer: ObjectObserver): Promise<Observed> {
  if (refs.length === 0) return observed;
  const fetched = new Map<ObjectKey, ObservedObject>();
  const queue = refs[Symbol.iterator]();
  const lane = async (): Promise<void> => {
    for (const ref of queue) {
      const live = await observer.fetch(ref);
      if (live !== undefined) fetched.set(keyOf(ref), live);
    }
  };
  await Promise.all(Array.from({ length: Math.min(lanes, refs.length) }, lane));
  return (key) => observed(key) ?? fetched.get(key);
}
