// `setpoint pause` and `unpause`: one ConfigMap in the namespace of Setpoint, written as the caller. What it does is the operator's matter.
import type { Command } from 'commander';
import { defaultSystemNamespace, pauseConfigMap } from '../../constructs/annotations.ts';
import type { ObjectRef } from '../model/object-ref.ts';
import { type ActingDeps, interventionBy, withActingCluster } from './acting-cluster.ts';
import type { ClusterChoice } from './cluster-reader.ts';
import { escapeControl } from './escape-control.ts';
import { addConnectionFlags } from './install.ts';
import { runCommand } from './run-command.ts';
import type { ExitCode } from './terminal.ts';

interface PauseOptions extends ClusterChoice {
  readonly systemNamespace: string;
  readonly reason?: string;
}

/** Adds `pause` to the program. */
export function registerPause(program: Command, deps: ActingDeps): void {
  const command = program.command('pause').description('break-glass: no sync, no heal, no prune of any application, until it is unpaused');
  addPauseFlags(command)
    .option('--reason <text>', 'why, for those who find everything paused')
    .action((options: PauseOptions) => runCommand(deps, () => pause(options, deps)));
}

/** Adds `unpause` to the program. */
export function registerUnpause(program: Command, deps: ActingDeps): void {
  const command = program.command('unpause').description('go on after a pause: what was missed is done at once');
  addPauseFlags(command).action((options: PauseOptions) => runCommand(deps, () => unpause(options, deps)));
}

function addPauseFlags(command: Command): Command {
  return addConnectionFlags(command).option('--system-namespace <name>', 'namespace of Setpoint itself', defaultSystemNamespace);
}

async function pause(options: PauseOptions, deps: ActingDeps): Promise<ExitCode> {
  return withActingCluster<ExitCode>(deps, options, async (cluster) => {
    const { apiVersion, kind, namespace, name } = pauseRef(options);
    const data = await interventionBy(cluster, options.reason, deps);
    await cluster.apply({ apiVersion, kind, metadata: { namespace, name }, data }, deps.terminal.signal);
    deps.terminal.out(`Setpoint is paused: nothing is synced, healed or pruned anywhere; to go on: ${unpauseCommand(options)}\n`);
    return 0;
  });
}

async function unpause(options: PauseOptions, deps: ActingDeps): Promise<ExitCode> {
  return withActingCluster<ExitCode>(deps, options, async (cluster) => {
    const wasPaused = await cluster.delete(pauseRef(options), deps.terminal.signal);
    deps.terminal.out(
      wasPaused ? 'Setpoint goes on\n' : `Setpoint was not paused in namespace ${escapeControl(options.systemNamespace)}\n`,
    );
    return 0;
  });
}

function unpauseCommand({ systemNamespace }: PauseOptions): string {
  const flag = systemNamespace === defaultSystemNamespace ? '' : ` --system-namespace ${escapeControl(systemNamespace)}`;
  return `setpoint unpause${flag}`;
}

function pauseRef({ systemNamespace }: PauseOptions): ObjectRef {
  return { apiVersion: 'v1', kind: 'ConfigMap', namespace: systemNamespace, name: pauseConfigMap };
}
