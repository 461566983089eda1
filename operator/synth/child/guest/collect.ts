// Turns what the app has made into one JSON text: objects in output order with construct path, origin and dependencies. No files, no YAML.
import { ApiObject, App } from 'cdk8s';
import type { IConstruct } from 'constructs';
import { refusal } from './host.ts';
import { positionsOf, treeRoots } from './origin.ts';
import { type OutputDocument, outputFiles, synthesizedApps, unsavedDocuments } from './synthesis.ts';

/** Limits on what an app may produce. */
export interface OutputLimits {
  readonly objects: number;
  readonly bytes: number;
  readonly objectBytes: number;
}

/** What the isolate answers: tables of texts that many objects share, and one entry per object. */
export interface CollectedOutput {
  /** Frames of the bundle as `line:column line:column`. */
  readonly stacks: readonly string[];
  /** Lists of indices of objects. */
  readonly groups: readonly (readonly number[])[];
  readonly entries: readonly CollectedEntry[];
}

/** One object: its construct path, index of its stack, indices of the groups it depends on. Its JSON follows separately. */
export type CollectedEntry = readonly [constructPath: string, stack: number, groups: readonly number[]];

/** The JSON of the objects, one a line, and everything about them as another text. */
export function collectOutput(limits: OutputLimits, mayBeUnfinished: boolean): { readonly objects: string; readonly output: string } {
  const documents = findDocuments(mayBeUnfinished);
  if (documents.length > limits.objects) throw tooLarge(`${documents.length} objects, more than the ${limits.objects} allowed`);
  const objects = serialize(documents, limits);
  const stacks = new Table<string>();
  const groups = new DependencyGroups(documents);
  const entries = documents.map(({ construct }, index): CollectedEntry => {
    const stack = stacks.indexOf(construct === undefined ? '' : originOf(construct));
    return [construct?.node.path ?? '', stack, groups.of(index)];
  });
  const output: CollectedOutput = { stacks: stacks.values, groups: groups.lists, entries };
  return { objects, output: JSON.stringify(output) };
}

function originOf(construct: IConstruct): string {
  for (let at: IConstruct | undefined = construct; at !== undefined; at = at.node.scope) {
    const positions = positionsOf(at);
    if (positions !== '') return positions;
  }
  return '';
}

function findDocuments(mayBeUnfinished: boolean): OutputDocument[] {
  const files = outputFiles();
  if (files.length > 0 || synthesizedApps().size > 0) {
    const documents = files.flatMap((file) => file.documents);
    return documents.length > 0 ? documents : [...unsavedDocuments()];
  }
  const forgotten = treeRoots().filter((root) => root instanceof App) as unknown as App[];
  if (forgotten.length === 0) return [];
  if (mayBeUnfinished) {
    throw refusal({
      code: 'SynthFailed',
      message: 'the app ended without calling app.synth()',
      hint: 'await what the app waits for, and call app.synth() at the end',
    });
  }
  for (const app of forgotten) app.synth();
  return outputFiles().flatMap((file) => file.documents);
}

function serialize(documents: readonly OutputDocument[], limits: OutputLimits): string {
  const parts: string[] = [];
  let length = 0;
  for (const { json, construct } of documents) {
    const text = JSON.stringify(json, refuseUnprintable) ?? 'null';
    if (text.length > limits.objectBytes) {
      throw tooLarge(`an object of ${text.length} bytes, more than the ${limits.objectBytes} the API server stores`, construct);
    }
    length += text.length;
    if (length > limits.bytes) throw tooLarge(`more than ${limits.bytes} bytes of objects`);
    parts.push(text);
  }
  return parts.join('\n');
}

function refuseUnprintable(key: string, value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new Error(`${key} is ${value}, which JSON cannot express`);
  return value;
}

function tooLarge(what: string, construct?: IConstruct): Error {
  const error = refusal({ code: 'SynthOutputTooLarge', message: `the app produced ${what}`, hint: 'split it into several applications' });
  return construct === undefined ? error : Object.assign(error, { setpointConstructs: [{ construct, text: error.message }] });
}

/** Values with an index each. */
class Table<Value> {
  readonly values: Value[] = [];
  readonly #indices = new Map<Value, number>();

  indexOf(value: Value): number {
    let index = this.#indices.get(value);
    if (index === undefined) {
      index = this.values.push(value) - 1;
      this.#indices.set(value, index);
    }
    return index;
  }
}

/** Declared dependencies, expanded to objects; objects that depend on the same things share one list. */
class DependencyGroups {
  readonly lists: number[][] = [];
  readonly #ofObject = new Map<number, number[]>();
  readonly #indices = new Map<IConstruct, number[]>();

  constructor(documents: readonly OutputDocument[]) {
    for (const [index, { construct }] of documents.entries()) {
      if (construct === undefined) continue;
      const known = this.#indices.get(construct);
      if (known === undefined) this.#indices.set(construct, [index]);
      else known.push(index);
    }
    const below = new Map<IConstruct, number[]>();
    for (const { declared } of synthesizedApps().values()) {
      for (const { source, target } of declared) this.#add(this.#below(source, below), this.#below(target, below));
    }
  }

  of(index: number): readonly number[] {
    return this.#ofObject.get(index) ?? [];
  }

  /** Objects under both ends of a dependency depend on nothing by it. */
  #add(sources: readonly number[], targets: readonly number[]): void {
    const sourceSet = new Set(sources);
    const targetSet = new Set(targets);
    const awaited = targets.filter((index) => !sourceSet.has(index));
    if (awaited.length === 0) return;
    const group = this.lists.push(awaited) - 1;
    for (const index of sources) {
      if (targetSet.has(index)) continue;
      const known = this.#ofObject.get(index);
      if (known === undefined) this.#ofObject.set(index, [group]);
      else known.push(group);
    }
  }

  #below(construct: IConstruct, known: Map<IConstruct, number[]>): number[] {
    let indices = known.get(construct);
    if (indices === undefined) {
      indices = construct.node
        .findAll()
        .filter((child) => ApiObject.isApiObject(child))
        .flatMap((child) => this.#indices.get(child) ?? []);
      known.set(construct, indices);
    }
    return indices;
  }
}
