// The inventory around a plan: widened before anything is written, narrowed by what was confirmed afterwards. Storing is cluster/'s matter.
import type { ApplyResult, WrittenObject } from '../apply/apply-plan.ts';
import type { Inventory, InventoryEntry } from '../model/inventory.ts';
import { formatPosition, type Manifest } from '../model/manifest.ts';
import { keyOf, type ObjectKey } from '../model/object-ref.ts';
import type { Plan, WriteChange } from '../model/plan.ts';
import type { Look } from './look.ts';
import { ownershipConflict } from './ownership.ts';

/**
 * Enters what a plan will create or change, before it does: whatever happens in between, nothing is orphaned, and a write that was not
 * confirmed is known as our own afterwards.
 * Throws OperatorError; `OwnershipConflict` when another Application is about to create the same object.
 */
export async function widenInventory(look: Look, plan: Plan, revision: string): Promise<void> {
  const { memory, owned } = look;
  const inventory = memory.inventory ?? new Map();
  const writes = plan.steps.flatMap((step) => step.changes).filter((change) => change.action !== 'prune');
  for (const { manifest } of writes) {
    const isNew = !inventory.has(manifest.key);
    if (isNew && !owned.claim(memory.key, manifest.key)) throw ownershipConflict(manifest.ref, owned.ownerOf(manifest.key));
  }
  const entries = writes.flatMap((change) => unconfirmed(change, inventory.get(change.key), revision) ?? []);
  if (entries.length === 0) return;
  await save(look, entries, []);
}

/** An entry as it must be before its object is written; undefined when it may stay as it is. */
function unconfirmed(change: WriteChange, entry: InventoryEntry | undefined, revision: string): InventoryEntry | undefined {
  const { manifest, action } = change;
  if (entry === undefined) return { ...placeOf(manifest, revision), uid: '', digest: '' };
  // An object that is made anew gets a UID that is not known before.
  const uid = action === 'create' ? '' : entry.uid;
  // Without a digest the next look takes what it finds for our own half-done write, not for drift.
  const digest = entry.digest === manifest.digest ? entry.digest : '';
  return uid === entry.uid && digest === entry.digest ? undefined : { ...entry, uid, digest };
}

/** Enters what was written as it is now, and removes what is confirmed to be gone or not ours. Stores only when something changed. */
export async function narrowInventory(look: Look, plan: Plan, result: ApplyResult, revision: string): Promise<void> {
  const { memory, owned } = look;
  const entries = result.written.map((written) => entryOf(written, revision));
  // What another Application turned out to have before our first apply was never ours.
  const forgotten = plan.changes
    .filter(({ action, key }) => action === 'conflict' && memory.inventory?.get(key)?.uid === '')
    .concat(plan.changes.filter((change) => change.action === 'skip' && change.forget))
    .map((change) => change.key);
  const remove = [...new Set([...result.pruned, ...forgotten])];
  if (entries.length === 0 && remove.length === 0) return;
  await save(look, entries, remove);
  for (const { change } of result.written) memory.written.delete(change.key);
  for (const key of remove) {
    memory.written.delete(key);
    owned.release(memory.key, key);
    memory.answered.delete(key);
    memory.suspects.delete(key);
    memory.mutated.delete(key);
  }
}

/** Stores a change of the inventory. When that fails, what is stored is not known: it is read again before the next look. */
async function save({ memory, parts, application }: Look, entries: readonly InventoryEntry[], remove: readonly ObjectKey[]): Promise<void> {
  try {
    await parts.inventories.save(application, entries, remove);
  } catch (error) {
    memory.isOutdated = true;
    throw error;
  }
  memory.inventory = changed(memory.inventory ?? new Map(), entries, remove);
}

function placeOf(manifest: Manifest, revision: string): Omit<InventoryEntry, 'uid' | 'digest'> {
  const { constructPath, frames } = manifest.origin;
  return { ref: manifest.ref, constructPath, position: frames.map(formatPosition).join(' < '), revision };
}

function entryOf({ change, baseline }: WrittenObject, revision: string): InventoryEntry {
  return { ...placeOf(change.manifest, revision), uid: baseline.uid, digest: change.manifest.digest, baseline };
}

/** A new inventory; the old one is a value that others may hold. */
function changed(inventory: Inventory, entries: readonly InventoryEntry[], remove: readonly ObjectKey[]): Inventory {
  const next = new Map(inventory);
  for (const key of remove) next.delete(key);
  for (const entry of entries) next.set(keyOf(entry.ref), entry);
  return next;
}
