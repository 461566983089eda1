// What the commands that change something in a cluster need of it: Setpoint's own objects, as the caller. Users' objects are never written from here.
import type { ClusterChoice } from './cluster-reader.ts';
import type { InstallCluster } from './install.ts';
import type { CommandDeps } from './run-command.ts';

/** Reads and writes of one cluster as the caller. Refusals are thrown as OperatorError; absence is no error. */
export interface ActingCluster extends InstallCluster {
  /** Namespace of the context; `default` when it names none. */
  readonly namespace: string;
  /** The name the API server knows the caller by; undefined when it does not tell. */
  whoAmI(signal: AbortSignal): Promise<string | undefined>;
}

/** What commands that act need. */
export interface ActingDeps extends CommandDeps {
  readonly openActingCluster: (choice: ClusterChoice) => Promise<ActingCluster>;
  readonly now: () => Date;
}

/** Runs `use` with an open cluster and closes it whatever happens. */
export async function withActingCluster<Result>(
  deps: ActingDeps,
  choice: ClusterChoice,
  use: (cluster: ActingCluster) => Promise<Result>,
): Promise<Result> {
  const cluster = await deps.openActingCluster(choice);
  try {
    return await use(cluster);
  } finally {
    await cluster.close();
  }
}

/** Who does it, when and why, as annotations and the pause say it. */
export async function interventionBy(
  cluster: ActingCluster,
  reason: string | undefined,
  deps: ActingDeps,
): Promise<Record<string, string>> {
  const by = await cluster.whoAmI(deps.terminal.signal);
  const at = deps
    .now()
    .toISOString()
    .replace(/\.\d+Z$/, 'Z');
  return { ...(by === undefined ? {} : { by }), at, ...(reason === undefined ? {} : { reason }) };
}
