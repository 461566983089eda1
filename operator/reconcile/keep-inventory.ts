// The inventory around a plan: widened before anything is written, narrowed by what was confirmed afterwards. Storing is cluster/'s matter.
import type { ApplyResult, WrittenObject } from '../apply/apply-plan.ts';
import { OperatorError } from '../model/error.ts';
import type { Inventory, InventoryEntry } from '../model/inventory.ts';
import { formatPosition, type Manifest } from '../model/manifest.ts';
import { formatRef, keyOf, type ObjectKey } from '../model/object-ref.ts';
import type { Plan } from '../model/plan.ts';
import type { Look } from './look.ts';

/**
 * Enters what a plan will create, before it is created: whatever happens in between, nothing is orphaned.
 * Throws OperatorError; `OwnershipConflict` when another Application is about to create the same object.
 */
export async function widenInventory(look: Look, plan: Plan, revision: string): Promise<void> {
  const { memory, owned, parts, application } = look;
  const inventory = memory.inventory ?? new Map();
  const created = plan.steps
    .flatMap((step) => step.changes)
    .flatMap((change) => (change.action === 'prune' || inventory.has(change.key) ? [] : [change.manifest]));
  for (const manifest of created) if (!owned.claim(memory.key, manifest.key)) throw claimedTwice(manifest, owned.ownerOf(manifest.key));
  if (created.length === 0) return;
  const entries = created.map((manifest) => ({ ...placeOf(manifest, revision), uid: '', digest: '' }));
  await parts.inventories.save(application, entries, []);
  memory.inventory = changed(inventory, entries, []);
}

/** Enters what was written as it is now, and removes what is confirmed to be gone or not ours. Stores only when something changed. */
export async function narrowInventory(look: Look, plan: Plan, result: ApplyResult, revision: string): Promise<void> {
  const { memory, owned, parts, application } = look;
  const entries = result.written.map((written) => entryOf(written, revision));
  const forgotten = plan.changes.filter((change) => change.action === 'skip' && change.forget).map((change) => change.key);
  const remove = [...new Set([...result.pruned, ...forgotten])];
  if (entries.length === 0 && remove.length === 0) return;
  await parts.inventories.save(application, entries, remove);
  memory.inventory = changed(memory.inventory ?? new Map(), entries, remove);
  for (const { change } of result.written) memory.written.delete(change.key);
  for (const key of remove) {
    memory.written.delete(key);
    owned.release(memory.key, key);
    memory.answered.delete(key);
    memory.suspects.delete(key);
    memory.mutated.delete(key);
  }
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

function claimedTwice(manifest: Manifest, owner: string | undefined): OperatorError {
  return new OperatorError(`apply ${formatRef(manifest.ref)}: it belongs to Application ${owner}`, {
    ...{ code: 'OwnershipConflict', stage: 'apply', fate: 'transient' },
    hint: 'declare it in one of the two only',
  });
}
