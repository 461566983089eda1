// The inventory of an Application as it is stored, or, where it was lost or damaged, made again from the marks on live objects.
import { trackingLabelValue } from '../../constructs/annotations.ts';
import { OperatorError } from '../model/error.ts';
import type { Inventory, InventoryEntry } from '../model/inventory.ts';
import type { ObjectKey } from '../model/object-ref.ts';
import type { ObservedObject } from '../model/observed.ts';
import { ownEntry } from '../model/own-fields.ts';
import { ownerOf } from '../model/tracking.ts';
import type { Look } from './look.ts';

/**
 * Loads the inventory.
 * Guarantees: what is damaged, or holds less than the status last told, is never taken for all there is. What is found again is marked
 * `lost` until Git declares it: marks alone are no reason to delete.
 * Throws OperatorError; `InventoryCorrupt` when a newer operator wrote it.
 */
export async function loadInventory(look: Look): Promise<Inventory> {
  const { application, memory, parts } = look;
  const known = memory.status?.resources?.total ?? 0;
  const stored = await readStored(look);
  if (stored.why === undefined && stored.entries.size >= known) return stored.entries;
  const missing = missingEntries(stored.entries, await parts.observer.findLabelled(trackingLabelValue(application)), memory.key);
  if (stored.why === undefined && missing.length === 0) return stored.entries;
  const entries: Inventory = new Map([...stored.entries, ...missing]);
  await parts.inventories.replace(application, [...entries.values()]);
  memory.isRebuilt = true;
  const why = stored.why ?? `it named ${stored.entries.size} objects where there were ${known}`;
  parts.emit({ type: 'inventory-rebuilt', application: memory.key, why, found: missing.length });
  return entries;
}

/** What is stored and intact, and why that is not everything. */
async function readStored({ application, parts }: Look): Promise<{ readonly entries: Inventory; readonly why?: string }> {
  try {
    return { entries: await parts.inventories.load(application) };
  } catch (error) {
    if (!(error instanceof OperatorError) || error.code !== 'InventoryCorrupt') throw error;
    return { entries: await parts.inventories.salvage(application), why: error.message };
  }
}

/** Objects that an apply of ours marked as this Application's and that no entry names. One object is served under several groups at times. */
function missingEntries(
  stored: Inventory,
  labelled: readonly ObservedObject[],
  application: string,
): readonly [ObjectKey, InventoryEntry][] {
  const uids = new Set([...stored.values()].map(({ uid }) => uid));
  return labelled.flatMap((live): [ObjectKey, InventoryEntry][] => {
    const isOurs = ownerOf(live) === application && ownEntry(live.managedFields) !== undefined;
    if (!isOurs || uids.has(live.uid) || stored.get(live.key)?.uid === '') return [];
    uids.add(live.uid);
    return [[live.key, { ref: live.ref, uid: live.uid, digest: '', constructPath: '', position: '', revision: '', lost: true }]];
  });
}
