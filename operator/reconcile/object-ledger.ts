// What is known of each owned object, kept between looks: what one object does costs one assessment, however many there are. Assesses nothing itself.
import type { Inventory, InventoryEntry } from '../model/inventory.ts';
import type { ObjectKey } from '../model/object-ref.ts';

/** What is known of one owned object as of now; undefined when it does not count. */
export type Assess<Value> = (key: ObjectKey, entry: InventoryEntry) => Value | undefined;

/**
 * Guarantees: the values are those of assessing everything anew.
 * Assumes: `touch` is told of every object of which something may have changed while its inventory entry stayed the same value.
 */
export class ObjectLedger<Value> {
  readonly #values = new Map<ObjectKey, Value>();
  readonly #stale = new Set<ObjectKey>();
  #inventory: Inventory = new Map();

  /** The object is assessed again when next asked. */
  touch(key: ObjectKey): void {
    this.#stale.add(key);
  }

  /** What is known of the objects that count. */
  values(inventory: Inventory, assess: Assess<Value>): ReadonlyMap<ObjectKey, Value> {
    this.#follow(inventory);
    for (const key of this.#stale) {
      const entry = inventory.get(key);
      const before = this.#values.get(key);
      const after = entry === undefined ? undefined : assess(key, entry);
      if (after === undefined) this.#values.delete(key);
      else this.#values.set(key, after);
      this.replaced(key, before, after);
    }
    this.#stale.clear();
    return this.#values;
  }

  /** Called for each object that was assessed. */
  protected replaced(_key: ObjectKey, _before: Value | undefined, _after: Value | undefined): void {}

  /** Inventories and their entries are values: what is another value may have changed. */
  #follow(inventory: Inventory): void {
    if (inventory === this.#inventory) return;
    for (const [key, entry] of inventory) if (this.#inventory.get(key) !== entry) this.#stale.add(key);
    for (const key of this.#inventory.keys()) if (!inventory.has(key)) this.#stale.add(key);
    this.#inventory = inventory;
  }
}
