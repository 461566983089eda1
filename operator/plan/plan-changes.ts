// Decides what a sync does to each object, in which order and why. Deciding only: nothing is read or written here.
import type { Manifest } from '../model/manifest.ts';
import { formatRef, type ObjectKey, type ObjectRef } from '../model/object-ref.ts';
import { type Change, type Plan, planDigest } from '../model/plan.ts';
import { arrangeSteps } from './arrange-steps.ts';
import { type Decision, decideDesired } from './decide-desired.ts';
import { type DesiredIdentities, decidePrune } from './decide-prune.ts';
import { comparePruned, orderDesired } from './order-objects.ts';
import type { PlanRequest } from './ports.ts';

/**
 * The plan of one sync.
 * Guarantees: total (every desired object and every inventory entry gets exactly one change), deterministic (the order of the input does
 * not matter), and an unchanged application gives a plan without steps.
 * Assumes: keys of `desired` are unique and dependencies have no cycle; validation refuses both.
 */
export function planChanges(request: PlanRequest): Plan {
  const ordered = orderDesired(request.desired);
  const decisions = holdBackDependants(ordered.map(({ manifest }) => decideDesired(manifest, request)));
  const desired = new Set(request.desired.map((manifest) => manifest.key));
  const leaving = [...request.inventory].filter(([key]) => !desired.has(key));
  const identities = leaving.length === 0 ? noIdentities : identitiesOf(request);
  const pruned = leaving
    .sort(([, left], [, right]) => comparePruned(left.ref, right.ref))
    .map(([key, entry]) => decidePrune(key, entry, identities, request));
  const changes: readonly Change[] = [...decisions.map((decision) => decision.change), ...pruned];
  const steps = arrangeSteps(ordered, decisions, pruned);
  return { changes, steps, digest: planDigest(steps) };
}

const noIdentities: DesiredIdentities = { uids: new Set(), unseen: new Map() };

/** Under which UIDs desired objects live, and which of them are not known to exist yet. */
function identitiesOf(request: PlanRequest): DesiredIdentities {
  const uids = new Set<string>();
  const unseen = new Map<string, ObjectRef[]>();
  for (const { key, ref } of request.desired) {
    const uid = request.observed(key)?.uid;
    const name = `${ref.kind}|${ref.name}`;
    if (uid !== undefined) uids.add(uid);
    else if (unseen.get(name)?.push(ref) === undefined) unseen.set(name, [ref]);
  }
  return { uids, unseen };
}

/** An object whose dependency cannot be applied now is not written either: the declared order could not be kept. */
function holdBackDependants(decisions: readonly Decision[]): readonly Decision[] {
  const unmet = new Map<ObjectKey, string>();
  return decisions.map((decision) => {
    const { change, manifest } = decision;
    const blocker = [...manifest.dependsOn].sort().flatMap((key) => unmet.get(key) ?? [])[0];
    const held = blocker !== undefined && (change.action === 'create' || change.action === 'update');
    const result: Decision = held ? { manifest, available: false, change: heldBack(manifest, blocker) } : decision;
    if (!result.available) unmet.set(manifest.key, formatRef(manifest.ref));
    return result;
  });
}

function heldBack(manifest: Manifest, blocker: string): Change {
  return { action: 'skip', ref: manifest.ref, key: manifest.key, forget: false, reason: `waits for ${blocker}, which it depends on` };
}
