// Our order of charts and objects is cdk8s' own, for any tree and any dependencies.
import { afterAll, describe, expect, jest, test } from '@jest/globals';
import { ApiObject, App, Chart, DependencyGraph } from 'cdk8s';
import { Construct, type IConstruct } from 'constructs';
import fc from 'fast-check';
import { chartsInOrder, DependencyCycleError, objectsInOrder, orderOfApp } from '../../operator/synth/child/guest/topology.ts';

// a busy machine starts processes slowly
jest.setTimeout(60_000);

/** A tree: each node hangs below an earlier one; dependencies join any two. */
interface Shape {
  readonly nodes: readonly { readonly kind: 'chart' | 'group' | 'object'; readonly parent: number; readonly id: number }[];
  readonly dependencies: readonly (readonly [number, number])[];
}

const shapes: fc.Arbitrary<Shape> = fc.record({
  nodes: fc.array(
    fc.record({
      kind: fc.constantFrom('chart' as const, 'group' as const, 'object' as const),
      parent: fc.nat(30),
      // ids that are numbers come first in cdk8s' own order
      id: fc.integer({ min: 0, max: 12 }),
    }),
    { minLength: 2, maxLength: 14 },
  ),
  dependencies: fc.array(fc.tuple(fc.nat(20), fc.nat(20)), { maxLength: 6 }),
});

function build({ nodes, dependencies }: Shape): { readonly app: App; readonly charts: Chart[] } {
  const app = new App({ outdir: '/nonexistent' });
  const first = new Chart(app, 'first');
  const made: Construct[] = [first];
  for (const [index, { kind, parent, id }] of nodes.entries()) {
    const scope = kind === 'chart' && parent % 3 === 0 ? app : (made[parent % made.length] as Construct);
    const name = id < 6 ? `${id}${index}` : `n${id}-${index}`;
    if (kind === 'chart') made.push(new Chart(scope, name));
    else if (kind === 'group') made.push(new Construct(scope, name));
    else made.push(new ApiObject(scope, name, { apiVersion: 'v1', kind: 'A' }));
  }
  for (const [from, to] of dependencies) {
    const [source, target] = [made[from % made.length] as Construct, made[to % made.length] as Construct];
    if (source !== target) source.node.addDependency(target);
  }
  return { app, charts: made.filter((construct): construct is Chart => Chart.isChart(construct)) };
}

const paths = (constructs: readonly IConstruct[]): string[] => constructs.map((construct) => construct.node.path);

/** cdk8s' own answer: it infers dependencies while it serializes. */
function theirs(shape: Shape): Record<string, string[]> | 'circle' {
  const { app, charts } = build(shape);
  try {
    for (const chart of charts) chart.toJson();
    const objectsOf = (chart: Chart): string[] =>
      paths(
        new DependencyGraph(chart.node).topology().filter((construct) => ApiObject.isApiObject(construct) && Chart.of(construct) === chart),
      );
    return { charts: paths(app.charts), ...Object.fromEntries(charts.map((chart) => [chart.node.path, objectsOf(chart)])) };
  } catch (error) {
    if (/cycle|call stack/i.test(String(error))) return 'circle';
    throw error;
  }
}

function ours(shape: Shape): Record<string, string[]> | 'circle' {
  const { app, charts } = build(shape);
  try {
    const order = orderOfApp(app);
    const objects = charts.map((chart) => [chart.node.path, paths(objectsInOrder(chart, order))] as const);
    return { charts: paths(chartsInOrder(app, order)), ...Object.fromEntries(objects) };
  } catch (error) {
    if (error instanceof DependencyCycleError) return 'circle';
    throw error;
  }
}

describe('order', () => {
  const outcomes = { ordered: 0, circle: 0 };
  afterAll(() => expect(outcomes.ordered).toBeGreaterThan(100));

  test('equals that of cdk8s', () => {
    fc.assert(
      fc.property(shapes, (shape) => {
        const expected = theirs(shape);
        if (expected === 'circle') outcomes.circle++;
        else outcomes.ordered++;
        expect(ours(shape)).toEqual(expected);
      }),
      { numRuns: 600 },
    );
  });

  test('costs what the tree costs: long chains and whole charts that depend on each other', () => {
    const app = new App();
    const charts = Array.from({ length: 20 }, (_, index) => new Chart(app, `chart-${index}`));
    for (const [index, chart] of charts.entries()) {
      const objects = Array.from({ length: 200 }, (_, at) => new ApiObject(chart, `o${at}`, { apiVersion: 'v1', kind: 'A' }));
      for (const [at, object] of objects.entries()) if (at > 0) object.addDependency(objects[at - 1] as ApiObject);
      if (index > 0) chart.addDependency(charts[index - 1] as Chart);
    }
    const order = orderOfApp(app);
    expect(paths(chartsInOrder(app, order))).toEqual(charts.map((chart) => chart.node.path));
    expect(charts.map((chart) => objectsInOrder(chart, order)[0]?.node.id)).toEqual(charts.map(() => 'o0'));
  });
});
