// `setpoint install`: applies Setpoint's own objects with the caller's kubeconfig, or prints them. What they are is charts/' matter.
import { setTimeout as pause } from 'node:timers/promises';
import type { Command } from 'commander';
import { Option } from 'commander';
import { OperatorError } from '../model/error.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../model/json.ts';
import type { KubeObject } from '../model/manifest.ts';
import { formatRef, groupOf, type KindRef, type ObjectRef } from '../model/object-ref.ts';
import type { ClusterChoice } from './cluster-reader.ts';
import { type CommandDeps, runCommand, usageError } from './run-command.ts';
import { formatStructured } from './structured-output.ts';
import type { ExitCode } from './terminal.ts';

/** Reads and writes of one cluster as the caller, for install and uninstall. Refusals are thrown as OperatorError; absence is no error. */
export interface InstallCluster {
  /** Server-side apply by the field manager `setpoint-install`; returns the live object. */
  apply(object: KubeObject, signal: AbortSignal): Promise<JsonObject>;
  read(ref: ObjectRef, signal: AbortSignal): Promise<JsonObject | undefined>;
  /** None when the cluster does not serve the kind. */
  list(
    kind: KindRef,
    signal: AbortSignal,
    options?: { readonly namespace?: string; readonly labelSelector?: string },
  ): Promise<readonly JsonObject[]>;
  /** JSON merge patch; false when the object is gone. */
  patch(ref: ObjectRef, patch: JsonObject, signal: AbortSignal): Promise<boolean>;
  /** Starts the deletion; false when there was nothing to delete. */
  delete(ref: ObjectRef, signal: AbortSignal): Promise<boolean>;
  close(): Promise<void>;
}

/** Choices about what is installed. */
export interface ManifestOptions {
  readonly image?: string;
  readonly crdsOnly?: boolean;
  readonly webhookSecretName?: string;
}

/** What `install` and `uninstall` need. */
export interface InstallDeps extends CommandDeps {
  readonly openInstallCluster: (choice: ClusterChoice) => Promise<InstallCluster>;
  /** The objects of the install in the order in which they can be applied. */
  readonly installManifests: (options: ManifestOptions) => Promise<readonly JsonObject[]>;
}

interface InstallFlags extends ClusterChoice {
  readonly image?: string;
  readonly crdsOnly?: boolean;
  readonly webhookSecret?: string;
  readonly dryRun?: boolean;
  readonly output?: 'yaml' | 'json';
}

/** How long the API server may take to serve a new kind. */
const establishMilliseconds = 60_000;

/** Adds `install` to the program. */
export function registerInstall(program: Command, deps: InstallDeps): void {
  const command = program.command('install').description('install or upgrade Setpoint in a cluster: kinds, rights, operator, synth server');
  addConnectionFlags(command)
    .option('--image <image>', 'container image of Setpoint')
    .option('--crds-only', 'only the CustomResourceDefinitions')
    .option(
      '--webhook-secret <name>',
      'Secret in setpoint-system whose key "secret" signs webhook calls (default: webhook calls are refused)',
    )
    .option('--dry-run', 'print the objects instead of applying them; needs no cluster')
    .addOption(new Option('-o, --output <format>', 'how to print them').choices(['yaml', 'json']))
    .action((flags: InstallFlags) => runCommand(deps, () => install(flags, deps)));
}

/** Adds --kubeconfig and --context. */
export function addConnectionFlags(command: Command): Command {
  return command
    .option('--kubeconfig <file>', 'kubeconfig to use (default: $KUBECONFIG, then ~/.kube/config)')
    .option('--context <name>', 'context of the kubeconfig to use');
}

async function install(flags: InstallFlags, deps: InstallDeps): Promise<ExitCode> {
  if (flags.output !== undefined && !flags.dryRun)
    throw usageError(`print the objects as ${flags.output}: without --dry-run they are applied`, 'add --dry-run');
  const objects = (await deps.installManifests(manifestOptions(flags))).map(asKubeObject);
  if (flags.dryRun) {
    deps.terminal.out(await formatObjects(objects, flags.output ?? 'yaml'));
    return 0;
  }
  await withInstallCluster(deps, flags, async (cluster) => {
    const { signal } = deps.terminal;
    for (const object of objects) {
      await cluster.apply(object, signal);
      deps.terminal.out(`${kubectlName(refOf(object))} serverside-applied\n`);
      if (object.kind === 'CustomResourceDefinition') await waitEstablished(cluster, refOf(object), signal);
    }
  });
  return 0;
}

function manifestOptions({ image, crdsOnly, webhookSecret }: InstallFlags): ManifestOptions {
  return {
    ...(image === undefined ? {} : { image }),
    ...(crdsOnly === undefined ? {} : { crdsOnly }),
    ...(webhookSecret === undefined ? {} : { webhookSecretName: webhookSecret }),
  };
}

/** Opens the cluster, and closes it whatever happens. */
export async function withInstallCluster(
  deps: InstallDeps,
  choice: ClusterChoice,
  use: (cluster: InstallCluster) => Promise<void>,
): Promise<void> {
  const cluster = await deps.openInstallCluster(choice);
  try {
    await use(cluster);
  } finally {
    await cluster.close();
  }
}

/** Resolves when the API server serves the kind. Throws OperatorError `Timeout`. */
async function waitEstablished(cluster: InstallCluster, ref: ObjectRef, signal: AbortSignal): Promise<void> {
  const failure = new OperatorError(
    `wait for ${formatRef(ref)}: the API server does not serve the kind after ${establishMilliseconds / 1000}s`,
    {
      code: 'Timeout',
      stage: 'cluster',
      fate: 'transient',
      hint: `look at its conditions: kubectl describe crd ${ref.name}`,
    },
  );
  await poll(async () => isEstablished(await cluster.read(ref, signal)), establishMilliseconds, signal, failure);
}

function isEstablished(definition: JsonObject | undefined): boolean {
  const status = definition?.['status'];
  const conditions = isJsonObject(status) && Array.isArray(status['conditions']) ? (status['conditions'] as readonly JsonValue[]) : [];
  return conditions.some((condition) => isJsonObject(condition) && condition['type'] === 'Established' && condition['status'] === 'True');
}

/** Asks until the answer is yes. Throws `failure` once the time is over. */
export async function poll(
  check: () => Promise<boolean>,
  milliseconds: number,
  signal: AbortSignal,
  failure: OperatorError,
): Promise<void> {
  const deadline = performance.now() + milliseconds;
  for (let wait = 50; !(await check()); wait = Math.min(wait * 1.5, 1000)) {
    if (performance.now() >= deadline) throw failure;
    await pause(wait, undefined, { signal });
  }
}

/** What kubectl calls an object: `deployment.apps/setpoint-operator`. */
export function kubectlName(ref: ObjectRef): string {
  const group = groupOf(ref.apiVersion);
  return `${ref.kind.toLowerCase()}${group === '' ? '' : `.${group}`}/${ref.name}`;
}

/** The reference of an object of the install. */
export function refOf(object: KubeObject): ObjectRef {
  return { apiVersion: object.apiVersion, kind: object.kind, namespace: object.metadata.namespace ?? '', name: object.metadata.name };
}

/** An object of the install, checked to have what every object has. */
export function asKubeObject(object: JsonObject): KubeObject {
  const { apiVersion, kind, metadata } = object;
  if (typeof apiVersion === 'string' && typeof kind === 'string' && isJsonObject(metadata) && typeof metadata['name'] === 'string') {
    return object as KubeObject;
  }
  throw new OperatorError('read the objects of the install: one has no apiVersion, kind or name', {
    code: 'Internal',
    stage: 'config',
    fate: 'terminal',
  });
}

async function formatObjects(objects: readonly KubeObject[], format: 'yaml' | 'json'): Promise<string> {
  if (format === 'json') return formatStructured({ apiVersion: 'v1', kind: 'List', items: objects }, 'json');
  return (await Promise.all(objects.map((object) => formatStructured(object, 'yaml')))).join('---\n');
}
