// `setpoint suspend APP` and `resume APP`: an annotation on the Application, written as the caller. What it does is the operator's matter.
import type { Command } from 'commander';
import { apiVersion, suspendedAnnotation } from '../../constructs/annotations.ts';
import type { OperatorError } from '../model/error.ts';
import { isJsonObject, type JsonObject } from '../model/json.ts';
import { formatRef, type ObjectRef } from '../model/object-ref.ts';
import { type ActingCluster, type ActingDeps, interventionBy, withActingCluster } from './acting-cluster.ts';
import { addClusterFlags, applicationMissing, type ClusterChoice, namespacesOf } from './cluster-reader.ts';
import { escapeControl } from './escape-control.ts';
import { runCommand } from './run-command.ts';
import type { ExitCode } from './terminal.ts';

interface SuspendOptions extends ClusterChoice {
  readonly namespace?: string;
  readonly reason?: string;
}

/** Adds `suspend` to the program. */
export function registerSuspend(program: Command, deps: ActingDeps): void {
  const command = program
    .command('suspend')
    .argument('<application>')
    .description('leave an application alone: no sync, no heal, no prune, until it is resumed');
  addClusterFlags(command)
    .option('--reason <text>', 'why, for those who find it suspended')
    .action((name: string, options: SuspendOptions) => runCommand(deps, () => suspend(name, options, deps)));
}

/** Adds `resume` to the program. */
export function registerResume(program: Command, deps: ActingDeps): void {
  const command = program
    .command('resume')
    .argument('<application>')
    .description('go on with a suspended application: what it missed is done at once');
  addClusterFlags(command).action((name: string, options: SuspendOptions) => runCommand(deps, () => resume(name, options, deps)));
}

async function suspend(name: string, options: SuspendOptions, deps: ActingDeps): Promise<ExitCode> {
  return withActingCluster<ExitCode>(deps, options, async (cluster) => {
    const ref = applicationRef(name, options.namespace ?? cluster.namespace);
    const intervention = await interventionBy(cluster, options.reason, deps);
    await annotate(cluster, ref, JSON.stringify(intervention), deps);
    deps.terminal.out(`${escapeControl(formatRef(ref))} is suspended; to go on: setpoint resume ${name} -n ${ref.namespace}\n`);
    return 0;
  });
}

async function resume(name: string, options: SuspendOptions, deps: ActingDeps): Promise<ExitCode> {
  return withActingCluster<ExitCode>(deps, options, async (cluster) => {
    const { terminal } = deps;
    const ref = applicationRef(name, options.namespace ?? cluster.namespace);
    const application = await cluster.read(ref, terminal.signal);
    if (application === undefined) throw await missing(cluster, ref, deps);
    const wasSuspended = annotationsOf(application)[suspendedAnnotation] !== undefined;
    if (wasSuspended) await annotate(cluster, ref, null, deps);
    if (isJsonObject(application['spec']) && application['spec']['suspend'] === true) {
      terminal.err(
        `${escapeControl(formatRef(ref))} stays suspended by spec.suspend: set it to false where the Application is declared, which is Git if it came from there\n`,
      );
      return 1;
    }
    terminal.out(`${escapeControl(formatRef(ref))} ${wasSuspended ? 'is resumed' : 'was not suspended'}\n`);
    return 0;
  });
}

async function annotate(cluster: ActingCluster, ref: ObjectRef, value: string | null, deps: ActingDeps): Promise<void> {
  const patch = { metadata: { annotations: { [suspendedAnnotation]: value } } };
  if (!(await cluster.patch(ref, patch, deps.terminal.signal))) throw await missing(cluster, ref, deps);
}

async function missing(cluster: ActingCluster, { namespace, name }: ObjectRef, { terminal }: ActingDeps): Promise<OperatorError> {
  const list = (): Promise<readonly JsonObject[]> => cluster.list({ apiVersion, kind: 'Application' }, terminal.signal);
  return applicationMissing(namespace, name, await namespacesOf(name, list));
}

function applicationRef(name: string, namespace: string): ObjectRef {
  return { apiVersion, kind: 'Application', namespace, name };
}

function annotationsOf(object: JsonObject): JsonObject {
  const metadata = isJsonObject(object['metadata']) ? object['metadata'] : {};
  return isJsonObject(metadata['annotations']) ? metadata['annotations'] : {};
}
