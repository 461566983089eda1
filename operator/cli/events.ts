// `setpoint events APP`: Kubernetes Events of one Application, as a table or live. The operator writes them; this only reads.
import type { Command } from 'commander';
import {
  addClusterFlags,
  addOutputFlag,
  type ClusterOptions,
  type EventObject,
  findApplication,
  type ReaderDeps,
  type Watched,
  withCluster,
} from './cluster-reader.ts';
import { runCommand } from './run-command.ts';
import { formatStructured } from './structured-output.ts';
import { type Column, formatAge, formatTable } from './table.ts';
import type { ExitCode } from './terminal.ts';

interface EventsOptions extends ClusterOptions {
  readonly watch?: boolean;
}

/** Adds `events` to the program. */
export function registerEvents(program: Command, deps: ReaderDeps): void {
  const command = program.command('events').argument('<application>').description('events of an application, oldest first');
  addOutputFlag(addClusterFlags(command), ['table', 'json', 'yaml']).option('-w, --watch', 'go on printing new events until stopped');
  command.action((name: string, options: EventsOptions) => runCommand(deps, () => events(name, options, deps)));
}

async function events(name: string, options: EventsOptions, deps: ReaderDeps): Promise<ExitCode> {
  return withCluster<ExitCode>(deps, options, async (cluster) => {
    const { terminal } = deps;
    const namespace = options.namespace ?? cluster.namespace;
    await findApplication(cluster, namespace, name);
    if (options.watch === true) return printLive(cluster.watchEvents(namespace, name, terminal.signal), options, deps);
    const found = await cluster.events(namespace, name);
    if (options.output === 'json' || options.output === 'yaml')
      terminal.out(await formatStructured({ apiVersion: 'v1', kind: 'List', items: found }, options.output));
    else if (found.length === 0) terminal.err('no events; the API server keeps them for an hour\n');
    else terminal.out(formatTable(eventColumns(deps.now()), found, terminal.paint));
    return 0;
  });
}

/** Prints each event once, though a watch that starts again brings all of them again. */
async function printLive(watched: AsyncIterable<Watched<EventObject>>, options: EventsOptions, deps: ReaderDeps): Promise<ExitCode> {
  const printed = new Map<string, string>();
  for await (const { type, object } of watched) {
    const id = object.metadata.uid ?? '';
    const state = `${lastSeen(object)}${repeated(object)}`;
    if (type === 'deleted' || printed.get(id) === state) continue;
    printed.set(id, state);
    deps.terminal.out(await formatLive(object, options, deps));
  }
  return 0;
}

async function formatLive(event: EventObject, options: EventsOptions, deps: ReaderDeps): Promise<string> {
  if (options.output === 'json') return `${JSON.stringify(event)}\n`;
  if (options.output === 'yaml') return `---\n${await formatStructured(event, 'yaml')}`;
  const [, row = ''] = formatTable(liveColumns, [event], deps.terminal.paint).split('\n');
  return `${row}\n`;
}

/** Columns of the table of events. */
export function eventColumns(now: Date): Column<EventObject>[] {
  return [{ header: 'LAST SEEN', text: (event) => formatAge(lastSeen(event), now) }, ...textColumns];
}

const textColumns: readonly Column<EventObject>[] = [
  {
    header: 'TYPE',
    text: (event) => (event.type ?? 'Normal').padEnd(7),
    style: (type) => (type.startsWith('Warning') ? 'yellow' : undefined),
  },
  { header: 'REASON', text: (event) => (event.reason ?? '').padEnd(20) },
  { header: 'MESSAGE', text: (event) => `${event.message ?? ''}${repeated(event)}` },
];

const liveColumns: readonly Column<EventObject>[] = [
  { header: 'TIME', text: (event) => (lastSeen(event) ?? '<unknown>').replace(/\.\d+Z$/, 'Z') },
  ...textColumns,
];

/** When an event was last seen, from whichever of the API's four fields the writer filled in. */
export function lastSeen(event: EventObject): string | undefined {
  return event.series?.lastObservedTime ?? event.lastTimestamp ?? event.eventTime ?? event.metadata.creationTimestamp;
}

function repeated(event: EventObject): string {
  const count = event.series?.count ?? event.count ?? 1;
  return count > 1 ? ` (x${count})` : '';
}
