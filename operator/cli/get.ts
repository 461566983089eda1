// `setpoint get [APP]`: Applications as a table, or one of them in words. Reads only.
import type { Command } from 'commander';
import { shortSha } from '../model/revision.ts';
import { conditionOf, formatApplication } from './application-text.ts';
import {
  type ApplicationObject,
  addClusterFlags,
  addOutputFlag,
  type ClusterOptions,
  findApplication,
  type ReaderDeps,
  withCluster,
} from './cluster-reader.ts';
import { escapeControl } from './escape-control.ts';
import { runCommand, usageError } from './run-command.ts';
import { healthStyle, syncStyle } from './status-style.ts';
import { formatStructured } from './structured-output.ts';
import { type Column, formatAge, formatTable } from './table.ts';
import type { ExitCode } from './terminal.ts';

/** Adds `get` to the program. */
export function registerGet(program: Command, deps: ReaderDeps): void {
  const command = program
    .command('get')
    .argument('[application]', 'show this one in detail')
    .description('list applications, or show one in words');
  addOutputFlag(addClusterFlags(command)).option('-A, --all-namespaces', 'applications of all namespaces');
  command.action((name: string | undefined, options: ClusterOptions) => runCommand(deps, () => get(name, options, deps)));
}

async function get(name: string | undefined, options: ClusterOptions, deps: ReaderDeps): Promise<ExitCode> {
  if (name !== undefined && options.allNamespaces)
    throw usageError(`get ${name} in all namespaces: a name needs one namespace`, 'use -n NAMESPACE instead of -A');
  return withCluster<ExitCode>(deps, options, async (cluster) => {
    const namespace = options.namespace ?? cluster.namespace;
    const { terminal } = deps;
    if (name !== undefined) {
      const application = await findApplication(cluster, namespace, name);
      terminal.out(await formatOne(application, options, deps));
      return 0;
    }
    const applications = await cluster.applications(options.allNamespaces ? undefined : namespace);
    if (options.output === 'json' || options.output === 'yaml') {
      terminal.out(await formatStructured({ apiVersion: 'v1', kind: 'List', items: applications }, options.output));
    } else if (applications.length === 0) {
      terminal.err(
        options.allNamespaces ? 'no applications found\n' : `no applications found in namespace ${namespace}; look everywhere with -A\n`,
      );
    } else {
      terminal.out(formatTable(applicationColumns(options, deps.now()), applications, terminal.paint));
      const paused = applications.map(({ status }) => conditionOf(status, 'Ready')).find((ready) => ready?.reason === 'Paused');
      if (paused !== undefined) terminal.err(`${terminal.paint('err', 'yellow', escapeControl(paused.message))}\n`);
    }
    return 0;
  });
}

async function formatOne(application: ApplicationObject, options: ClusterOptions, deps: ReaderDeps): Promise<string> {
  if (options.output === 'json' || options.output === 'yaml') return formatStructured(application, options.output);
  if (options.output === 'wide') return formatTable(applicationColumns(options, deps.now()), [application], deps.terminal.paint);
  return formatApplication(application, deps.now(), deps.terminal.paint);
}

/** Columns of the table of Applications. */
export function applicationColumns(options: Pick<ClusterOptions, 'allNamespaces' | 'output'>, now: Date): Column<ApplicationObject>[] {
  const columns: Column<ApplicationObject>[] = [
    { header: 'NAME', text: ({ metadata }) => metadata.name },
    { header: 'SYNC', text: ({ status }) => status?.sync?.status ?? 'Unknown', style: syncStyle },
    { header: 'HEALTH', text: ({ status }) => status?.health?.status ?? 'Unknown', style: healthStyle },
    { header: 'REVISION', text: ({ status }) => shortSha(status?.sync?.revision ?? '<none>') },
    { header: 'AGE', text: ({ metadata }) => formatAge(metadata.creationTimestamp, now) },
  ];
  if (options.output === 'wide') {
    columns.push({ header: 'AUTHOR', text: ({ status }) => status?.source?.author ?? '<none>' }, { header: 'MESSAGE', text: readyMessage });
  }
  return options.allNamespaces ? [{ header: 'NAMESPACE', text: ({ metadata }) => metadata.namespace }, ...columns] : columns;
}

function readyMessage({ status }: ApplicationObject): string {
  return status?.conditions?.find((condition) => condition.type === 'Ready')?.message ?? '';
}
