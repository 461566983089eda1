// Replaces the parts of cdk8s that write files: documents are kept as values with the object they come from, in the files cdk8s would write.
import { ApiObject, App, type Chart, Names, Yaml, YamlOutputType } from 'cdk8s';
import type { IConstruct } from 'constructs';
import path from 'path-browserify';
import { type AppOrder, chartsInOrder, objectsInOrder, orderOfApp } from './topology.ts';
import { absolutePath, placeFile, writtenFiles } from './virtual-files.ts';

/** One document of an output file. */
export interface OutputDocument {
  readonly json: unknown;
  /** The construct it was made from, when known. */
  readonly construct: IConstruct | undefined;
}

/** All documents of one output file. */
export interface OutputFile {
  readonly file: string;
  readonly documents: readonly OutputDocument[];
}

const madeBy = new Map<object, ApiObject>();
const savedDocuments = new WeakMap<object, readonly OutputDocument[]>();
const yamlOfDocuments = new Map<string, readonly OutputDocument[]>();
const apps = new Map<IConstruct, AppOrder>();
const folders: string[] = [];
const lastYaml = new Map<IConstruct, readonly OutputDocument[]>();
let defaultOutput = 'dist';

/** Sets the folder `output` of cdk8s.yaml. */
export function setDefaultOutput(folder: string): void {
  defaultOutput = folder;
}

/** Apps that were synthesized, with the dependencies they had then. */
export function synthesizedApps(): ReadonlyMap<IConstruct, AppOrder> {
  return apps;
}

/** Replaces App.synth, App.synthYaml and the serialization of a chart. Runs once, when the libraries are loaded. */
export function replaceOutput(): void {
  const statics = App as unknown as { _synthChart(chart: Chart): unknown[] };
  statics._synthChart = (chart) => {
    const app = App.of(chart);
    const order = current?.app === app ? current.order : prepare(app);
    return objectsInOrder(chart, order).map(toDocument);
  };
  App.prototype.synth = function synth(this: App) {
    synthesize(this);
  };
  App.prototype.synthYaml = function synthYaml(this: App) {
    return withOrder(this, (order) => {
      const documents = chartsInOrder(this, order).flatMap(documentsOfChart);
      const text = Yaml.stringify(...documents.map(({ json }) => json));
      yamlOfDocuments.set(text, documents);
      lastYaml.set(this, documents);
      return text;
    });
  };
}

/** The app whose validation and dependencies were done already: nested calls need not repeat them. */
let current: { readonly app: IConstruct; readonly order: AppOrder } | undefined;

function withOrder<Result>(app: App, run: (order: AppOrder) => Result): Result {
  const outer = current;
  current = { app, order: prepare(app) };
  try {
    return run(current.order);
  } finally {
    current = outer;
  }
}

/** Validates and orders an app, as each of cdk8s' own entry points does. */
function prepare(app: IConstruct): AppOrder {
  const errors: { readonly construct: IConstruct; readonly text: string }[] = [];
  const constructs = app.node.findAll();
  for (const construct of constructs) {
    for (const text of construct.node.validate()) errors.push({ construct, text: `[${construct.node.path}] ${text}` });
  }
  if (errors.length > 0) {
    const error = new Error(`Validation failed with the following errors:\n  ${errors.map(({ text }) => text).join('\n  ')}`);
    throw Object.assign(error, { setpointConstructs: errors });
  }
  const order = orderOfApp(app, constructs);
  apps.set(app, order);
  return order;
}

function toDocument(object: ApiObject): unknown {
  const json: unknown = object.toJson();
  if (typeof json === 'object' && json !== null) madeBy.set(json, object);
  return json;
}

function documentsOfChart(chart: Chart): OutputDocument[] {
  const documents = (Object.values(chart.toJson()) as unknown[])
    .filter((json) => json !== undefined)
    .map((json) => ({ json, construct: constructOf(json, chart) ?? chart }));
  madeBy.clear();
  return documents;
}

/** A chart that rewrites its JSON hands out new values: those are recognized by kind and name. */
function constructOf(json: unknown, chart: Chart): ApiObject | undefined {
  if (typeof json !== 'object' || json === null) return undefined;
  const known = madeBy.get(json);
  if (known !== undefined) return known;
  return findNamed(json, chart.node.findAll());
}

function synthesize(app: App): void {
  withOrder(app, (order) => {
    const folder = absolutePath(app.outdir === 'dist' ? defaultOutput : app.outdir);
    if (!folders.includes(folder)) folders.push(folder);
    for (const [name, documents] of filesOf(app, order)) save(path.join(folder, name + app.outputFileExtension), documents);
  });
}

function filesOf(app: App, order: AppOrder): [string, OutputDocument[]][] {
  const charts = chartsInOrder(app, order);
  const nameOf = (chart: Chart, index: number): string =>
    `${order.chartsDepend ? `${String(index).padStart(4, '0')}-` : ''}${Names.toDnsLabel(chart)}`;
  switch (app.yamlOutputType) {
    case YamlOutputType.FILE_PER_APP:
      return charts.length === 0 ? [] : [['app', charts.flatMap(documentsOfChart)]];
    case YamlOutputType.FILE_PER_CHART:
      return charts.map((chart, index) => [nameOf(chart, index), documentsOfChart(chart)]);
    case YamlOutputType.FILE_PER_RESOURCE:
      return charts.flatMap(documentsOfChart).map((document) => [fileNameOf(document), [document]]);
    case YamlOutputType.FOLDER_PER_CHART_FILE_PER_RESOURCE:
      return charts.flatMap((chart, index) =>
        objectsInOrder(chart, order)
          .map((object): OutputDocument => ({ json: toDocument(object), construct: object }))
          .map((document): [string, OutputDocument[]] => [`${nameOf(chart, index)}/${fileNameOf(document)}`, [document]]),
      );
    default:
      return [];
  }
}

function fileNameOf({ json }: OutputDocument): string {
  const { kind, metadata } = json as { readonly kind: string; readonly metadata: { readonly name: string } };
  return `${kind}.${metadata.name}`.replace(/[^0-9a-zA-Z-_.]/g, '');
}

/** The file exists for whoever reads it back; its text is made only then. */
function save(file: string, documents: readonly OutputDocument[]): void {
  const content = (): string => Yaml.stringify(...documents.map(({ json }) => json));
  savedDocuments.set(content, documents);
  placeFile(file, content);
}

/** Output files in the order `cdk8s synth` prints them: per folder its files by name, then its folders. */
export function outputFiles(): OutputFile[] {
  const found: OutputFile[] = [];
  for (const folder of folders) {
    const names = [...writtenFiles().keys()].filter((file) => file.startsWith(`${folder}/`));
    for (const file of names.sort(byFilesFirst)) {
      if (found.some((known) => known.file === file)) continue;
      const documents = documentsOfFile(file);
      if (documents !== undefined) found.push({ file, documents });
    }
  }
  return found;
}

/** Documents of apps that only made YAML text and wrote it nowhere. */
export function unsavedDocuments(): readonly OutputDocument[] {
  return [...lastYaml.values()].flat();
}

function documentsOfFile(file: string): readonly OutputDocument[] | undefined {
  const content = writtenFiles().get(file)?.content;
  if (content === undefined) return undefined;
  if (typeof content === 'function') return savedDocuments.get(content) ?? [];
  if (!file.endsWith('.yaml')) return undefined;
  const text = typeof content === 'string' ? content : content.toString('utf8');
  return yamlOfDocuments.get(text) ?? Yaml.load(file).map((json: unknown) => ({ json, construct: constructNamed(json) }));
}

/** The object of any synthesized app that a document of a file written by the app itself is about. */
function constructNamed(json: unknown): ApiObject | undefined {
  for (const { constructs } of apps.values()) {
    const found = findNamed(json, constructs);
    if (found !== undefined) return found;
  }
  return undefined;
}

function findNamed(json: unknown, constructs: readonly IConstruct[]): ApiObject | undefined {
  const { kind, metadata } = Object(json) as { readonly kind?: unknown; readonly metadata?: { readonly name?: unknown } };
  const objects = constructs.filter((construct) => ApiObject.isApiObject(construct)) as unknown as ApiObject[];
  return objects.find((object) => object.kind === kind && object.name === metadata?.name);
}

function byFilesFirst(left: string, right: string): number {
  const [a, b] = [left.split('/'), right.split('/')];
  for (let index = 0; ; index++) {
    const [first, second] = [a[index], b[index]];
    if (first === undefined || second === undefined) return a.length - b.length;
    if (first === second) continue;
    const [firstIsFile, secondIsFile] = [index === a.length - 1, index === b.length - 1];
    if (firstIsFile !== secondIsFile) return firstIsFile ? -1 : 1;
    return first < second ? -1 : 1;
  }
}
