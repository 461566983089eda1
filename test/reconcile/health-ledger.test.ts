// Health added up: equal to assessing everything anew, at the cost of what changed.
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Health, healthStates } from '../../operator/model/health.ts';
import type { Inventory, InventoryEntry } from '../../operator/model/inventory.ts';
import { keyOf } from '../../operator/model/object-ref.ts';
import { HealthLedger } from '../../operator/reconcile/health-ledger.ts';

function entryOf(name: string): InventoryEntry {
  const ref = { apiVersion: 'v1', kind: 'Pod', namespace: 'shop', name };
  return { ref, uid: `uid-${name}`, digest: '', constructPath: '', position: '', revision: '' };
}

const inventoryOf = (names: Iterable<string>): Inventory => new Map([...names].map((name) => [keyOf(entryOf(name).ref), entryOf(name)]));

/** What a ledger must say, by assessing everything. */
function expected(inventory: Inventory, healths: ReadonlyMap<string, Health>): string {
  const assessed = [...inventory.values()]
    .sort((left, right) => (left.ref.name < right.ref.name ? -1 : 1))
    .map(({ ref }) => [ref.name, healths.get(ref.name)] as const);
  const worst = [...healthStates].reverse().find((state) => state !== 'Healthy' && assessed.some(([, health]) => health?.state === state));
  const [name, health] = assessed.find(([, candidate]) => candidate?.state === worst) ?? [];
  return worst === undefined ? 'Healthy' : `${health?.state} ${health?.message} by ${name}`;
}

function say(ledger: HealthLedger, inventory: Inventory, healths: ReadonlyMap<string, Health>): string {
  const { state, message, decidedBy } = ledger.worst(inventory, (_, { ref }) => healths.get(ref.name));
  return decidedBy === undefined ? state : `${state} ${message} by ${decidedBy.name}`;
}

test('is the worst, named by the first object, whatever came and went before', () => {
  const name = fc.constantFrom('a', 'b', 'c', 'd');
  const health = fc.option(fc.record({ state: fc.constantFrom(...healthStates), message: fc.constantFrom('', 'why') }), { nil: undefined });
  const step = fc.oneof(fc.record({ name, health }), fc.record({ names: fc.uniqueArray(name) }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const ledger = new HealthLedger();
      const healths = new Map<string, Health>();
      let inventory = inventoryOf(['a', 'b']);
      for (const one of steps) {
        if ('names' in one) inventory = inventoryOf(one.names);
        else {
          if (one.health === undefined) healths.delete(one.name);
          else healths.set(one.name, one.health);
          ledger.touch(keyOf(entryOf(one.name).ref));
        }
        expect(say(ledger, inventory, healths)).toBe(expected(inventory, healths));
      }
    }),
  );
});

test('assesses only what was touched, and what is new in the inventory', () => {
  const ledger = new HealthLedger();
  const assessed: string[] = [];
  const ask = (inventory: Inventory): void => {
    ledger.worst(inventory, (_, { ref }) => {
      assessed.push(ref.name);
      return { state: 'Healthy', message: '' };
    });
  };
  const inventory = inventoryOf(['a', 'b', 'c']);
  ask(inventory);
  expect(assessed.splice(0)).toEqual(['a', 'b', 'c']);
  ask(inventory);
  expect(assessed.splice(0)).toEqual([]);
  ledger.touch(keyOf(entryOf('b').ref));
  ask(inventory);
  expect(assessed.splice(0)).toEqual(['b']);
  ask(new Map([...inventory, ...inventoryOf(['d'])]));
  expect(assessed.splice(0)).toEqual(['d']);
});
