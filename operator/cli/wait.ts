// `setpoint wait APP`: waits until a commit is applied, or applied and healthy. Watches the Application; asks the operator nothing.
import type { Command } from 'commander';
import { Option } from 'commander';
import type { ApplicationStatus } from '../model/application.ts';
import { clusterFindings } from '../model/catalogue.ts';
import { shortSha } from '../model/revision.ts';
import { conditionOf, formatStatusFindings, summarize } from './application-text.ts';
import {
  type ApplicationObject,
  addClusterFlags,
  applicationMissing,
  type ClusterOptions,
  type ClusterReader,
  type ReaderDeps,
  withCluster,
} from './cluster-reader.ts';
import { parseDuration } from './duration.ts';
import { escapeControl } from './escape-control.ts';
import { runCommand, usageError } from './run-command.ts';
import type { ExitCode, Terminal } from './terminal.ts';

/** What is waited for. */
export interface WaitGoal {
  readonly target: 'synced' | 'healthy';
  /** A commit id or the beginning of one; any commit when undefined. */
  readonly revision?: string;
}

interface WaitOptions extends ClusterOptions {
  readonly revision?: string;
  readonly for: WaitGoal['target'];
  readonly timeout: string;
}

/** Adds `wait` to the program. */
export function registerWait(program: Command, deps: ReaderDeps): void {
  const command = program.command('wait').argument('<application>').description('wait until a commit is applied and healthy');
  addClusterFlags(command)
    .option('--revision <commit>', 'commit id, or the first 7 or more characters of one')
    .addOption(new Option('--for <state>', 'what to wait for').choices(['synced', 'healthy']).default('healthy'))
    .option('--timeout <duration>', 'give up after', '5m')
    .action((name: string, options: WaitOptions) => runCommand(deps, () => wait(name, options, deps)));
}

async function wait(name: string, options: WaitOptions, deps: ReaderDeps): Promise<ExitCode> {
  const goal = parseGoal(options);
  const { terminal } = deps;
  const timeout = AbortSignal.timeout(parseDuration(options.timeout));
  return withCluster<ExitCode>(deps, options, async (cluster) => {
    const namespace = options.namespace ?? cluster.namespace;
    const started = performance.now();
    const last = await watchUntil(cluster, namespace, name, goal, AbortSignal.any([timeout, terminal.signal]), terminal);
    if (last !== undefined && isReached(last, goal)) {
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      terminal.out(
        `${escapeControl(`${namespace}/${name}`)} is ${goal.target} at ${shortSha(last.status?.sync?.revision ?? '')} after ${seconds}s\n`,
      );
      return 0;
    }
    const isFinal = last !== undefined && isRefused(last, goal);
    terminal.err(
      isFinal ? formatRefused(namespace, name, last, terminal.paint) : formatMissed(namespace, name, goal, last, options.timeout, deps),
    );
    return 1;
  });
}

function parseGoal(options: WaitOptions): WaitGoal {
  if (options.revision === undefined) return { target: options.for };
  const revision = options.revision.toLowerCase();
  if (!/^[0-9a-f]{7,64}$/.test(revision)) {
    throw usageError(
      `wait for revision ${options.revision}: it is no commit id`,
      'give 7 or more characters of one: --revision $(git rev-parse HEAD)',
    );
  }
  return { target: options.for, revision };
}

/** The Application when the goal was reached or is out of reach, or as it was last seen when the signal fired. */
async function watchUntil(
  cluster: ClusterReader,
  namespace: string,
  name: string,
  goal: WaitGoal,
  signal: AbortSignal,
  terminal: Terminal,
): Promise<ApplicationObject | undefined> {
  let last: ApplicationObject | undefined;
  let told = '';
  for await (const { type, object } of cluster.watchApplication(namespace, name, signal)) {
    if (type === 'deleted') throw applicationMissing(namespace, name);
    last = object;
    if (isReached(object, goal) || isRefused(object, goal)) return object;
    const state = progressText(object);
    if (state !== told) terminal.err(`${terminal.paint('err', 'dim', escapeControl(state))}\n`);
    told = state;
  }
  return last;
}

function progressText({ status }: ApplicationObject): string {
  const applied = status?.sync?.revision === undefined ? 'nothing' : shortSha(status.sync.revision);
  const errors = status?.findings?.items.filter((finding) => finding.severity === 'error') ?? [];
  const refused = errors.length === 0 ? '' : `, ${shortSha(status?.source?.revision ?? '')} refused: ${errors[0]?.message}`;
  return `waiting: ${applied} applied, ${status?.sync?.status ?? 'Unknown'}, ${status?.health?.status ?? 'Unknown'}${refused}`;
}

/** True when the status speaks of the present spec, the commit is applied and the condition holds. */
export function isReached({ metadata, status }: ApplicationObject, goal: WaitGoal): boolean {
  if (status === undefined || (status.observedGeneration ?? 0) < (metadata.generation ?? 0)) return false;
  if (goal.revision !== undefined && !wasApplied(status, goal.revision)) return false;
  const types = goal.target === 'synced' ? (['Synced'] as const) : (['Synced', 'Healthy'] as const);
  return types.every((type) => conditionOf(status, type)?.status === 'True');
}

/** True when the commit that is waited for, the newest when none is named, is refused and no waiting changes that. */
export function isRefused({ metadata, status }: ApplicationObject, goal: WaitGoal): boolean {
  if (status === undefined || (status.observedGeneration ?? 0) < (metadata.generation ?? 0)) return false;
  if (status.source === undefined || !status.source.revision.startsWith(goal.revision ?? '')) return false;
  const errors = status.findings?.items.filter(({ severity, code }) => severity === 'error' && !clusterFindings.has(code)) ?? [];
  return errors.length > 0 && conditionOf(status, 'Stalled')?.status === 'True';
}

/** Which commit is refused, what stays applied, the findings. */
export function formatRefused(namespace: string, name: string, { status }: ApplicationObject, paint: Terminal['paint']): string {
  const commit = shortSha(status?.source?.revision ?? '');
  const applied = status?.sync?.revision;
  const stays = applied === undefined ? 'has nothing applied' : `stays at ${shortSha(applied)}`;
  const headline = `${commit} is refused: ${namespace}/${name} ${stays}`;
  return `${paint('err', 'red', 'error:')} ${escapeControl(headline)}\n${formatStatusFindings(status?.findings, paint, 'err')}`;
}

/** True when the commit is applied, or was and a later one has taken its place. */
function wasApplied(status: ApplicationStatus, revision: string): boolean {
  if (status.sync?.revision?.startsWith(revision) === true) return true;
  return status.history?.some((entry) => entry.result === 'Synced' && entry.revision?.startsWith(revision) === true) === true;
}

/** That the commit may not have been pushed, when the operator has seen another one only; '' otherwise. */
function unseenText({ revision }: WaitGoal, { status }: ApplicationObject): string {
  const source = status?.source;
  if (revision === undefined || source === undefined) return '';
  const seen = [source.revision, status?.sync?.revision, ...(status?.history ?? []).map((entry) => entry.revision)];
  if (seen.some((commit) => commit?.startsWith(revision) === true)) return '';
  return `Commit ${revision.slice(0, 12)} has not been seen on ${source.ref} (newest: ${shortSha(source.revision)}); was it pushed? `;
}

/** Why the goal was not reached: what was seen last, the conditions that fail, the findings. */
export function formatMissed(
  namespace: string,
  name: string,
  goal: WaitGoal,
  last: ApplicationObject | undefined,
  timeout: string,
  deps: Pick<ReaderDeps, 'now' | 'terminal'>,
): string {
  const { paint } = deps.terminal;
  const wanted = goal.revision === undefined ? goal.target : `${goal.target} at ${shortSha(goal.revision)}`;
  const headline = `${paint('err', 'red', 'error:')} ${escapeControl(`${namespace}/${name}`)} is not ${wanted} after ${timeout}\n`;
  if (last === undefined) return headline;
  const failing = (last.status?.conditions ?? []).filter((condition) =>
    condition.type === 'Stalled' || condition.type === 'Reconciling' ? condition.status === 'True' : condition.status !== 'True',
  );
  const reasons = new Map<string, string[]>();
  for (const { type, status, reason, message } of failing) {
    const why = `${reason}: ${message}`;
    reasons.set(why, [...(reasons.get(why) ?? []), `${type}=${status}`]);
  }
  const conditions = [...reasons].map(([why, types]) => `  ${types.join(' ')} ${escapeControl(why)}\n`).join('');
  const findings = formatStatusFindings(last.status?.findings, paint, 'err');
  return `${headline}${escapeControl(unseenText(goal, last) + summarize(last, deps.now()))}\n${conditions}${findings}`;
}
