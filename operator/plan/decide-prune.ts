// What a sync does to one object of the inventory that Git no longer declares. Whether that many may go at all is guard-plan.ts's matter.
import { pruneAnnotation, pruneDisabled } from '../../constructs/annotations.ts';
import { applicationKey } from '../model/application.ts';
import type { InventoryEntry } from '../model/inventory.ts';
import { groupOf, type ObjectKey, type ObjectRef } from '../model/object-ref.ts';
import type { ObservedObject } from '../model/observed.ts';
import type { Change, SkipChange } from '../model/plan.ts';
import { foreignOwnerOf, ownerOf } from '../model/tracking.ts';
import type { PlanRequest } from './ports.ts';

/** Under which UIDs desired objects live, and those not known to exist yet, by `kind|name`. */
export interface DesiredIdentities {
  readonly uids: ReadonlySet<string>;
  readonly unseen: ReadonlyMap<string, readonly ObjectRef[]>;
}

/** Kinds whose deletion takes other people's data or objects along. They are never pruned. */
const keptKinds: ReadonlySet<string> = new Set([
  '|PersistentVolumeClaim',
  '|PersistentVolume',
  '|Namespace',
  'apiextensions.k8s.io|CustomResourceDefinition',
  'storage.k8s.io|StorageClass',
]);

/**
 * Decides on one entry that left Git.
 * A skip keeps the entry while the object is still ours to mind (protected, being deleted, prune off), so that it is seen in every plan and
 * removed once the reason is gone; it forgets the entry when the object is not ours, or not this object, any more.
 */
export function decidePrune(key: ObjectKey, entry: InventoryEntry, identities: DesiredIdentities, request: PlanRequest): Change {
  const live = request.observed(key);
  const group = groupOf(entry.ref.apiVersion);
  const skip = (reason: string, forget: boolean): SkipChange => ({ action: 'skip', ref: entry.ref, key, forget, reason });
  if (request.failedGroups?.has(group) === true) return skip(`its API group ${group} does not answer`, false);
  if (live === undefined && entry.uid === '') return skip('was never created', true);
  const uid = live?.uid ?? entry.uid;
  if (identities.uids.has(uid)) return skip('is declared under another API group or scope', true);
  if (mayLiveOnAs(entry.ref, identities))
    return skip('may be declared under another API group or scope; decided after that one is applied', false);
  const foreign = live === undefined ? undefined : notOurs(entry, live, request);
  if (foreign !== undefined) return skip(foreign, true);
  if (live?.deletionTimestamp !== undefined) return skip('is being deleted already', false);
  const kept = protection(entry, live);
  // Nothing is left to protect once it is gone, and what is gone must not be missed.
  if (kept !== undefined) return live === undefined ? skip('is gone already', true) : skip(kept, false);
  if (!request.policy.prune) return skip('not in Git any more; pruning is off', false);
  return { action: 'prune', ref: entry.ref, key, uid, reason: 'not in Git any more' };
}

/** Why a live object with the name of an entry is not the one we applied; undefined when it is. */
function notOurs(entry: InventoryEntry, live: ObservedObject, request: PlanRequest): string | undefined {
  const owner = foreignOwnerOf(live, request.owner);
  if (owner !== undefined) return `belongs to Application ${owner} now`;
  if (entry.uid === '') return ownerOf(live) === applicationKey(request.owner) ? undefined : 'was never applied by this Application';
  return entry.uid === live.uid ? undefined : 'was replaced by another object of the same name';
}

/** Whether an object not seen yet could turn out to be this one: the same name in another group, or in another scope of the same group. */
function mayLiveOnAs(ref: ObjectRef, identities: DesiredIdentities): boolean {
  const candidates = identities.unseen.get(`${ref.kind}|${ref.name}`) ?? [];
  return candidates.some((candidate) => {
    if (groupOf(candidate.apiVersion) !== groupOf(ref.apiVersion)) return candidate.namespace === ref.namespace;
    return candidate.namespace === '' || ref.namespace === '';
  });
}

function protection(entry: InventoryEntry, live: ObservedObject | undefined): string | undefined {
  if (live?.annotations[pruneAnnotation] === pruneDisabled) return `protected by the annotation ${pruneAnnotation}: ${pruneDisabled}`;
  if (keptKinds.has(`${groupOf(entry.ref.apiVersion)}|${entry.ref.kind}`)) return `objects of kind ${entry.ref.kind} are never pruned`;
  return undefined;
}
