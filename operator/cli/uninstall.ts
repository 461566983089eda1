// `setpoint uninstall`: stops the operator, releases every Application, then removes what `setpoint install` made. Users' objects stay as they are.
import type { Command } from 'commander';
import { apiVersion, applicationFinalizer } from '../../constructs/annotations.ts';
import { OperatorError } from '../model/error.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../model/json.ts';
import type { ObjectRef } from '../model/object-ref.ts';
import type { ClusterChoice } from './cluster-reader.ts';
import { escapeControl } from './escape-control.ts';
import {
  addConnectionFlags,
  asKubeObject,
  type InstallCluster,
  type InstallDeps,
  kubectlName,
  poll,
  refOf,
  withInstallCluster,
} from './install.ts';
import { runCommand } from './run-command.ts';
import type { ExitCode, Terminal } from './terminal.ts';

const application = { apiVersion, kind: 'Application' };

/** How long the operator's Pods, and then the kinds, may take to go. */
const goneMilliseconds = 120_000;

/** Adds `uninstall` to the program. */
export function registerUninstall(program: Command, deps: InstallDeps): void {
  const command = program
    .command('uninstall')
    .description('remove Setpoint and its Applications from a cluster; the objects they applied keep running');
  addConnectionFlags(command).action((choice: ClusterChoice) => runCommand(deps, () => uninstall(choice, deps)));
}

async function uninstall(choice: ClusterChoice, deps: InstallDeps): Promise<ExitCode> {
  const refs = (await deps.installManifests({})).map((object) => refOf(asKubeObject(object))).reverse();
  const { terminal } = deps;
  await withInstallCluster(deps, choice, async (cluster) => {
    const operator = refs.filter((ref) => ref.kind === 'Deployment');
    for (const ref of operator) await remove(cluster, ref, terminal);
    await waitForPods(cluster, operator, terminal.signal);
    const released = await releaseApplications(cluster, terminal);
    for (const ref of refs) if (!operator.includes(ref)) await remove(cluster, ref, terminal);
    await waitForDefinitions(cluster, refs, terminal);
    terminal.out(`Setpoint is removed; the objects of ${released} application${released === 1 ? '' : 's'} were left as they are\n`);
  });
  return 0;
}

async function remove(cluster: InstallCluster, ref: ObjectRef, terminal: Terminal): Promise<void> {
  if (await cluster.delete(ref, terminal.signal)) terminal.out(`${kubectlName(ref)} deleted\n`);
}

/** An operator that still runs could act on the deletion of an Application, so it must be gone before any is touched. */
async function waitForPods(cluster: InstallCluster, deployments: readonly ObjectRef[], signal: AbortSignal): Promise<void> {
  for (const { namespace, name } of deployments) {
    const pods = () =>
      cluster.list({ apiVersion: 'v1', kind: 'Pod' }, signal, { namespace, labelSelector: 'app.kubernetes.io/name=setpoint' });
    const failure = gone(`the Pods of ${namespace}/${name} still run`, `look at them: kubectl get pods -n ${namespace}`);
    await poll(async () => (await pods()).length === 0, goneMilliseconds, signal, failure);
  }
}

/**
 * Takes our finalizer off every Application, and in the same write tells any operator that still runs elsewhere (on a laptop) to leave the
 * objects alone. Returns how many Applications there are.
 */
async function releaseApplications(cluster: InstallCluster, terminal: Terminal): Promise<number> {
  let found = 0;
  const allReleased = async (): Promise<boolean> => {
    const applications = await cluster.list(application, terminal.signal);
    found = applications.length;
    const held = applications.filter(isHeld);
    for (const object of held) await release(cluster, object, terminal);
    return held.length === 0;
  };
  await poll(
    allReleased,
    goneMilliseconds,
    terminal.signal,
    gone('an operator keeps taking the Applications back', 'stop the operator that runs outside the cluster'),
  );
  return found;
}

function isHeld({ metadata, spec }: JsonObject): boolean {
  const finalizers = isJsonObject(metadata) ? textsIn(metadata['finalizers']) : [];
  return finalizers.includes(applicationFinalizer) || (isJsonObject(spec) && spec['deletionPolicy'] !== 'Orphan');
}

async function release(cluster: InstallCluster, { metadata }: JsonObject, terminal: Terminal): Promise<void> {
  if (!isJsonObject(metadata)) return;
  const ref = { ...application, namespace: String(metadata['namespace'] ?? ''), name: String(metadata['name'] ?? '') };
  const finalizers = textsIn(metadata['finalizers']).filter((finalizer) => finalizer !== applicationFinalizer);
  // With the resourceVersion a finalizer that somebody else adds in this moment is not lost: the write is refused and made again.
  const patch = {
    metadata: { finalizers, resourceVersion: metadata['resourceVersion'] },
    spec: { suspend: true, deletionPolicy: 'Orphan' },
  };
  try {
    const isThere = await cluster.patch(ref, patch, terminal.signal);
    if (isThere) terminal.out(`${kubectlName(ref)} in namespace ${escapeControl(ref.namespace)} released\n`);
  } catch (error) {
    if (!(error instanceof OperatorError) || error.code !== 'ApplyConflict') throw error;
  }
}

/** A kind goes when its last object has gone. */
async function waitForDefinitions(cluster: InstallCluster, refs: readonly ObjectRef[], terminal: Terminal): Promise<void> {
  for (const ref of refs.filter(({ kind }) => kind === 'CustomResourceDefinition')) {
    const failure = gone(`${ref.name} is still being deleted`, `look at what holds its objects: kubectl get ${ref.name} -A -o yaml`);
    const isGone = async () => (await cluster.read(ref, terminal.signal)) === undefined;
    await poll(isGone, goneMilliseconds, terminal.signal, failure);
  }
}

function gone(message: string, hint: string): OperatorError {
  const seconds = goneMilliseconds / 1000;
  return new OperatorError(`uninstall: ${message} after ${seconds}s`, { code: 'Timeout', stage: 'cluster', fate: 'transient', hint });
}

function textsIn(value: JsonValue | undefined): readonly string[] {
  return Array.isArray(value) ? (value as readonly JsonValue[]).filter((item) => typeof item === 'string') : [];
}
