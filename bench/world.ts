// The running product that is measured: control plane, install, Git server, synth server and operator, each as in a cluster. No timing here.
import { createHmac } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { installManifests } from '../charts/install.ts';
import { tenantManifests } from '../charts/tenant.ts';
import { apiVersion } from '../constructs/annotations.ts';
import type { ApplicationStatus } from '../constructs/application-schema.ts';
import { startWatchdog } from '../dev/control-plane/child-processes.ts';
import { type ControlPlane, startControlPlane } from '../dev/control-plane/start.ts';
import type { DemoCleanup } from '../dev/demo-cleanup.ts';
import { type ProductProcesses, startProduct } from '../dev/demo-processes.ts';
import { type GitServer, startGitServer } from '../dev/git-server.ts';
import { ManifestRepo } from '../dev/manifest-repo.ts';
import { statusOf } from '../operator/cluster/api-error.ts';
import { type CallerObjects, createCallerObjects } from '../operator/cluster/caller-objects.ts';
import { connectionFromKubeconfig } from '../operator/cluster/connection.ts';
import { createDiscovery } from '../operator/cluster/discovery.ts';
import { createRestClient, type OperatorClient } from '../operator/cluster/rest-client.ts';
import type { JsonObject } from '../operator/model/json.ts';
import type { KubeObject } from '../operator/model/manifest.ts';
import type { RepoFiles } from './workload.ts';

/** Everything a measure needs. */
export interface BenchWorld {
  readonly directory: string;
  readonly controlPlane: ControlPlane;
  readonly git: GitServer;
  readonly cluster: OperatorClient;
  readonly objects: CallerObjects;
  readonly product: ProductProcesses;
  readonly signal: AbortSignal;
}

/** One application of the benchmark and its manifest repo. */
export interface BenchApplication {
  readonly namespace: string;
  readonly repo: ManifestRepo;
  readonly repoURL: string;
}

/** Starts everything; what must end afterwards is in `cleanup`. */
export async function startBenchWorld(cleanup: DemoCleanup, signal: AbortSignal): Promise<BenchWorld> {
  const directory = mkdtempSync(path.join(tmpdir(), 'setpoint-bench-'));
  cleanup.add(() => rmSync(directory, { recursive: true, force: true }));
  const watchdog = startWatchdog();
  cleanup.add(() => watchdog.close());
  const report = (text: string): void => void process.stderr.write(`${text}\n`);
  const controlPlane = await startControlPlane({ directory: path.join(directory, 'control-plane'), report, signal });
  cleanup.add(() => controlPlane.stop());
  const cluster = createRestClient({
    connection: await connectionFromKubeconfig(controlPlane.kubeconfigPath),
    userAgent: 'setpoint-bench',
  });
  cleanup.add(() => cluster.close());
  const objects = createCallerObjects(cluster, createDiscovery(cluster));
  for (const object of installManifests() as readonly JsonObject[] as readonly KubeObject[]) {
    if (object.kind !== 'Deployment') await objects.apply(object, signal);
  }
  const git = await startGitServer({ root: path.join(directory, 'git') });
  cleanup.add(() => git.close());
  const product = await startProduct({ directory, adminKubeconfigPath: controlPlane.kubeconfigPath, watchdog, cleanup, signal });
  return { directory, controlPlane, git, cluster, objects, product, signal };
}

/** A namespace with rights for the applier, and a manifest repo with a first commit that is pushed but not followed yet. */
export async function prepareApplication(world: BenchWorld, name: string, files: RepoFiles): Promise<BenchApplication> {
  for (const object of tenantManifests({ namespace: name }) as readonly JsonObject[] as readonly KubeObject[]) {
    await world.objects.apply(object, world.signal);
  }
  const remote = await world.git.createRepository(`${name}.git`);
  const repo = await ManifestRepo.create({ directory: path.join(world.directory, `work-${name}`), remote });
  await repo.commitFiles('Begin', files);
  await repo.push();
  return { namespace: name, repo, repoURL: world.git.repositoryUrl(`${name}.git`) };
}

/** Creates the Application; the operator begins to follow the repo. */
export async function follow(world: BenchWorld, application: BenchApplication): Promise<void> {
  const { namespace, repoURL } = application;
  const source = { repoURL, ref: 'main', interval: '1h' };
  await world.objects.apply({ apiVersion, kind: 'Application', metadata: { namespace, name: 'bench' }, spec: { source } }, world.signal);
}

/** Waits until the operator says that a commit is applied. */
export async function untilSynced(world: BenchWorld, { namespace }: BenchApplication, commit: string): Promise<void> {
  const url = `/apis/${apiVersion}/namespaces/${namespace}/applications/bench`;
  await poll(`${namespace} to be synced at ${commit.slice(0, 8)}`, 180_000, world.signal, async () => {
    const status = (await read(world, url))?.['status'] as ApplicationStatus | undefined;
    const rejected = status?.findings?.items?.[0]?.message;
    if (rejected !== undefined) throw new Error(`${namespace} was refused: ${rejected}`);
    return status?.sync?.revision === commit && status.sync.status === 'Synced';
  });
}

/** Pushes one changed value and calls the webhook. Returns the seconds from the end of the push until the one changed object is live. */
export async function changeOne(world: BenchWorld, application: BenchApplication, objects: number, value: string): Promise<number> {
  const { repo, namespace } = application;
  await pause(1000); // commits of one application come no faster
  const commit = await repo.commitFiles(`Set ${value}`, { 'data.json': `${JSON.stringify({ objects, value })}\n` });
  const live = untilValue(world, namespace, value);
  await repo.push();
  const pushed = performance.now();
  await callWebhook(world, application.repoURL);
  const seconds = ((await live) - pushed) / 1000;
  await untilSynced(world, application, commit);
  return seconds;
}

/** Monotonic time at which ConfigMap `o-0` has the value. */
export async function untilValue(world: BenchWorld, namespace: string, value: string): Promise<number> {
  await poll(`o-0 of ${namespace} to be ${value}`, 120_000, world.signal, async () => {
    const live = await read(world, `/api/v1/namespaces/${namespace}/configmaps/o-0`);
    return (live?.['data'] as { value?: string } | undefined)?.value === value;
  });
  return performance.now();
}

/** Resident memory in MB of the product's own processes and their children, each shared page counted once (PSS). */
export function productMemory(world: BenchWorld): number {
  const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const parents = new Map<string, string>();
  const product = new Set<string>();
  for (const pid of processes) {
    const command = readProc(pid, 'cmdline');
    parents.set(pid, /^PPid:\s*(\d+)/m.exec(readProc(pid, 'status'))?.[1] ?? '0');
    if (command.includes('setpoint.js') && command.includes(world.directory)) product.add(pid);
  }
  const belongs = (pid: string | undefined): boolean => pid !== undefined && pid !== '0' && (product.has(pid) || belongs(parents.get(pid)));
  const kilobytes = processes
    .filter((pid) => belongs(pid))
    .map((pid) => Number(/^Pss:\s*(\d+)/m.exec(readProc(pid, 'smaps_rollup'))?.[1] ?? 0));
  return kilobytes.reduce((sum, one) => sum + one, 0) / 1000;
}

/** A process may end while it is looked at. */
function readProc(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

async function callWebhook({ product }: BenchWorld, repoURL: string): Promise<void> {
  const body = JSON.stringify({ repoURL });
  const signature = `sha256=${createHmac('sha256', product.webhookSecret).update(body).digest('hex')}`;
  const headers = { 'content-type': 'application/json', 'x-setpoint-signature': signature };
  const answer = await fetch(`http://${product.apiAddress}/webhook/generic`, { method: 'POST', headers, body });
  if (!answer.ok) throw new Error(`webhook: ${answer.status} ${await answer.text()}`);
}

async function read({ cluster, signal }: BenchWorld, url: string): Promise<JsonObject | undefined> {
  try {
    return await cluster.request({ method: 'GET', path: url, doing: `read ${url}`, signal });
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw error;
  }
}

/** Asks until it is so. Throws after a time. */
export async function poll(what: string, milliseconds: number, signal: AbortSignal, isSo: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + milliseconds;
  while (!(await isSo())) {
    signal.throwIfAborted();
    if (performance.now() > deadline) throw new Error(`waited ${milliseconds / 1000} s for ${what}`);
    await pause(4);
  }
}
