// Everything the demo runs on, from nothing: control plane, install, Git server, synth server, operator, one application. What is played in it is in demo-play.ts.
import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { installManifests } from '../charts/install.ts';
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
import { lastLines, startWatchdog } from './control-plane/child-processes.ts';
import { type ControlPlane, startControlPlane } from './control-plane/start.ts';
import type { DemoCleanup } from './demo-cleanup.ts';
import { note, type Progress, type StepResult, step } from './demo-print.ts';
import { operatorLog, type ProductProcesses, startProduct } from './demo-processes.ts';
import { until } from './demo-until.ts';
import { type GitServer, startGitServer } from './git-server.ts';
import { ManifestRepo } from './manifest-repo.ts';

/** Where the demo's application lives. */
export const tenant = { namespace: 'shop', application: 'shop' } as const;

/** The example that becomes the manifest repo, and the app in it. */
const seed = { example: 'multi-environment', path: 'apps/shop', inputs: { env: 'prod' } } as const;

/** The prod shop keeps its Pods on different nodes, and a rollout needs one more. */
const nodes = 6;

const project = path.resolve(import.meta.dirname, '..');
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
  const product = await startProduct({ directory, adminKubeconfigPath: controlPlane.kubeconfigPath, watchdog, cleanup, signal });
  const repoURL = git.repositoryUrl(repository);
  pushes.tell = () => sendWebhook(product, repoURL);
  const world: DemoWorld = {
    directory,
    controlPlane,
    repoURL,
    repo,
    apiURL: `http://${product.apiAddress}`,
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
async function sendWebhook({ apiAddress, webhookSecret }: ProductProcesses, repoURL: string): Promise<void> {
  const body = JSON.stringify({ repoURL, ref: 'refs/heads/main' });
  const signature = createHmac('sha256', webhookSecret).update(body).digest('hex');
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
    note(lastLines(operatorLog(world.directory)));
    throw error;
  }
  return status;
}
