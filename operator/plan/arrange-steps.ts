// Turns ordered decisions into steps: as few barriers as the order needs, waits for health where something depends on it, removals last.
import type { ObjectKey } from '../model/object-ref.ts';
import type { Change, PlanStep, PruneChange, WriteChange } from '../model/plan.ts';
import type { Decision } from './decide-desired.ts';
import { isListed, placeOf } from './kind-order.ts';
import type { OrderedObject } from './order-objects.ts';
import { definesKind } from './required-objects.ts';

interface Group {
  readonly place: string;
  readonly changes: (WriteChange | PruneChange)[];
  /** What must be healthy before any of these is sent. */
  readonly waits: Set<ObjectKey>;
}

/** Steps with something to do, and the waits between them. `decisions` are in the order of `ordered`, `pruned` in the order of removal. */
export function arrangeSteps(
  ordered: readonly OrderedObject[],
  decisions: readonly Decision[],
  pruned: readonly Change[],
): readonly PlanStep[] {
  const groups: Group[] = [];
  const writes = ordered.flatMap((object, index) => {
    const change = decisions[index]?.change;
    return change?.action === 'create' || change?.action === 'update' ? [{ object, change }] : [];
  });
  const declared = writes.length === 0 ? new Set<ObjectKey>() : new Set(ordered.map(({ manifest }) => manifest.key));
  const established = new Set(writes.filter(({ object }) => definesKind(object.manifest)).map(({ change }) => change.key));
  for (const { object, change } of writes) {
    const group = append(groups, `apply ${object.level}.${object.phase}`, change);
    for (const key of object.manifest.dependsOn) if (key !== change.key && declared.has(key)) group.waits.add(key);
    for (const key of object.requires) if (established.has(key)) group.waits.add(key);
  }
  for (const change of pruned) {
    if (change.action === 'prune') append(groups, `prune ${placeOfRemoval(change)}`, change);
  }
  return withWaits(groups);
}

/** Custom resources go, and are gone, before what may be their controller: it has their finalizers to see to. */
function placeOfRemoval({ ref }: PruneChange): string {
  const { phase } = placeOf(ref);
  return isListed(ref) ? String(phase) : `${phase} custom`;
}

function append(groups: Group[], place: string, change: WriteChange | PruneChange): Group {
  const last = groups.at(-1);
  const group = last?.place === place ? last : { place, changes: [], waits: new Set<ObjectKey>() };
  if (group !== last) groups.push(group);
  group.changes.push(change);
  return group;
}

/** A wait belongs to the step before the one that needs it; what was waited for once is not waited for again. */
function withWaits(groups: readonly Group[]): readonly PlanStep[] {
  const waited = new Set<ObjectKey>();
  const steps: PlanStep[] = [];
  for (const { changes, waits } of groups) {
    const waitHealthy = [...waits].filter((key) => !waited.has(key)).sort();
    for (const key of waitHealthy) waited.add(key);
    const before = steps.pop();
    if (before !== undefined) steps.push({ changes: before.changes, waitHealthy });
    else if (waitHealthy.length > 0) steps.push({ changes: [], waitHealthy });
    steps.push({ changes, waitHealthy: [] });
  }
  return steps;
}
