// The health of each owned object as last assessed, added up. What health is, is in health/.
import { type ApplicationHealth, type Health, type HealthState, healthStates } from '../model/health.ts';
import type { Inventory } from '../model/inventory.ts';
import type { ObjectKey } from '../model/object-ref.ts';
import { type Assess, ObjectLedger } from './object-ledger.ts';

const worstFirst: readonly HealthState[] = healthStates.toReversed();

/** See {@link ObjectLedger} for what is guaranteed and assumed. */
export class HealthLedger extends ObjectLedger<Health> {
  readonly #keys: ReadonlyMap<HealthState, Set<ObjectKey>> = new Map(healthStates.map((state) => [state, new Set()]));

  /** The worst of all, decided by the first object in order of keys; `Healthy` when there is none. */
  worst(inventory: Inventory, assess: Assess<Health>): ApplicationHealth {
    const healths = this.values(inventory, assess);
    for (const state of worstFirst) {
      const key = firstOf(this.#keys.get(state) ?? []);
      const entry = key === undefined ? undefined : inventory.get(key);
      const health = key === undefined ? undefined : healths.get(key);
      if (entry !== undefined && health !== undefined && state !== 'Healthy') return { ...health, decidedBy: entry.ref };
    }
    return { state: 'Healthy', message: '' };
  }

  protected override replaced(key: ObjectKey, before: Health | undefined, after: Health | undefined): void {
    if (before !== undefined) this.#keys.get(before.state)?.delete(key);
    if (after !== undefined) this.#keys.get(after.state)?.add(key);
  }
}

function firstOf(keys: Iterable<ObjectKey>): ObjectKey | undefined {
  let first: ObjectKey | undefined;
  for (const key of keys) if (first === undefined || key < first) first = key;
  return first;
}
