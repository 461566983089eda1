// The running operator: makes every part, connects them, stops them in order. The compiler checks here that each part fits its port.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { defaultSystemNamespace } from '../constructs/annotations.ts';
import { forwardWebhook } from './api/forward-webhook.ts';
import { livenessRoute, metricsRoute, readinessRoute } from './api/routes.ts';
import { type Route, startServer } from './api/server.ts';
import { handleGenericWebhook, webhookBodyLimit } from './api/webhook.ts';
import type { ExitCode } from './cli/terminal.ts';
import { createApplicationStore } from './cluster/applications.ts';
import { createCatalogLoader } from './cluster/catalog.ts';
import { type ClusterConnection, connectionFromKubeconfig, inClusterConnection, serviceAccountFolder } from './cluster/connection.ts';
import { createDiscovery } from './cluster/discovery.ts';
import { createEventRecorder, type EventRecorder } from './cluster/events.ts';
import { createInventoryStore } from './cluster/inventory-store.ts';
import { watchKindChanges } from './cluster/kind-changes.ts';
import type { LeaderElection } from './cluster/leader-election.ts';
import { createObjectWriter } from './cluster/objects.ts';
import { createObserver } from './cluster/observer.ts';
import { createPauseSwitch } from './cluster/pause.ts';
import { createRestClient, type OperatorClient } from './cluster/rest-client.ts';
import { createSecretReader } from './cluster/secrets.ts';
import { ensureSynthKey } from './cluster/synth-key.ts';
import type { Config, Environment } from './config.ts';
import { createEventStream, type EventStream } from './events/event-stream.ts';
import { createLog, type Log } from './events/log.ts';
import { advertisedUrl, openElection } from './leadership.ts';
import { createMetrics } from './metrics/metrics.ts';
import { OperatorError, toOperatorError } from './model/error.ts';
import type { EmitEvent } from './model/event.ts';
import { ApplicationController } from './reconcile/application-controller.ts';
import { OwnedObjects } from './reconcile/owned-objects.ts';
import type { Parts } from './reconcile/parts.ts';
import { SynthLanes, synthConcurrency } from './reconcile/synth-lanes.ts';
import { startTriggers } from './reconcile/triggers.ts';
import type { SourcePool } from './source/ports.ts';
import { createSourcePool } from './source/source-pool.ts';
import { createLocalSynthesizer } from './synth/local-synthesizer.ts';
import type { Synthesizer } from './synth/ports.ts';
import { createRemoteSynthesizer } from './synth/remote-synthesizer.ts';
import { systemClock } from './system-clock.ts';
import { createValidator } from './validate/create-validator.ts';

/** Applications worked on at once; those that wait for Git or for health are not counted. */
const workers = 16;
/** How long looks under way, and then connections, may take to end after a stop was asked for. */
const stopMilliseconds = 8_000;
/** The same when the lease is lost and another operator acts. */
const lostMilliseconds = 500;
/** How long the last Kubernetes Events may take to be written. */
const flushMilliseconds = 2_000;

/** Runs until the signal aborts. Throws OperatorError when it cannot start, and `LeaseLost` when it may act no longer. */
export async function runOperator(config: Config, environment: Environment, signal: AbortSignal): Promise<ExitCode> {
  const log = createLog(config.logLevel, { write: (line) => void process.stdout.write(line) });
  const events = createEventStream((error) => log.write('error', toOperatorError(error, 'api').message));
  events.subscribe(log.subscriber);
  const stop = new AbortController();
  const connection = await connect(config, environment);
  const election = openElection(config, connection, events.emit);
  const guard = election === undefined ? {} : { guard: () => election.assertLeading() };
  const client = createRestClient({ connection, emit: events.emit, userAgent: 'setpoint-operator', ...guard });
  let work: Work | undefined;
  const metrics = createMetrics(() => work?.controller.queueCounts() ?? { waiting: 0, running: 0 });
  events.subscribe(metrics.subscriber);
  const missing = new Set<string>(election === undefined ? ['Applications'] : []);
  const servers = await startServers(config, { sources: () => work?.parts.sources, metrics, missing, election, log });
  log.write('info', 'operator started', { server: client.server.href, api: servers.api, metrics: servers.metrics });
  const ending = election === undefined ? signal : AbortSignal.any([signal, election.lost]);
  try {
    election?.start(advertisedUrl(config, servers.api));
    await Promise.race([election?.elected, aborted(ending)]);
    if (!ending.aborted) {
      missing.add('Applications');
      work = openWork(config, await systemNamespace(config), connection, client, events, stop.signal);
      await Promise.race([startWork(work, config, client, AbortSignal.any([stop.signal, ending])), aborted(ending)]);
      missing.clear();
      if (!ending.aborted) log.write('info', 'operator ready', { applications: work.parts.applications.list().length });
    }
    await aborted(ending);
  } finally {
    log.write('info', 'operator stopping');
    stop.abort(new OperatorError('the operator is stopping', { code: 'Timeout', stage: 'cluster', fate: 'transient' }));
    await end({ client, servers, work, election });
    log.write('info', 'operator stopped');
  }
  election?.lost.throwIfAborted();
  return 0;
}

/** What only the operator that acts has: a standby watches nothing and follows no repository. */
interface Work {
  readonly parts: Parts;
  readonly owned: OwnedObjects;
  readonly controller: ApplicationController;
  readonly recorder: EventRecorder;
}

function openWork(
  config: Config,
  namespace: string,
  connection: ClusterConnection,
  client: OperatorClient,
  events: EventStream,
  signal: AbortSignal,
): Work {
  const parts = openParts(config, namespace, connection, client, events.emit, signal);
  const recorder = createEventRecorder({
    client,
    application: (key) => parts.applications.get(key),
    instance: hostname(),
    now: () => parts.clock.now(),
    onError: (error) => events.emit({ type: 'failure', error }),
  });
  events.subscribe(recorder.subscriber);
  const owned = new OwnedObjects();
  return { parts, owned, recorder, controller: new ApplicationController({ parts, owned, signal, random: Math.random, workers }) };
}

async function startWork({ controller, owned, parts }: Work, config: Config, client: OperatorClient, signal: AbortSignal): Promise<void> {
  await ensureKey(config, client);
  await startTriggers(controller, owned, parts, signal);
}

interface Ending {
  readonly client: OperatorClient;
  readonly servers: Servers;
  readonly work: Work | undefined;
  readonly election: LeaderElection | undefined;
}

/** Ends everything in order; the lease is let go last, when nothing is written any more. */
async function end({ client, servers, work, election }: Ending): Promise<void> {
  const isLost = election?.lost.aborted === true;
  // Another operator acts: what is under way is cut off, and nothing is worth waiting for.
  if (isLost) await within(lostMilliseconds, [client.close()]);
  const parties = [servers.close(), work?.controller.close(), work?.parts.sources.close(), work?.parts.synthesizer.close()];
  await within(isLost ? lostMilliseconds : stopMilliseconds, parties);
  if (!isLost) await within(flushMilliseconds, [work?.recorder.flush()]);
  await within(stopMilliseconds, [election?.close()]);
  await within(stopMilliseconds, [client.close()]);
}

function openParts(
  config: Config,
  namespace: string,
  connection: ClusterConnection,
  client: OperatorClient,
  emit: EmitEvent,
  signal: AbortSignal,
): Parts {
  const discovery = createDiscovery(client);
  const clock = systemClock();
  return {
    applications: createApplicationStore({ client, emit, namespaces: config.namespaces }),
    inventories: createInventoryStore(client),
    observer: createObserver({ client, discovery, emit, signal }),
    catalogs: createCatalogLoader(client, discovery),
    kindChanges: watchKindChanges({ client, discovery, emit, signal }),
    pause: createPauseSwitch({ client, emit, namespace }),
    secrets: createSecretReader(client),
    sources: createSourcePool({ clock, emit, network: { addresses: addressPolicy(config, connection) } }),
    synthesizer: openSynthesizer(config),
    synthLanes: new SynthLanes(),
    validator: createValidator(),
    writer: createObjectWriter(client, discovery),
    clock,
    emit,
  };
}

function connect(config: Config, environment: Environment): Promise<ClusterConnection> {
  if (config.kubeconfig !== undefined) return connectionFromKubeconfig(config.kubeconfig, config.context);
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443' } = environment;
  if (host !== undefined) return inClusterConnection({ host, port });
  throw new OperatorError('there is no cluster to work on: this is no Pod, and no kubeconfig is named', {
    ...{ code: 'InvalidConfiguration', stage: 'config', fate: 'terminal' },
    hint: 'name one with --kubeconfig',
  });
}

/** A repository is never the API server. On loopback they share an address, so there only the ports tell. */
function addressPolicy(config: Config, { server }: ClusterConnection): { readonly loopback: boolean; readonly deny: readonly string[] } {
  const address = server.hostname.replace(/^\[|\]$/g, '');
  const isLoopback = address.startsWith('127.') || address === '::1';
  const deny = isIP(address) === 0 || isLoopback ? [] : [`${address}/${isIP(address) === 4 ? 32 : 128}`];
  return { loopback: config.allowLoopbackGit, deny };
}

function openSynthesizer({ synthAddress, synthKeyFile, dataDir }: Config): Synthesizer {
  if (synthAddress !== undefined && synthKeyFile !== undefined) {
    return createRemoteSynthesizer({ address: synthAddress, keyFile: synthKeyFile });
  }
  return createLocalSynthesizer({
    concurrency: synthConcurrency,
    ...(dataDir === undefined ? {} : { cacheFolder: join(dataDir, 'toolchain') }),
  });
}

/** On the first start in a cluster there is no key yet that operator and synth server share. */
async function ensureKey(config: Config, client: OperatorClient): Promise<void> {
  if (config.kubeconfig !== undefined || config.synthKeyFile === undefined || existsSync(config.synthKeyFile)) return;
  await ensureSynthKey(client, await systemNamespace(config));
}

/** Namespace of Setpoint itself: as configured, or that of the Pod. */
async function systemNamespace(config: Config): Promise<string> {
  if (config.systemNamespace !== undefined) return config.systemNamespace;
  if (config.kubeconfig !== undefined) return defaultSystemNamespace;
  return (await readFile(join(serviceAccountFolder, 'namespace'), 'utf8')).trim();
}

interface Servers {
  readonly api: string;
  readonly metrics: string;
  close(): Promise<void>;
}

interface Served {
  /** Undefined while this operator is a standby. */
  readonly sources: () => SourcePool | undefined;
  readonly metrics: Parameters<typeof metricsRoute>[0];
  readonly missing: ReadonlySet<string>;
  readonly election: LeaderElection | undefined;
  readonly log: Log;
}

async function startServers(config: Config, { sources, metrics, missing, election, log }: Served): Promise<Servers> {
  const onError = (error: unknown): void => log.write('error', toOperatorError(error, 'api').message);
  const secret = config.webhookSecretFile === undefined ? undefined : await readSecretFile(config.webhookSecretFile);
  const routes = [livenessRoute(), readinessRoute(() => [...missing]), webhookRoute(secret, sources, () => election?.leaderAddress())];
  const api = await listen('--api-address', () => startServer({ address: config.apiAddress, routes, onError }));
  const metricsServer = await listen('--metrics-address', () =>
    startServer({ address: config.metricsAddress, routes: [metricsRoute(metrics)], onError }),
  );
  return { api: api.url, metrics: metricsServer.url, close: async () => void (await Promise.all([api.close(), metricsServer.close()])) };
}

function webhookRoute(secret: string | undefined, sources: Served['sources'], leader: () => string | undefined): Route {
  return {
    method: 'POST',
    path: '/webhook/generic',
    bodyLimit: webhookBodyLimit,
    async handle({ body, headers }) {
      const pool = sources();
      if (pool === undefined) return forwardWebhook({ body, headers, secret, leader: leader() });
      return handleGenericWebhook({ body, headers, secret, look: (target) => pool.look(target) });
    },
  };
}

async function listen<Server>(flag: string, start: () => Promise<Server>): Promise<Server> {
  try {
    return await start();
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    const details = { code: 'InvalidConfiguration', stage: 'config', fate: 'terminal', cause: error } as const;
    throw new OperatorError(`listen at ${flag}: ${text}`, { ...details, hint: 'name an address that is free' });
  }
}

async function readSecretFile(path: string): Promise<string> {
  try {
    const text = (await readFile(path, 'utf8')).trim();
    if (text !== '') return text;
  } catch (error) {
    const details = { code: 'InvalidConfiguration', stage: 'config', fate: 'terminal', cause: error } as const;
    throw new OperatorError(`read the secret file ${path}: ${error instanceof Error ? error.message : String(error)}`, details);
  }
  throw new OperatorError(`the secret file ${path} is empty`, { code: 'InvalidConfiguration', stage: 'config', fate: 'terminal' });
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** Waits for all of it, but not for longer than a time. What fails while stopping is stopped all the same. */
async function within(milliseconds: number, ending: readonly (Promise<unknown> | undefined)[]): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  await Promise.race([Promise.allSettled(ending), timeout]);
  clearTimeout(timer);
}
