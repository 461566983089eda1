// `setpoint why KIND/NAME`: where a live object comes from. Answers from inventories and statuses; the content of the object is not read.
import type { Command } from 'commander';
import type { ApplicationStatus } from '../model/application.ts';
import { OperatorError } from '../model/error.ts';
import type { InventoryEntry } from '../model/inventory.ts';
import { compareRefs, formatRef, groupOf, type ObjectRef } from '../model/object-ref.ts';
import type { Absence } from './absent-object.ts';
import { driftFields } from './application-text.ts';
import {
  type ApplicationInventory,
  type ApplicationObject,
  addClusterFlags,
  addOutputFlag,
  type ClusterOptions,
  type ClusterReader,
  type ReaderDeps,
  withCluster,
} from './cluster-reader.ts';
import { escapeControl } from './escape-control.ts';
import { type ObjectSelector, parseObjectSelector, selects } from './object-selector.ts';
import { runCommand } from './run-command.ts';
import { formatStructured } from './structured-output.ts';
import { formatAge, formatFields } from './table.ts';
import type { ExitCode, Terminal } from './terminal.ts';

type StatusDrift = NonNullable<ApplicationStatus['drift']>[number];

/** Everything known about the origin of one live object. */
export interface Explanation {
  readonly object: ObjectRef;
  readonly application: string;
  readonly repoURL: string;
  readonly sync: string;
  readonly health: string;
  readonly constructPath: string;
  /** `apps/web.ts:4:3 < main.ts:9:1`, innermost first. */
  readonly position: string;
  /** The commit that last applied the object; its author, date and subject when the Application's history still holds them. */
  readonly commit: { readonly sha: string; readonly author?: string; readonly date?: string; readonly subject?: string };
  readonly lastDrift?: StatusDrift;
}

/** Adds `why` to the program. */
export function registerWhy(program: Command, deps: ReaderDeps): void {
  const command = program
    .command('why')
    .argument('<kind/name>', 'such as Deployment/web')
    .description('where a live object comes from: construct, file and line, commit, author');
  addOutputFlag(addClusterFlags(command), ['table', 'json', 'yaml']);
  command.action((object: string, options: ClusterOptions) => runCommand(deps, () => why(parseObjectSelector(object), options, deps)));
}

async function why(selector: ObjectSelector, options: ClusterOptions, deps: ReaderDeps): Promise<ExitCode> {
  return withCluster<ExitCode>(deps, options, async (cluster) => {
    const namespace = options.namespace ?? cluster.namespace;
    const explanations = await explainAll(cluster, selector, namespace);
    const { terminal } = deps;
    if (explanations.length === 0) {
      terminal.err(formatUnowned(selector, namespace, await cluster.absent(selector, namespace)));
      return 1;
    }
    if (options.output === 'json' || options.output === 'yaml')
      terminal.out(await formatStructured({ items: explanations }, options.output));
    else terminal.out(explanations.map((explanation) => formatExplanation(explanation, deps.now(), terminal.paint)).join('\n'));
    return 0;
  });
}

/** Why there is nothing to explain: the object is not there, or no application owns it. */
export function formatUnowned(selector: ObjectSelector, namespace: string, absent: Absence | undefined): string {
  if (absent?.kind === 'kind') return `there is no kind ${escapeControl(kindText(selector))}; write it in full, as in Deployment/web\n`;
  if (absent?.kind === 'object') return `there is no ${escapeControl(formatRef(absent.ref))}\n`;
  return `${selector.kind}/${escapeControl(selector.name)} in namespace ${namespace} belongs to no application\n`;
}

function kindText({ kind, group }: ObjectSelector): string {
  return group === '' ? kind : `${kind}.${group}`;
}

async function explainAll(cluster: ClusterReader, selector: ObjectSelector, namespace: string): Promise<Explanation[]> {
  const explanations: Explanation[] = [];
  for (const owner of await readableInventories(cluster, namespace)) {
    const entries = [...owner.inventory.values()].filter((entry) => selects(selector, namespace, entry.ref));
    if (entries.length === 0) continue;
    const application = await cluster.application(owner.namespace, owner.application);
    if (application !== undefined) explanations.push(...entries.map((entry) => explain(entry, application)));
  }
  return explanations.sort((left, right) => compareRefs(left.object, right.object));
}

/** An Application may own objects of other namespaces than its own; who may not look everywhere sees those of the object's namespace. */
async function readableInventories(cluster: ClusterReader, namespace: string): Promise<readonly ApplicationInventory[]> {
  try {
    return await cluster.inventories(undefined);
  } catch (error) {
    if (error instanceof OperatorError && error.code === 'Forbidden') return cluster.inventories(namespace);
    throw error;
  }
}

/** What an inventory entry and its Application say together. */
export function explain(entry: InventoryEntry, { metadata, spec, status }: ApplicationObject): Explanation {
  const commits = [...(status?.source === undefined ? [] : [status.source]), ...(status?.history ?? [])];
  const commit = commits.find((candidate) => candidate.revision === entry.revision);
  const lastDrift = status?.drift?.find((drift) => isSame(drift.object, entry.ref));
  return {
    object: entry.ref,
    application: `${metadata.namespace}/${metadata.name}`,
    repoURL: spec.source.repoURL,
    sync: status?.sync?.status ?? 'Unknown',
    health: status?.health?.status ?? 'Unknown',
    constructPath: entry.constructPath,
    position: entry.position,
    commit: {
      sha: entry.revision,
      ...(commit?.author === undefined ? {} : { author: commit.author }),
      ...(commit?.date === undefined ? {} : { date: commit.date }),
      ...(commit?.subject === undefined ? {} : { subject: commit.subject }),
    },
    ...(lastDrift === undefined ? {} : { lastDrift }),
  };
}

function isSame(
  left: { readonly apiVersion: string; readonly kind: string; readonly namespace?: string; readonly name: string },
  right: ObjectRef,
): boolean {
  return (
    groupOf(left.apiVersion) === groupOf(right.apiVersion) &&
    left.kind === right.kind &&
    (left.namespace ?? '') === right.namespace &&
    left.name === right.name
  );
}

/** The explanation as labelled lines. */
export function formatExplanation(explanation: Explanation, now: Date, paint: Terminal['paint']): string {
  const { commit, lastDrift } = explanation;
  const drift =
    lastDrift === undefined
      ? 'none known'
      : `${driftFields(lastDrift)} by ${lastDrift.manager} (${lastDrift.operation}), ${formatAge(lastDrift.time, now)} ago, ${lastDrift.healed ? 'healed' : 'not healed'}`;
  const written =
    commit.author === undefined
      ? 'no longer in the history of the application'
      : `${commit.author}${commit.date === undefined ? '' : `, ${commit.date.replace(/\.\d+Z$/, 'Z')} (${formatAge(commit.date, now)} ago)`}`;
  const fields = formatFields([
    // What a folder of manifests declares has a line and no construct.
    ['Construct', explanation.constructPath || (explanation.position === '' ? 'unknown' : 'none (plain YAML)')],
    ['Source', explanation.position || 'unknown'],
    ['Commit', `${commit.sha || 'not applied yet'}${commit.subject === undefined ? '' : ` ${commit.subject}`}`],
    ['Author', written],
    ['Application', `${explanation.application} (${explanation.sync}, ${explanation.health})`],
    ['Repository', explanation.repoURL],
    ['Last drift', drift],
  ]);
  return `${paint('out', 'bold', escapeControl(formatRef(explanation.object)))}\n${fields}`;
}
