// `setpoint history APP`: who changed what when, refused and failed syncs included. Reads status.history; the full log is Git's.
import type { Command } from 'commander';
import type { ApplicationStatus } from '../model/application.ts';
import { shortSha } from '../model/revision.ts';
import { countsText } from './application-text.ts';
import { addClusterFlags, addOutputFlag, type ClusterOptions, findApplication, type ReaderDeps, withCluster } from './cluster-reader.ts';
import { runCommand } from './run-command.ts';
import { syncStyle } from './status-style.ts';
import { formatStructured } from './structured-output.ts';
import { type Column, formatAge, formatTable } from './table.ts';
import type { ExitCode } from './terminal.ts';

/** One sync as status.history keeps it. */
export type HistoryEntry = NonNullable<ApplicationStatus['history']>[number];

/** Adds `history` to the program. */
export function registerHistory(program: Command, deps: ReaderDeps): void {
  const command = program.command('history').argument('<application>').description('who changed an application, when and why');
  addOutputFlag(addClusterFlags(command)).action((name: string, options: ClusterOptions) =>
    runCommand(deps, () => history(name, options, deps)),
  );
}

async function history(name: string, options: ClusterOptions, deps: ReaderDeps): Promise<ExitCode> {
  return withCluster<ExitCode>(deps, options, async (cluster) => {
    const application = await findApplication(cluster, options.namespace ?? cluster.namespace, name);
    const entries = application.status?.history ?? [];
    if (options.output === 'json' || options.output === 'yaml') deps.terminal.out(await formatStructured(entries, options.output));
    else if (entries.length === 0) deps.terminal.err('no sync yet\n');
    else deps.terminal.out(formatTable(historyColumns(options.output, deps.now()), entries, deps.terminal.paint));
    return 0;
  });
}

/** Columns of the history table. */
export function historyColumns(output: ClusterOptions['output'], now: Date): Column<HistoryEntry>[] {
  const columns: Column<HistoryEntry>[] = [
    { header: 'REVISION', text: (entry) => shortSha(entry.revision ?? '<none>') },
    { header: 'RESULT', text: (entry) => entry.result, style: syncStyle },
    { header: 'TRIGGER', text: (entry) => entry.initiatedBy },
    { header: 'AUTHOR', text: (entry) => entry.author ?? '<none>' },
    { header: 'AGE', text: (entry) => formatAge(entry.finishedAt, now) },
    { header: 'CHANGES', text: (entry) => countsText(entry.counts) },
  ];
  if (output === 'wide') {
    columns.push({ header: 'TOOK', text: (entry) => `${Math.max(0, Date.parse(entry.finishedAt) - Date.parse(entry.startedAt))}ms` });
  }
  columns.push({ header: 'SUBJECT', text: (entry) => entry.subject ?? '' });
  if (output === 'wide') columns.push({ header: 'MESSAGE', text: messageOf });
  return columns;
}

/** Why it failed, or what it took over. */
function messageOf({ message, adopted }: HistoryEntry): string {
  return message ?? (adopted === undefined ? '' : `adopted ${adopted}`);
}
