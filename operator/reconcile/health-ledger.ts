// The health of each owned object as last assessed, added up: what one object does costs one assessment, however many there are. Assesses nothing itself.
import { type ApplicationHealth, type Health, type HealthState, healthStates } from '../model/health.ts';
import type { Inventory, InventoryEntry } from '../model/inventory.ts';
import type { ObjectKey } from '../model/object-ref.ts';

/** Health of one owned object as of now; undefined when it does not count yet. */
export type Assess = (key: ObjectKey, entry: InventoryEntry) => Health | undefined;

const worstFirst: readonly HealthState[] = healthStates.toReversed();

/**
 * Guarantees: the sum is that of assessing everything anew.
 * Assumes: `touch` is told of every object whose health may have changed while its inventory entry stayed the same value.
 */
export class HealthLedger {
  readonly #healths = new Map<ObjectKey, Health>();
  readonly #keys: ReadonlyMap<HealthState, Set<ObjectKey>> = new Map(healthStates.map((state) => [state, new Set()]));
  readonly #stale = new Set<ObjectKey>();
  #inventory: Inventory = new Map();

  /** The object is assessed again when next asked. */
  touch(key: ObjectKey): void {
    this.#stale.add(key);
  }

  /** The worst of all, decided by the first object in order of keys; `Healthy` when there is none. */
  worst(inventory: Inventory, assess: Assess): ApplicationHealth {
    this.#follow(inventory);
    for (const key of this.#stale) {
      const entry = inventory.get(key);
      this.#keep(key, entry === undefined ? undefined : assess(key, entry));
    }
    this.#stale.clear();
    for (const state of worstFirst) {
      const key = firstOf(this.#keys.get(state) ?? []);
      const entry = key === undefined ? undefined : inventory.get(key);
      const health = key === undefined ? undefined : this.#healths.get(key);
      if (entry !== undefined && health !== undefined && state !== 'Healthy') return { ...health, decidedBy: entry.ref };
    }
    return { state: 'Healthy', message: '' };
  }

  /** Inventories and their entries are values: what is another value may have changed. */
  #follow(inventory: Inventory): void {
    if (inventory === this.#inventory) return;
    for (const [key, entry] of inventory) if (this.#inventory.get(key) !== entry) this.#stale.add(key);
    for (const key of this.#inventory.keys()) if (!inventory.has(key)) this.#stale.add(key);
    this.#inventory = inventory;
  }

  #keep(key: ObjectKey, health: Health | undefined): void {
    const before = this.#healths.get(key);
    if (before !== undefined) this.#keys.get(before.state)?.delete(key);
    if (health === undefined) this.#healths.delete(key);
    else {
      this.#healths.set(key, health);
      this.#keys.get(health.state)?.add(key);
    }
  }
}

function firstOf(keys: Iterable<ObjectKey>): ObjectKey | undefined {
  let first: ObjectKey | undefined;
  for (const key of keys) if (first === undefined || key < first) first = key;
  return first;
}
