// What the commands that look at a cluster need of it, and the flags that say which cluster. How requests are made is cluster/'s matter.
import type { Command } from 'commander';
import { Option } from 'commander';
import type { ApplicationSpec, ApplicationStatus } from '../model/application.ts';
import { OperatorError } from '../model/error.ts';
import type { Inventory } from '../model/inventory.ts';
import { isJsonObject } from '../model/json.ts';
import type { Absence } from './absent-object.ts';
import type { ObjectSelector } from './object-selector.ts';
import type { CommandDeps } from './run-command.ts';
import { type OutputFormat, outputFormats } from './structured-output.ts';

/** An Application as the API server returns it. */
export interface ApplicationObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly namespace: string;
    readonly name: string;
    readonly uid: string;
    readonly generation?: number;
    readonly creationTimestamp?: string;
    readonly deletionTimestamp?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: ApplicationSpec;
  readonly status?: ApplicationStatus;
}

/** A Kubernetes Event (core v1), reduced to what is printed. */
export interface EventObject {
  readonly metadata: { readonly uid?: string; readonly creationTimestamp?: string };
  readonly type?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly count?: number;
  readonly lastTimestamp?: string | null;
  readonly eventTime?: string | null;
  readonly series?: { readonly count?: number; readonly lastObservedTime?: string };
}

/** A change seen by a watch: an object as it is now, or the last one seen of a deleted object. */
export interface Watched<Item> {
  readonly type: 'present' | 'deleted';
  readonly object: Item;
}

/** Reads of one cluster with the caller's own credentials. Throws OperatorError. */
export interface ClusterReader {
  /** Namespace of the context; `default` when it names none. */
  readonly namespace: string;
  /** Applications of one namespace, or of all, ordered by namespace and name. */
  applications(namespace: string | undefined): Promise<readonly ApplicationObject[]>;
  application(namespace: string, name: string): Promise<ApplicationObject | undefined>;
  /** One Application now and after each change, until the signal fires. */
  watchApplication(namespace: string, name: string, signal: AbortSignal): AsyncIterable<Watched<ApplicationObject>>;
  /** Inventories with the Application each belongs to; of one namespace, or of all. */
  inventories(namespace: string | undefined): Promise<readonly ApplicationInventory[]>;
  /** Events about one Application, oldest first. */
  events(namespace: string, name: string): Promise<readonly EventObject[]>;
  /** The Events there are, then each new one, until the signal fires. */
  watchEvents(namespace: string, name: string, signal: AbortSignal): AsyncIterable<Watched<EventObject>>;
  /** What is missing when the object that is meant certainly does not exist; undefined when there is one, or when the caller may not know. */
  absent(selector: ObjectSelector, namespace: string): Promise<Absence | undefined>;
  close(): Promise<void>;
}

/** What one Application owns. */
export interface ApplicationInventory {
  readonly namespace: string;
  readonly application: string;
  readonly inventory: Inventory;
}

/** Which cluster: what --kubeconfig and --context say. */
export interface ClusterChoice {
  readonly kubeconfig?: string;
  readonly context?: string;
}

/** Opens a cluster for reading. Requests end when the signal fires. */
export type OpenCluster = (choice: ClusterChoice, signal: AbortSignal) => Promise<ClusterReader>;

/** What commands that read a cluster need. */
export interface ReaderDeps extends CommandDeps {
  readonly openCluster: OpenCluster;
  readonly now: () => Date;
}

/** Flags shared by commands that read a cluster. */
export interface ClusterOptions extends ClusterChoice {
  readonly namespace?: string;
  readonly allNamespaces?: boolean;
  readonly output: OutputFormat;
}

/** Adds --namespace, --kubeconfig and --context. */
export function addClusterFlags(command: Command): Command {
  return command
    .option('-n, --namespace <namespace>', 'namespace of the application (default: that of the context)')
    .option('--kubeconfig <file>', 'kubeconfig to use (default: $KUBECONFIG, then ~/.kube/config)')
    .option('--context <name>', 'context of the kubeconfig to use');
}

/** Adds -o with the formats a command offers; the first is the default. */
export function addOutputFlag(command: Command, formats: readonly OutputFormat[] = outputFormats): Command {
  return command.addOption(new Option('-o, --output <format>', 'how to print').choices(formats).default(formats[0]));
}

/** Runs `use` with an open cluster and closes it whatever happens. */
export async function withCluster<Result>(
  { openCluster, terminal }: ReaderDeps,
  choice: ClusterChoice,
  use: (cluster: ClusterReader) => Promise<Result>,
): Promise<Result> {
  const cluster = await openCluster(choice, terminal.signal);
  try {
    return await use(cluster);
  } finally {
    await cluster.close();
  }
}

/** The Application a person named. Throws with the next step when there is none. */
export async function findApplication(cluster: ClusterReader, namespace: string, name: string): Promise<ApplicationObject> {
  const application = await cluster.application(namespace, name);
  if (application !== undefined) return application;
  // Who may not list everywhere is told only that there is none here.
  throw applicationMissing(namespace, name, await namespacesOf(name, () => cluster.applications(undefined)));
}

/** Namespaces that have an Application of this name, as far as the caller may list them. */
export async function namespacesOf(name: string, list: () => Promise<readonly unknown[]>): Promise<readonly string[]> {
  const everywhere = await list().catch(() => []);
  return everywhere.flatMap((application) => {
    const metadata = isJsonObject(application) && isJsonObject(application['metadata']) ? application['metadata'] : {};
    return metadata['name'] === name && typeof metadata['namespace'] === 'string' ? [metadata['namespace']] : [];
  });
}

/** There is no such Application; `elsewhere` are the namespaces that have one of that name. */
export function applicationMissing(namespace: string, name: string, elsewhere: readonly string[] = []): OperatorError {
  const [first] = elsewhere;
  const places = `${elsewhere.length > 1 ? 'namespaces' : 'namespace'} ${elsewhere.join(', ')}`;
  return new OperatorError(`read Application ${namespace}/${name}: there is none of that name`, {
    code: 'InvalidConfiguration',
    stage: 'cluster',
    fate: 'terminal',
    hint: first === undefined ? 'list them with: setpoint get -A' : `there is one in ${places}; add -n ${first}`,
  });
}
