// `setpoint diff DIR|APP`: how a folder or an Application's commit differs from the live cluster, as the server sees it. Writes nothing.
import type { Command } from 'commander';
import { trackingAnnotation, trackingLabel } from '../../constructs/annotations.ts';
import { type Finding, hasErrors } from '../model/finding.ts';
import { isJsonObject, type JsonObject } from '../model/json.ts';
import { formatPosition, type KubeObject, type Manifest } from '../model/manifest.ts';
import type { ObjectKey } from '../model/object-ref.ts';
import { shortSha } from '../model/revision.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { comparable, type DescribedChange, describePlan, type Preview } from '../plan/describe-plan.ts';
import { createValidator } from '../validate/create-validator.ts';
import { addClusterFlags, type ClusterChoice } from './cluster-reader.ts';
import { escapeControl } from './escape-control.ts';
import { inLanes } from './in-lanes.ts';
import { type PreviewDeps, previewOptions, printPreviewFindings, showPathOf } from './plan.ts';
import { formatHeading } from './plan-text.ts';
import { previewApplication } from './preview-application.ts';
import type { PreviewCluster } from './preview-cluster.ts';
import { compareObject } from './preview-object.ts';
import { fileReadingInputs } from './reads-inputs.ts';
import { runCommand, usageError } from './run-command.ts';
import { addFolderFlags, type FolderOptions, printFindings, synthesizeFolder, withCodeFrame } from './synthesize-folder.ts';
import type { ExitCode } from './terminal.ts';
import { unifiedDiff } from './unified-diff.ts';
import { kindsOf } from './validate-objects.ts';

interface DiffOptions extends FolderOptions, ClusterChoice {
  readonly namespace?: string;
  readonly dir?: string;
}

/** One object to show: what is said above its diff, and what the server makes of it. */
interface Compared {
  readonly change: DescribedChange;
  readonly preview: Preview;
  /** What Git declares: shown in the place of the server's answer where there is none. */
  readonly declared?: KubeObject;
}

/** Adds `diff` to the program. */
export function registerDiff(program: Command, deps: PreviewDeps): void {
  const command = program
    .command('diff')
    .argument('<folder or application>', 'a folder has a slash in its name, or is . or ..')
    .description('compare a folder or an application with the live cluster; exit code 1 when they differ');
  addClusterFlags(addFolderFlags(command))
    .option('--dir <folder>', 'root of a checkout on this machine instead of the application’s repository')
    .action((target: string, options: DiffOptions) =>
      runCommand(deps, () => (isFolder(target) ? diffFolder(target, options, deps) : diffApplication(target, options, deps))),
    );
}

/** Decided by the name alone, so that the same words mean the same in every folder. */
function isFolder(target: string): boolean {
  return /[/\\]/.test(target) || target === '.' || target === '..';
}

async function diffApplication(name: string, options: DiffOptions, deps: PreviewDeps): Promise<ExitCode> {
  if (options.inputs !== undefined || options.entry !== undefined) {
    throw usageError(
      `diff application ${name}: --inputs and --entry are for folders`,
      `an application says them itself; a folder is written ./${name}`,
    );
  }
  const cluster = await deps.openPreviewCluster(options);
  try {
    const application = await cluster.application(options.namespace ?? cluster.namespace, name);
    const preview = await previewApplication({ ...(await previewOptions(options, deps)), cluster, application });
    await printPreviewFindings(preview, showPathOf(options, deps), deps);
    const { planned, snapshot, findings } = preview;
    if (planned === undefined) return 1;
    const { steps, others } = describePlan(planned);
    const manifests = new Map(planned.desired.map((manifest) => [manifest.key, manifest.object]));
    const keys = new Map(planned.plan.changes.map((change) => [JSON.stringify(change.ref), change.key]));
    const compared = [...steps.flatMap(({ changes }) => changes), ...others].flatMap((change) => {
      const key = keys.get(JSON.stringify(change.object)) ?? '';
      const preview = planned.previews.get(key);
      const declared = manifests.get(key);
      return preview === undefined ? [] : [{ change, preview, ...(declared === undefined ? {} : { declared }) }];
    });
    const differs = await printCompared(compared, snapshot, deps);
    return differs || hasErrors(findings) ? 1 : 0;
  } finally {
    await cluster.close();
  }
}

async function diffFolder(folder: string, options: DiffOptions, deps: PreviewDeps): Promise<ExitCode> {
  if (options.dir !== undefined) throw usageError(`diff folder ${folder}: --dir is for applications`, 'leave it out');
  const result = await synthesizeFolder(folder, options, deps);
  const report = async (findings: readonly Finding[]): Promise<void> => {
    const framed = await Promise.all(findings.map((finding) => withCodeFrame(finding, result.snapshot)));
    printFindings(framed, result.showPath, deps.terminal, 'err');
  };
  await report(result.findings);
  const reading = options.inputs === undefined ? await fileReadingInputs(result.snapshot, result.filesRead) : undefined;
  if (reading !== undefined) {
    const where = escapeControl(result.showPath(reading));
    deps.terminal.err(
      `${where} reads inputs and none are given, so that all of this is compared without them; hint: --inputs FILE, with spec.source.inputs of the application\n`,
    );
  }
  if (hasErrors(result.findings)) return 1;
  const cluster = await deps.openPreviewCluster(options);
  try {
    const catalog = await cluster.catalog(kindsOf(result.objects));
    const destinationNamespace = options.namespace ?? cluster.namespace;
    const application = { namespace: destinationNamespace, name: 'diff' };
    const { manifests, findings } = createValidator().validate({ objects: result.objects, catalog, application, destinationNamespace });
    await report(findings);
    if (hasErrors(findings)) return 1;
    const compared = await compareFolder(manifests, cluster, deps);
    const shown = compared.map(({ change, ...rest }) => ({ change: withShownPath(change, result.showPath), ...rest }));
    return (await printCompared(shown, result.snapshot, deps)) ? 1 : 0;
  } finally {
    await cluster.close();
  }
}

/** Every object of a folder before and after, in the order of the folder. */
async function compareFolder(manifests: readonly Manifest[], cluster: PreviewCluster, deps: PreviewDeps): Promise<readonly Compared[]> {
  const { deferredKeys } = await deps.loadStages();
  const live = new Map<ObjectKey, JsonObject>();
  await inLanes(manifests, async ({ key, ref }) => {
    if ((await cluster.observe(ref)) === undefined) return;
    const object = await cluster.caller.read(ref);
    if (object !== undefined) live.set(key, object);
  });
  const deferred = deferredKeys(manifests, (key) => live.has(key));
  const compared = new Map<ObjectKey, Compared>();
  await inLanes(manifests, async (manifest) => {
    const declared = withMarksOf(manifest.object, live.get(manifest.key));
    const preview = await compareObject(cluster.caller, { ...manifest, object: declared }, { isDeferred: deferred.has(manifest.key) });
    const [frame] = manifest.origin.frames;
    const change: DescribedChange = {
      action: live.has(manifest.key) ? 'update' : 'create',
      object: manifest.ref,
      reason: '',
      ...(manifest.origin.constructPath === '' ? {} : { constructPath: manifest.origin.constructPath }),
      ...(frame === undefined ? {} : { position: formatPosition(frame) }),
    };
    compared.set(manifest.key, { change, preview, declared });
  });
  return manifests.flatMap(({ key }) => compared.get(key) ?? []);
}

/** Whose an object is stays as it is: a folder by itself belongs to no Application. */
function withMarksOf(object: KubeObject, live: JsonObject | undefined): KubeObject {
  const metadata = isJsonObject(live?.['metadata']) ? live['metadata'] : {};
  const { labels, annotations, ...others } = object.metadata;
  const marked = (declared: JsonObject | undefined, present: unknown, mark: string): JsonObject => {
    const { [mark]: _, ...own } = declared ?? {};
    const value = isJsonObject(present) ? present[mark] : undefined;
    return value === undefined ? own : { ...own, [mark]: value };
  };
  const newLabels = marked(labels, metadata['labels'], trackingLabel);
  const newAnnotations = marked(annotations, metadata['annotations'], trackingAnnotation);
  return {
    ...object,
    metadata: {
      ...others,
      ...(Object.keys(newLabels).length === 0 ? {} : { labels: newLabels as Record<string, string> }),
      ...(Object.keys(newAnnotations).length === 0 ? {} : { annotations: newAnnotations as Record<string, string> }),
    },
  };
}

/** `lib/web.ts:4:3` as an editor opens it from where the person is. */
function withShownPath(change: DescribedChange, showPath: (file: string) => string): DescribedChange {
  const [, file, place] = /^(.*?)(:\d+:\d+)$/.exec(change.position ?? '') ?? [];
  return file === undefined ? change : { ...change, position: `${showPath(file)}${place}` };
}

/** Prints what differs, one object after the other. True when anything does. */
async function printCompared(compared: readonly Compared[], snapshot: Snapshot, { terminal }: PreviewDeps): Promise<boolean> {
  const { sha } = snapshot.revision;
  const names = { before: 'live', after: /^0+$/.test(sha) ? 'files' : shortSha(sha) };
  let differs = false;
  for (const { change, preview, declared } of compared) {
    const heading = `${formatHeading(change, terminal.paint)}${change.reason === '' ? '' : `: ${escapeControl(`${change.action}: ${change.reason}`)}`}\n`;
    const pair = preview.kind === 'compared' ? preview : { before: undefined, after: declared };
    const text = preview.kind === 'refused' ? '' : await unifiedDiff(comparable(pair), names, terminal.paint);
    const note =
      preview.kind === 'compared' ? '' : `${escapeControl(preview.kind === 'refused' ? `refused: ${preview.message}` : preview.message)}\n`;
    if (text === '' && note === '') continue;
    terminal.out(`${differs ? '\n' : ''}${heading}${note}${text}`);
    differs = true;
  }
  return differs;
}
