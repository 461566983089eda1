// The order cdk8s gives to charts and objects, in time that grows with the tree and its dependencies only. Asserted equal to cdk8s' own.
import { ApiObject, Chart } from 'cdk8s';
import type { IConstruct } from 'constructs';

/** Constructs that a construct's dependencies lead to, in groups that many sources share. */
type Groups = (readonly IConstruct[])[];

/** A circle of dependencies. */
export class DependencyCycleError extends Error {
  readonly cycle: readonly IConstruct[];
  readonly setpointFinding = 'DependencyCycle';
  readonly setpointHint = 'remove one of the addDependency calls';
  constructor(cycle: readonly IConstruct[]) {
    super(`Dependency cycle detected: ${cycle.map((construct) => construct.node.path).join(' => ')}`);
    this.cycle = cycle;
  }
}

/** One declared dependency between two constructs. */
export interface DeclaredDependency {
  readonly source: IConstruct;
  readonly target: IConstruct;
}

/** What cdk8s derives from the dependencies of one app. */
export interface AppOrder {
  readonly app: IConstruct;
  readonly constructs: readonly IConstruct[];
  readonly declared: readonly DeclaredDependency[];
  /** True when files are numbered, because a chart depends on another. */
  readonly chartsDepend: boolean;
  readonly outgoing: ReadonlyMap<IConstruct, Groups>;
}

/** Dependencies of an app at this moment, chart dependencies inferred the way cdk8s does. */
export function orderOfApp(app: IConstruct, constructs: readonly IConstruct[] = app.node.findAll()): AppOrder {
  const declared = dependenciesOf(constructs);
  const edges = [...declared];
  const known = new Set<string>();
  const indices = new Map(constructs.map((construct, index) => [construct, index]));
  let chartsDepend = false;
  const addChartEdge = (source: IConstruct, target: IConstruct): void => {
    chartsDepend = true;
    const key = `${indices.get(source)}>${indices.get(target)}`;
    if (known.has(key)) return;
    known.add(key);
    edges.push({ source, target });
  };
  for (const chart of constructs.filter(isChart)) for (const nested of chart.node.children.filter(isChart)) addChartEdge(chart, nested);
  for (const { source, target } of declared) {
    const [from, to] = [Chart.of(source), Chart.of(target)];
    if (from !== to) addChartEdge(from, to);
  }
  return { app, constructs, declared, chartsDepend, outgoing: outgoingOf(constructs, edges) };
}

/** Charts of an app in the order cdk8s writes them. */
export function chartsInOrder(app: IConstruct, order: AppOrder): Chart[] {
  return topology(app, order).filter(isChart) as Chart[];
}

/** Objects of a chart, nested charts left out, in the order cdk8s writes them. */
export function objectsInOrder(chart: IConstruct, order: AppOrder): ApiObject[] {
  return topology(chart, order).filter((construct) => isApiObject(construct) && Chart.of(construct) === chart) as ApiObject[];
}

function isChart(construct: IConstruct): boolean {
  return Chart.isChart(construct);
}

function isApiObject(construct: IConstruct): boolean {
  return ApiObject.isApiObject(construct);
}

function dependenciesOf(constructs: readonly IConstruct[]): DeclaredDependency[] {
  return constructs.flatMap((source) => source.node.dependencies.map((target) => ({ source, target })));
}

/** Direct edges first, in order of declaration, then those between the objects below both ends, as cdk8s adds them. */
function outgoingOf(constructs: readonly IConstruct[], edges: readonly DeclaredDependency[]): Map<IConstruct, Groups> {
  const outgoing = new Map<IConstruct, Groups>();
  const add = (source: IConstruct, targets: readonly IConstruct[]): void => {
    const groups = outgoing.get(source);
    if (groups === undefined) outgoing.set(source, [targets]);
    else groups.push(targets);
  };
  for (const { source, target } of edges) add(source, [target]);
  const ownObjects = new Map<IConstruct, IConstruct[]>();
  const objectsOf = (construct: IConstruct): IConstruct[] => {
    let objects = ownObjects.get(construct);
    if (objects === undefined) {
      const chart = Chart.of(construct);
      objects = construct.node.findAll().filter((child) => isApiObject(child) && Chart.of(child) === chart);
      ownObjects.set(construct, objects);
    }
    return objects;
  };
  const bySource = new Map<IConstruct, DeclaredDependency[]>();
  for (const edge of edges) bySource.set(edge.source, [...(bySource.get(edge.source) ?? []), edge]);
  for (const construct of constructs) {
    for (const { source, target } of bySource.get(construct) ?? []) {
      const targets = objectsOf(target);
      for (const object of objectsOf(source)) add(object, targets);
    }
  }
  return outgoing;
}

/** Dependencies first, otherwise the order of the tree: depth first over the edges within `root`. */
function topology(root: IConstruct, order: AppOrder): IConstruct[] {
  // an ordinary object on purpose: its key order is what cdk8s' order follows
  const byPath: Record<string, IConstruct> = {};
  for (const construct of root === order.app ? order.constructs : root.node.findAll()) byPath[construct.node.path] = construct;
  const all = Object.values(byPath);
  if (order.outgoing.size === 0) return all;
  const inside = (construct: IConstruct): boolean => byPath[construct.node.path] !== undefined;
  const targetsOf = (construct: IConstruct): Groups => order.outgoing.get(construct) ?? [];
  const awaited = awaitedWithin(all, targetsOf);
  const sorted: IConstruct[] = [];
  const done = new Set<IConstruct>();
  const visiting = new Set<IConstruct>();
  const visit = (construct: IConstruct): void => {
    if (done.has(construct)) return;
    if (visiting.has(construct)) throw new DependencyCycleError(cycleFrom([...visiting], construct));
    visiting.add(construct);
    for (const group of targetsOf(construct)) {
      for (const target of group) if (target !== construct && !done.has(target) && inside(target)) visit(target);
    }
    visiting.delete(construct);
    done.add(construct);
    sorted.push(construct);
  };
  for (const construct of all) if (!awaited.has(construct)) visit(construct);
  // whatever is left can only be part of a circle that nothing outside leads to
  for (const construct of all) visit(construct);
  return sorted;
}

/** Constructs some other construct depends on; each shared group is looked at once per distinct source set. */
function awaitedWithin(constructs: readonly IConstruct[], targetsOf: (construct: IConstruct) => Groups): Set<IConstruct> {
  const awaited = new Set<IConstruct>();
  const seen = new Set<readonly IConstruct[]>();
  for (const construct of constructs) {
    for (const group of targetsOf(construct)) {
      if (seen.has(group)) continue;
      const own = group.includes(construct);
      if (!own) seen.add(group);
      for (const target of group) if (target !== construct) awaited.add(target);
    }
  }
  return awaited;
}

function cycleFrom(path: readonly IConstruct[], start: IConstruct): IConstruct[] {
  return [...path.slice(path.indexOf(start)), start];
}
