// Starts a whole control plane in a directory and waits until it can be worked with. The background form for people is in dev.ts.
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type ApiClient, ApiRefusal, connect } from './api-client.ts';
import { type BuildOptions, buildControlPlane, type ControlPlanePrograms } from './build.ts';
import { lastLines, startProgram, startWatchdog, type Watchdog } from './child-processes.ts';
import { prepareDirectory, type Secrets, writeAuthority } from './directory.ts';
import { FILES, flagsOf, type PartName } from './parts.ts';
import { endProcess, isRunning, type ProcessIdentity, signalProcess } from './process-identity.ts';
import { readState, writeState } from './state.ts';

export interface StartOptions extends BuildOptions {
  /** Holds everything: data, certificates, logs, state. Made if absent; data found there is kept. */
  readonly directory: string;
  /** Let the parts live on when this process ends. @default false */
  readonly detached?: boolean;
  /** etcd and API server only: no controllers, no node. @default false */
  readonly apiOnly?: boolean;
  /** How many nodes kwok plays. @default 1 */
  readonly nodes?: number;
  /** Port to try first; another one is taken when it is not free. @default that of the last time in this directory, else any */
  readonly port?: number;
}

export interface ControlPlane {
  readonly directory: string;
  readonly url: string;
  readonly kubeconfigPath: string;
  readonly caPath: string;
  /** Token of a user in the group system:masters. */
  readonly adminToken: string;
  readonly programs: ControlPlanePrograms;
  /** Ends a part at once (as a crash would) and starts it again at the same address; returns when the API is ready. */
  restart(part: PartName): Promise<void>;
  /** Sends a signal to a part, such as SIGSTOP and SIGCONT. */
  signal(part: PartName, signal: NodeJS.Signals): void;
  /** Ends every part. The directory stays. */
  stop(): Promise<void>;
}

interface Running {
  readonly directory: string;
  readonly port: number;
  readonly secrets: Secrets;
  readonly programs: ControlPlanePrograms;
  readonly processes: Map<PartName, ProcessIdentity>;
  readonly watchdog: Watchdog | undefined;
  readonly signal: AbortSignal | undefined;
}

const CONTROLLERS = ['kube-controller-manager', 'kube-scheduler', 'kwok'] as const;
const READY_WITHIN_MS = 120_000;

/**
 * Starts etcd, kube-apiserver, kube-controller-manager, kube-scheduler and kwok on loopback.
 *
 * Guarantees: on return the API is ready, the namespaces default and kube-system and the default ServiceAccount exist, and the node is Ready;
 * several run side by side; unless `detached`, the parts end with this process however it ends.
 * @throws with the last lines of the part's log when one does not come up; nothing is left running then.
 */
export async function startControlPlane(options: StartOptions): Promise<ControlPlane> {
  const programs = await buildControlPlane(options);
  const directory = resolve(options.directory);
  const earlier = readState(directory);
  if (earlier?.processes.some(({ identity }) => isRunning(identity))) {
    throw new Error(`start a control plane in ${directory}: one is running there; end it first with: setpoint dev down --dir ${directory}`);
  }
  const secrets = prepareDirectory(directory);
  copyFileSync(join(import.meta.dirname, 'stages.yaml'), join(directory, FILES.stages));
  const watchdog = options.detached ? undefined : startWatchdog();
  const preferred = options.port ?? (earlier ? Number(new URL(earlier.url).port) : undefined);
  const running = await startApi({ directory, secrets, programs, processes: new Map(), watchdog, signal: options.signal }, preferred);
  try {
    if (!options.apiOnly) await startControllers(running, options.nodes ?? 1);
  } catch (error) {
    await stopAll(running);
    throw error;
  }
  return handleOf(running);
}

/** Somebody else may have the port, even one that was free a moment ago: then the server says so and gets another one. */
async function startApi(base: Omit<Running, 'port'>, preferred: number | undefined): Promise<Running> {
  for (let attempt = 1; ; attempt++) {
    const running = { ...base, port: (attempt === 1 ? preferred : undefined) ?? (await findFreePort()) };
    try {
      startPart(running, 'etcd');
      startPart(running, 'kube-apiserver');
      const ca = await waitForServing(running);
      writeAuthority(running.directory, urlOf(running), ca, running.secrets);
      await waitForApi(running);
      return running;
    } catch (error) {
      const taken = /address already in use/.test(lastLines(logOf(running, 'kube-apiserver'), 200));
      await stopAll(running, taken && attempt < 5);
      if (!taken || attempt >= 5) throw error;
    }
  }
}

async function startControllers(running: Running, nodes: number): Promise<void> {
  for (const part of CONTROLLERS) if (running.programs[part]) startPart(running, part);
  const api = clientOf(running);
  try {
    if (running.programs.kwok) for (let index = 0; index < nodes; index++) await createNode(api, `node-${index}`);
    const wanted = [
      ...(running.programs['kube-controller-manager'] ? ['/api/v1/namespaces/default/serviceaccounts/default'] : []),
      '/api/v1/namespaces/default',
      '/api/v1/namespaces/kube-system',
    ];
    for (const path of wanted) await until(running, `${path} exists`, async () => (await api.send(path)).status === 200);
    if (running.programs.kwok) await until(running, 'the nodes are Ready', () => nodesAreReady(api));
  } finally {
    await api.close();
  }
}

function startPart(running: Running, part: PartName): void {
  const command = running.programs[part];
  if (!command) throw new Error(`start ${part}: this control plane has no such program`);
  const { directory, port } = running;
  const identity = startProgram({ command, args: flagsOf(part, { directory, port }), directory, log: logOf(running, part) });
  running.processes.set(part, identity);
  running.watchdog?.watch(identity);
  // At every start, so that `down` finds the processes even if we are killed the next moment.
  const processes = [...running.processes].map(([name, started]) => ({ name, identity: started }));
  writeState(directory, { url: urlOf(running), adminToken: running.secrets.tokens.admin, processes });
}

/** The API server makes its own certificate authority; the file holds the serving certificate first and the authority last. */
async function waitForServing(running: Running): Promise<string> {
  const path = join(running.directory, FILES.serving);
  await until(running, 'its certificate is written', async () => existsSync(path) && existsSync(path.replace(/crt$/, 'key')));
  const authority = readFileSync(path, 'utf8')
    .match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/g)
    ?.at(-1);
  if (!authority) throw new Error(`start kube-apiserver: ${path} holds no certificate`);
  return authority;
}

async function waitForApi(running: Running): Promise<void> {
  const api = clientOf(running);
  try {
    await until(running, 'the API is ready', async () => (await api.send('/readyz')).status === 200);
  } finally {
    await api.close();
  }
}

/** Polls; a part that ended meanwhile is an error at once, a refused connection just means "not yet". */
async function until(running: Running, what: string, check: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS;
  for (;;) {
    running.signal?.throwIfAborted();
    for (const [part, identity] of running.processes) {
      if (!isRunning(identity))
        throw new Error(
          `start the control plane in ${running.directory}: ${part} ended before ${what}:\n${lastLines(logOf(running, part))}`,
        );
    }
    if (await check().catch(() => false)) return;
    if (Date.now() > deadline) {
      throw new Error(
        `start the control plane in ${running.directory}: after ${READY_WITHIN_MS / 1000} s still not true that ${what}; see the logs there`,
      );
    }
    await pause(30);
  }
}

async function createNode(api: ApiClient, name: string): Promise<void> {
  const labels = { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'amd64' };
  const body = { apiVersion: 'v1', kind: 'Node', metadata: { name, labels, annotations: { 'kwok.x-k8s.io/node': 'fake' } } };
  await api.json('/api/v1/nodes', { method: 'POST', body }).catch((error: unknown) => {
    if (!(error instanceof ApiRefusal && error.reason === 'AlreadyExists')) throw error;
  });
}

interface NodeList {
  items: { status?: { conditions?: { type: string; status: string }[] } }[];
}

async function nodesAreReady(api: ApiClient): Promise<boolean> {
  const { items } = await api.json<NodeList>('/api/v1/nodes');
  return (
    items.length > 0 && items.every(({ status }) => status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True'))
  );
}

async function stopAll(running: Running, again = false): Promise<void> {
  // Nothing to wait for politely: etcd finds everything that was acknowledged in its log, and nobody else uses the data.
  for (const identity of running.processes.values()) signalProcess(identity, 'SIGKILL');
  await Promise.all([...running.processes.values()].map((identity) => endProcess(identity)));
  running.processes.clear();
  rmSync(join(running.directory, FILES.etcdSocket), { force: true });
  if (!again) running.watchdog?.close();
}

function handleOf(running: Running): ControlPlane {
  const { directory, programs, secrets } = running;
  return {
    directory,
    url: urlOf(running),
    kubeconfigPath: join(directory, FILES.kubeconfig),
    caPath: join(directory, FILES.ca),
    adminToken: secrets.tokens.admin,
    programs,
    async restart(part) {
      const identity = running.processes.get(part);
      if (identity) await endProcess(identity);
      startPart(running, part);
      await waitForApi(running);
    },
    signal(part, signal) {
      const identity = running.processes.get(part);
      if (!identity || !signalProcess(identity, signal))
        throw new Error(`signal ${part} of the control plane in ${directory}: it is not running`);
    },
    stop: () => stopAll(running),
  };
}

function clientOf(running: Running): ApiClient {
  const ca = readFileSync(join(running.directory, FILES.ca), 'utf8');
  return connect({ url: urlOf(running), ca, token: running.secrets.tokens.admin });
}

function urlOf({ port }: { readonly port: number }): string {
  return `https://127.0.0.1:${port}`;
}

function logOf({ directory }: { readonly directory: string }, part: PartName): string {
  mkdirSync(join(directory, 'logs'), { recursive: true });
  return join(directory, 'logs', `${part}.log`);
}

function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
