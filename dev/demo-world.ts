// Everything the demo runs on, from nothing: control plane, install, Git server, synth server, operator, one application. What is played in it is in demo-play.ts.
import { createHmac, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { installManifests } from '../charts/install.ts';
import { operatorName, systemNamespace } from '../charts/names.ts';
import { tenantManifests } from '../charts/tenant.ts';
import { apiVersion } from '../constructs/annotations.ts';
import type { ApplicationStatus } from '../constructs/application-schema.ts';
import { statusOf } from '../operator/cluster/api-error.ts';
import { type CallerObjects, createCallerObjects } from '../operator/cluster/caller-objects.ts';
import { connectionFromKubeconfig } from '../operator/cluster/connection.ts';
import { createDiscovery } from '../operator/cluster/discovery.ts';
import { createRestClient, type OperatorClient } from '../operator/cluster/rest-client.ts';
import type { JsonObject } from '../operator/model/json.ts';
import type { KubeObject } from '../operator/model/manifest.ts';
import { lastLines, startProgram, startWatchdog, type Watchdog } from './control-plane/child-processes.ts';
import { endProcess, isRunning, type ProcessIdentity } from './control-plane/process-identity.ts';
import { createServiceAccountKubeconfig } from './control-plane/service-account.ts';
import { type ControlPlane, startControlPlane } from './control-plane/start.ts';
import { note, type Progress, type StepResult, step } from './demo-print.ts';
import { type GitServer, startGitServer } from './git-server.ts';
import { ManifestRepo } from './manifest-repo.ts';

/** Where the demo's application lives. */
export const tenant = { namespace: 'shop', application: 'shop' } as const;

/** The example that becomes the manifest repo, and the app in it. */
const seed = { example: 'multi-environment', path: 'apps/shop', inputs: { env: 'prod' } } as const;

/** The prod shop keeps its Pods on different nodes, and a rollout needs one more. */
const nodes = 6;

const project = path.resolve(import.meta.dirname, '..');
const bin = path.join(project, 'operator', 'setpoint.js');
const repository = 'manifests.git';

/** The running demo. */
export interface DemoWorld {
  readonly directory: string;
  readonly controlPlane: ControlPlane;
  readonly repoURL: string;
  readonly repo: ManifestRepo;
  readonly apiURL: string;
  readonly cluster: OperatorClient;
  readonly objects: CallerObjects;
  /** Monotonic time at which the Git server accepted the last push. */
  readonly lastPush: () => number;
  /** A live object by its path; undefined when there is none. */
  readonly live: (path: string) => Promise<JsonObject | undefined>;
  /** The Application's status; empty before the operator has written one. */
  readonly status: () => Promise<ApplicationStatus>;
}

interface Pushes {
  /** Monotonic time of the last one. */
  last: number;
  tell?: () => Promise<void>;
}

/** What must be ended and removed, last first. */
export class DemoCleanup {
  readonly #actions: (() => Promise<void> | void)[] = [];

  add(action: () => Promise<void> | void): void {
    this.#actions.unshift(action);
  }

  /** Runs every action even when one fails, and throws the first failure. */
  async run(): Promise<void> {
    const failures: unknown[] = [];
    for (const action of this.#actions.splice(0)) {
      try {
        await action();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}

/** Starts everything and returns when the application is synced and healthy. What was started before a failure is in `cleanup`. */
export async function startWorld(cleanup: DemoCleanup, signal: AbortSignal): Promise<DemoWorld> {
  const directory = mkdtempSync(path.join(tmpdir(), 'setpoint-demo-'));
  cleanup.add(() => rmSync(directory, { recursive: true, force: true }));
  const watchdog = startWatchdog();
  cleanup.add(() => watchdog.close());
  const controlPlane = await step('control plane', (progress) => startCluster(directory, cleanup, signal, progress));
  const cluster = createRestClient({ connection: await connectionFromKubeconfig(controlPlane.kubeconfigPath), userAgent: 'setpoint-demo' });
  cleanup.add(() => cluster.close());
  const objects = createCallerObjects(cluster, createDiscovery(cluster));
  await step('install', () => install(objects, signal));
  const pushes: Pushes = { last: 0 };
  const git = await step('Git server', () => startGit(directory, cleanup, pushes));
  const repo = await step('manifest repo', () => seedRepo(directory, git));
  const apiAddress = `127.0.0.1:${await freePort()}`;
  const keys = writeKeys(directory);
  const start = (name: string, args: readonly string[]): ProcessIdentity => startProduct(name, args, { directory, watchdog, cleanup });
  await step('operator', () => startOperator({ start, controlPlane, apiAddress, keys, directory, signal }));
  const repoURL = git.repositoryUrl(repository);
  pushes.tell = () => sendWebhook(apiAddress, keys.webhookSecret, repoURL);
  const world: DemoWorld = {
    directory,
    controlPlane,
    repoURL,
    repo,
    apiURL: `http://${apiAddress}`,
    cluster,
    objects,
    lastPush: () => pushes.last,
    live: (path) => readLive(cluster, path, signal),
    status: async () => ((await readLive(cluster, applicationPath, signal))?.['status'] ?? {}) as ApplicationStatus,
  };
  await step('application', () => createApplication(world, signal));
  return world;
}

const applicationPath = `/apis/${apiVersion}/namespaces/${tenant.namespace}/applications/${tenant.application}`;

async function readLive(cluster: OperatorClient, path: string, signal: AbortSignal): Promise<JsonObject | undefined> {
  try {
    return await cluster.request({ method: 'GET', path, doing: `read ${path}`, signal });
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw error;
  }
}

async function startCluster(
  directory: string,
  cleanup: DemoCleanup,
  signal: AbortSignal,
  progress: Progress,
): Promise<StepResult<ControlPlane>> {
  const controlPlane = await startControlPlane({ directory: path.join(directory, 'control-plane'), nodes, report: progress, signal });
  cleanup.add(() => controlPlane.stop());
  return { value: controlPlane, detail: `etcd, API server, controllers, scheduler, ${nodes} nodes` };
}

/** The install manifests, but for the Deployments: no kubelet runs containers here, so the demo starts the same programs as processes. */
async function install(objects: CallerObjects, signal: AbortSignal): Promise<StepResult<void>> {
  const manifests = [
    ...installManifests(),
    ...tenantManifests({ namespace: tenant.namespace }),
  ] as readonly JsonObject[] as readonly KubeObject[];
  const applied = manifests.filter(({ kind }) => kind !== 'Deployment');
  for (const object of applied) await objects.apply(object, signal);
  return { value: undefined, detail: `${applied.length} objects: CRDs, the operator's rights, tenant ${tenant.namespace}` };
}

/** A Git server that tells the operator of each push, once there is one to tell. */
async function startGit(directory: string, cleanup: DemoCleanup, pushes: Pushes): Promise<StepResult<GitServer>> {
  const onPush = (): void => {
    pushes.last = performance.now();
    void pushes.tell?.();
  };
  const git = await startGitServer({ root: path.join(directory, 'git'), onPush });
  cleanup.add(() => git.close());
  return { value: git, detail: git.url };
}

/** The generic webhook: a Git host, or a few lines of CI, would send the same. Lost calls do not matter, the operator polls too. */
async function sendWebhook(apiAddress: string, secret: string, repoURL: string): Promise<void> {
  const body = JSON.stringify({ repoURL, ref: 'refs/heads/main' });
  const signature = createHmac('sha256', secret).update(body).digest('hex');
  const headers = { 'content-type': 'application/json', 'x-setpoint-signature': `sha256=${signature}` };
  await fetch(`http://${apiAddress}/webhook/generic`, { method: 'POST', headers, body }).catch(() => undefined);
}

async function seedRepo(directory: string, git: GitServer): Promise<StepResult<ManifestRepo>> {
  const remote = await git.createRepository(repository);
  const repo = await ManifestRepo.create({ directory: path.join(directory, 'work-tree'), remote });
  repo.copy(path.join(project, 'examples', seed.example));
  const commit = await repo.commit('Begin with the shop and the blog');
  await repo.push();
  return { value: repo, detail: `examples/${seed.example}, commit ${commit.slice(0, 8)}` };
}

interface Keys {
  readonly synth: string;
  readonly webhook: string;
  readonly webhookSecret: string;
}

function writeKeys(directory: string): Keys {
  const keys = {
    synth: path.join(directory, 'synth-key'),
    webhook: path.join(directory, 'webhook-key'),
    webhookSecret: randomBytes(32).toString('hex'),
  };
  writeFileSync(keys.synth, randomBytes(32).toString('hex'), { mode: 0o600 });
  writeFileSync(keys.webhook, keys.webhookSecret, { mode: 0o600 });
  return keys;
}

interface ProductSurroundings {
  readonly directory: string;
  readonly watchdog: Watchdog;
  readonly cleanup: DemoCleanup;
}

/** Starts one of the product's own commands as a process that ends with the demo, however the demo ends. */
function startProduct(name: string, args: readonly string[], { directory, watchdog, cleanup }: ProductSurroundings): ProcessIdentity {
  const identity = startProgram({ command: process.execPath, args: [bin, ...args], directory, log: path.join(directory, `${name}.log`) });
  watchdog.watch(identity);
  cleanup.add(() => endProcess(identity, 'SIGTERM', 10_000));
  return identity;
}

type StartProduct = (name: string, args: readonly string[]) => ProcessIdentity;

interface OperatorStart {
  readonly start: StartProduct;
  readonly controlPlane: ControlPlane;
  readonly apiAddress: string;
  readonly keys: Keys;
  readonly directory: string;
  readonly signal: AbortSignal;
}

/** The operator under the token of its own ServiceAccount: it has the rights of the charts and no others. */
async function startOperator({ start, controlPlane, apiAddress, keys, directory, signal }: OperatorStart): Promise<StepResult<void>> {
  const kubeconfig = path.join(directory, 'operator.kubeconfig');
  await createServiceAccountKubeconfig({
    adminKubeconfigPath: controlPlane.kubeconfigPath,
    namespace: systemNamespace,
    name: operatorName,
    path: kubeconfig,
  });
  const identity = start('operator', [
    'operator',
    `--kubeconfig=${kubeconfig}`,
    `--api-address=${apiAddress}`,
    '--metrics-address=127.0.0.1:0',
    `--data-dir=${path.join(directory, 'operator-data')}`,
    `--webhook-secret-file=${keys.webhook}`,
    '--allow-loopback-git',
  ]);
  const ready = async (): Promise<boolean> => (await fetch(`http://${apiAddress}/readyz`).catch(() => undefined))?.ok === true;
  await until('the operator to be ready', ready, { signal, watch: { identity, log: path.join(directory, 'operator.log') } });
  return { value: undefined, detail: `as ServiceAccount ${systemNamespace}/${operatorName}` };
}

async function createApplication(world: DemoWorld, signal: AbortSignal): Promise<StepResult<void>> {
  const { namespace, application: name } = tenant;
  const application: KubeObject = {
    apiVersion,
    kind: 'Application',
    metadata: { namespace, name },
    spec: { source: { repoURL: world.repoURL, ref: 'main', path: seed.path, inputs: seed.inputs, interval: '5s' } },
  };
  await world.objects.apply(application, signal);
  const status = await untilReady(world, await world.repo.head(), signal);
  return {
    value: undefined,
    detail: `${namespace}/${name}: ${status.resources?.total ?? 0} objects synced at ${status.sync?.revision?.slice(0, 8)} and healthy`,
  };
}

/** Waits until a commit is applied and everything is healthy; a failure says what the Application says. */
export async function untilReady(world: DemoWorld, commit: string, signal: AbortSignal): Promise<ApplicationStatus> {
  let status: ApplicationStatus = {};
  const isReady = async (): Promise<boolean> => {
    status = await world.status();
    return (
      status.sync?.revision === commit &&
      status.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') === true
    );
  };
  try {
    await until(`${tenant.namespace}/${tenant.application} to be ready at ${commit.slice(0, 8)}`, isReady, { signal });
  } catch (error) {
    for (const condition of status.conditions ?? [])
      note(`${condition.type}=${condition.status} ${condition.reason}: ${condition.message}`);
    note(lastLines(path.join(world.directory, 'operator.log')));
    throw error;
  }
  return status;
}

/** Options of {@link until}. */
export interface UntilOptions {
  readonly signal: AbortSignal;
  /** @default 60,000 */
  readonly timeoutMilliseconds?: number;
  /** A process that must live meanwhile, and its log. */
  readonly watch?: { readonly identity: ProcessIdentity; readonly log: string };
}

/** Asks every few milliseconds until the answer is yes. Throws when it stays no, naming what was waited for. */
export async function until(
  what: string,
  isSo: () => Promise<boolean>,
  { signal, timeoutMilliseconds = 60_000, watch }: UntilOptions,
): Promise<void> {
  const deadline = performance.now() + timeoutMilliseconds;
  while (!(await isSo())) {
    signal.throwIfAborted();
    if (watch !== undefined && !isRunning(watch.identity)) throw new Error(`waited for ${what}, but it ended:\n${lastLines(watch.log)}`);
    if (performance.now() > deadline)
      throw new Error(`waited ${timeoutMilliseconds / 1000} s for ${what}${watch === undefined ? '' : `:\n${lastLines(watch.log)}`}`);
    await pause(5);
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
