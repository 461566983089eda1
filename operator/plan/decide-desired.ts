// What a sync does to one object that Git declares: write it, leave it, or stand back. What leaves Git is decided in decide-prune.ts.
import { managersBefore } from '../model/adoption.ts';
import { applicationKey } from '../model/application.ts';
import { type FieldConflict, formatConflicts } from '../model/error.ts';
import type { Manifest } from '../model/manifest.ts';
import type { ObservedObject } from '../model/observed.ts';
import type { Change } from '../model/plan.ts';
import { ownerOf } from '../model/tracking.ts';
import { holderOf, type PlanRequest } from './ports.ts';

/** One desired object with its change. `available`: other objects may depend on it once the plan has run. */
export interface Decision {
  readonly manifest: Manifest;
  readonly change: Change;
  readonly available: boolean;
}

/** Decides on one desired object. */
export function decideDesired(manifest: Manifest, request: PlanRequest): Decision {
  const decision = decideUnheld(manifest, request);
  const held = request.heldFields?.get(manifest.key);
  const { action } = decision.change;
  return held === undefined || (action !== 'create' && action !== 'update') ? decision : heldBy(manifest, held);
}

function decideUnheld(manifest: Manifest, request: PlanRequest): Decision {
  const live = request.observed(manifest.key);
  const holder = holderOf(request, manifest.key, live);
  if (holder !== undefined) return conflict(manifest, holder);
  if (live === undefined) return decideAbsent(manifest, request);
  if (live.deletionTimestamp !== undefined) return skip(manifest, 'is being deleted; it is created again when it is gone', false);
  return decidePresent(manifest, live, request);
}

function decideAbsent(manifest: Manifest, request: PlanRequest): Decision {
  const entry = request.inventory.get(manifest.key);
  if (entry === undefined) return write(manifest, '', 'new in Git');
  if (entry.uid === '') return write(manifest, '', 'its last apply was not confirmed');
  if (entry.digest !== manifest.digest) return write(manifest, '', 'changed in Git and missing in the cluster');
  if (request.policy.selfHeal) return write(manifest, '', 'missing in the cluster');
  return skip(manifest, 'missing in the cluster; self-heal is off', false);
}

function decidePresent(manifest: Manifest, live: ObservedObject, request: PlanRequest): Decision {
  const entry = request.inventory.get(manifest.key);
  const isMarked = ownerOf(live) === applicationKey(request.owner);
  if ((entry === undefined || entry.uid === '') && !isMarked) return adopt(manifest, live, 'exists already and is adopted');
  if (entry === undefined) return write(manifest, live.uid, 'was applied by this Application before and is in no inventory');
  if (entry.lost === true) return write(manifest, live.uid, 'its entry in the inventory was lost');
  if (entry.digest === '' || entry.uid === '') return write(manifest, live.uid, 'its last apply was not confirmed');
  if (entry.digest !== manifest.digest && entry.uid !== live.uid && !isMarked)
    return adopt(manifest, live, 'changed in Git, and was deleted and created again by someone else');
  if (entry.digest !== manifest.digest) return write(manifest, live.uid, 'changed in Git');
  if (entry.uid !== live.uid) return heal(manifest, live, 'was deleted and created again by someone else', request);
  if (request.suspects.has(manifest.key)) return heal(manifest, live, 'differs from Git in the cluster', request);
  const { ref, key } = manifest;
  return { manifest, available: true, change: { action: 'unchanged', ref, key, manifest, reason: 'equal to Git' } };
}

function heal(manifest: Manifest, live: ObservedObject, reason: string, request: PlanRequest): Decision {
  if (!request.policy.selfHeal) return skip(manifest, `${reason}; self-heal is off`, true);
  const isAnother = request.inventory.get(manifest.key)?.uid !== live.uid && ownerOf(live) !== applicationKey(request.owner);
  return isAnother ? adopt(manifest, live, reason) : write(manifest, live.uid, reason);
}

/** Writes an object that somebody else made: the change says whom it is taken over from. */
function adopt(manifest: Manifest, live: ObservedObject, reason: string): Decision {
  const adoptedFrom = managersBefore(live.managedFields);
  const { ref, key } = manifest;
  const from = adoptedFrom.length === 0 ? '' : `; taken over from ${adoptedFrom.join(', ')}`;
  const change: Change = { action: 'update', ref, key, uid: live.uid, manifest, adoptedFrom, reason: `${reason}${from}` };
  return { manifest, available: true, change };
}

function write(manifest: Manifest, uid: string, reason: string): Decision {
  const { ref, key } = manifest;
  return { manifest, available: true, change: { action: uid === '' ? 'create' : 'update', ref, key, uid, manifest, reason } };
}

function skip(manifest: Manifest, reason: string, available: boolean): Decision {
  const { ref, key } = manifest;
  return { manifest, available, change: { action: 'skip', ref, key, forget: false, reason } };
}

function heldBy(manifest: Manifest, fields: readonly FieldConflict[]): Decision {
  const { ref, key } = manifest;
  const owner = [...new Set(fields.map(({ manager }) => manager))].sort().join(', ');
  return { manifest, available: false, change: { action: 'conflict', ref, key, owner, fields, reason: formatConflicts(fields) } };
}

function conflict(manifest: Manifest, owner: string): Decision {
  const { ref, key } = manifest;
  return { manifest, available: false, change: { action: 'conflict', ref, key, owner, reason: `belongs to Application ${owner}` } };
}
