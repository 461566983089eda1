// Dependencies that lead back to where they began: no order of apply could keep them.
import type { Member, SetRule } from '../rule.ts';

/** No object depends on itself, directly or through others. Each circle is reported once, on the first of its members that was declared. */
export const checkDependencyCycles: SetRule = (members) => {
  const byIndex = new Map(members.map((member) => [member.index, member]));
  const settled = new Set<number>();
  return members.flatMap((member) => {
    const circle = settled.has(member.index) ? undefined : findCircle(member.index, byIndex, settled);
    if (circle === undefined) return [];
    const [start] = circle.toSorted((left, right) => left - right);
    const from = circle.indexOf(start ?? 0);
    const names = [...circle.slice(from), ...circle.slice(0, from), start ?? 0].map(
      (index) => byIndex.get(index)?.origin.constructPath ?? '',
    );
    const message = `depends on itself: ${names.join(' -> ')}`;
    return [{ index: start ?? member.index, problem: { code: 'DependencyCycle', message, hint: 'remove one of these dependencies' } }];
  });
};

/** Depth-first search without recursion; every index it leaves is settled and never searched again. */
function findCircle(start: number, members: ReadonlyMap<number, Member>, settled: Set<number>): readonly number[] | undefined {
  const path: number[] = [];
  const onPath = new Set<number>();
  const pending: { readonly index: number; readonly leave: boolean }[] = [{ index: start, leave: false }];
  let circle: readonly number[] | undefined;
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { index, leave } = next;
    if (leave) {
      path.pop();
      onPath.delete(index);
      settled.add(index);
    } else if (onPath.has(index)) circle ??= path.slice(path.indexOf(index));
    else if (!settled.has(index)) {
      path.push(index);
      onPath.add(index);
      pending.push({ index, leave: true });
      for (const dependency of members.get(index)?.dependsOn ?? [])
        if (members.has(dependency)) pending.push({ index: dependency, leave: false });
    }
  }
  return circle;
}
