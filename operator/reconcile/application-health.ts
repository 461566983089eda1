// Health of everything an Application owns, from what the watches show and our own last writes. Rules per kind are in health/.
import { assessHealth } from '../health/assess-health.ts';
import type { ApplicationHealth, Health } from '../model/health.ts';
import type { Inventory, InventoryEntry } from '../model/inventory.ts';
import { hasStatusHealth } from '../model/kinds-with-status.ts';
import type { ObjectKey } from '../model/object-ref.ts';
import type { ApplicationMemory } from './application-memory.ts';
import type { ObjectObserver } from './ports.ts';

/** The worst of all objects in the inventory; those that were never created yet are the sync's matter. */
export function healthOfApplication(memory: ApplicationMemory, observer: ObjectObserver): ApplicationHealth {
  return memory.health.worst(memory.inventory ?? nothing, (key, entry) =>
    entry.uid !== '' || memory.answered.has(key) ? healthOfObject(key, entry, memory, observer) : undefined,
  );
}

const nothing: Inventory = new Map();

/**
 * The health of one owned object. The server's answer to our last write counts until the watch has caught up with it, so that a rollout
 * is never taken for finished because its first event is still on its way.
 */
export function healthOfObject(key: ObjectKey, entry: InventoryEntry, memory: ApplicationMemory, observer: ObjectObserver): Health {
  const answered = memory.answered.get(key);
  if (answered !== undefined) return answered.health;
  const observed = observer.get(key);
  if (observed === undefined) return { state: 'Missing', message: entry.uid === '' ? 'not created yet' : 'does not exist in the cluster' };
  const status = hasStatusHealth(entry.ref) ? observer.status(key) : undefined;
  if (status !== undefined) return assessHealth(status);
  return observed.deletionTimestamp === undefined
    ? { state: 'Healthy', message: '' }
    : { state: 'Progressing', message: 'is being deleted' };
}
