// What a sync does to one object of the inventory that Git no longer declares. Whether that many may go at all is guard-plan.ts's matter.
import { pruneAnnotation, pruneDisabled } from '../../constructs/annotations.ts';
import { applicationKey } from '../model/application.ts';
import type { InventoryEntry } from '../model/inventory.ts';
import { groupOf, type ObjectKey, type ObjectRef } from '../model/object-ref.ts';
import type { ObservedObject } from '../model/observed.ts';
import type { Change, KeptReason, SkipChange } from '../model/plan.ts';
import { ownerOf } from '../model/tracking.ts';
import { holderOf, type PlanRequest } from './ports.ts';

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
  if (live === undefined && (entry.uid === '' || entry.lost === true))
    return skip(entry.lost === true ? 'is gone already' : 'was never created', true);
  const uid = live?.uid ?? entry.uid;
  if (identities.uids.has(uid)) return skip('is declared under another API group or scope', true);
  if (mayLiveOnAs(entry.ref, identities))
    return skip('may be declared under another API group or scope; decided after that one is applied', false);
  const foreign = live === undefined ? undefined : notOurs(key, entry, live, request);
  if (foreign !== undefined) return skip(foreign, true);
  const claimant = request.claimant?.(key);
  if (claimant !== undefined) return skip(`not in Git any more; Application ${claimant} declares it too and takes it over`, false);
  const stays = stayReason(entry, live, request);
  // Nothing is left to protect once it is gone, and what is gone must not be missed.
  if (stays?.kept === 'protected' && live === undefined) return skip('is gone already', true);
  const deletingSince = live?.deletionTimestamp;
  if (stays !== undefined) {
    if (deletingSince !== undefined) return skip('is being deleted already', false);
    return { ...skip(stays.reason, false), ...(stays.kept === undefined ? {} : { kept: stays.kept }) };
  }
  if (deletingSince === undefined) return { action: 'prune', ref: entry.ref, key, uid, reason: 'not in Git any more' };
  return { action: 'prune', ref: entry.ref, key, uid, deletingSince, reason: 'not in Git any more; is being deleted already' };
}

/** Why an object of ours that left Git is not deleted; undefined when it is. */
function stayReason(
  entry: InventoryEntry,
  live: ObservedObject | undefined,
  request: PlanRequest,
): { readonly reason: string; readonly kept?: KeptReason } | undefined {
  const reason = protection(entry, live);
  if (reason !== undefined) return { reason, kept: 'protected' };
  if (entry.lost === true) return { reason: lostReason, kept: 'lost' };
  return request.policy.prune ? undefined : { reason: 'not in Git any more; pruning is off' };
}

const lostReason = 'not in Git any more, and known only by its marks since an inventory was lost; it is left for a person to decide';

/** Why a live object with the name of an entry is not the one we applied; undefined when it is. */
function notOurs(key: ObjectKey, entry: InventoryEntry, live: ObservedObject, request: PlanRequest): string | undefined {
  const holder = holderOf(request, key, live);
  if (holder !== undefined) return `belongs to Application ${holder} now`;
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
