// Turns ordered decisions into steps: as few barriers as the order needs, waits for health where something depends on it, removals last.
import type { ObjectKey } from '../model/object-ref.ts';
import type { Change, PlanStep, PruneChange, WriteChange } from '../model/plan.ts';
import type { Decision } from './decide-desired.ts';
import { placeOf } from './kind-order.ts';
import type { OrderedObject } from './order-objects.ts';
import { definesKind, requiredObjects } from './required-objects.ts';

interface Group {
  readonly place: string;
  readonly changes: (WriteChange | PruneChange)[];
}

/** Steps with something to do, and the waits between them. `decisions` are in the order of `ordered`, `pruned` in the order of removal. */
export function arrangeSteps(
  ordered: readonly OrderedObject[],
  decisions: readonly Decision[],
  pruned: readonly Change[],
): readonly PlanStep[] {
  const groups: Group[] = [];
  ordered.forEach(({ level, phase }, index) => {
    const change = decisions[index]?.change;
    if (change?.action === 'create' || change?.action === 'update') append(groups, `apply ${level}.${phase}`, change);
  });
  for (const change of pruned) {
    if (change.action === 'prune') append(groups, `prune ${placeOf(change.ref).phase}`, change);
  }
  return withWaits(groups, prerequisites(decisions));
}

function append(groups: Group[], place: string, change: WriteChange | PruneChange): void {
  const last = groups.at(-1);
  if (last?.place === place) last.changes.push(change);
  else groups.push({ place, changes: [change] });
}

/** What must be healthy before an object is written: what it depends on, and its CustomResourceDefinition while that is being written. */
function prerequisites(decisions: readonly Decision[]): (change: WriteChange | PruneChange) => readonly ObjectKey[] {
  const manifests = decisions.map((decision) => decision.manifest);
  const declared = new Map(manifests.map((manifest) => [manifest.key, manifest]));
  const required = requiredObjects(manifests);
  const written = new Set(
    decisions.filter(({ change }) => change.action === 'create' || change.action === 'update').map(({ change }) => change.key),
  );
  return (change) => {
    if (change.action === 'prune') return [];
    const definitions = (required.get(change.key) ?? []).filter((key) => written.has(key) && isDefinition(declared.get(key)));
    return [...change.manifest.dependsOn.filter((key) => key !== change.key && declared.has(key)), ...definitions];
  };
}

function isDefinition(manifest: Decision['manifest'] | undefined): boolean {
  return manifest !== undefined && definesKind(manifest);
}

function withWaits(
  groups: readonly Group[],
  prerequisitesOf: (change: WriteChange | PruneChange) => readonly ObjectKey[],
): readonly PlanStep[] {
  const waited = new Set<ObjectKey>();
  const steps: PlanStep[] = [];
  for (const { changes } of groups) {
    const waits = [...new Set(changes.flatMap((change) => prerequisitesOf(change)))].filter((key) => !waited.has(key)).sort();
    for (const key of waits) waited.add(key);
    const before = steps.pop();
    if (before !== undefined) steps.push({ changes: before.changes, waitHealthy: waits });
    else if (waits.length > 0) steps.push({ changes: [], waitHealthy: waits });
    steps.push({ changes, waitHealthy: [] });
  }
  return steps;
}
