// The running operator: makes every part, connects them, stops them in order. The compiler checks here that each part fits its port.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { defaultSystemNamespace } from '../constructs/annotations.ts';
import { livenessRoute, metricsRoute, readinessRoute } from './api/routes.ts';
import { type Route, startServer } from './api/server.ts';
import { handleGenericWebhook, webhookBodyLimit } from './api/webhook.ts';
import type { ExitCode } from './cli/terminal.ts';
import { createApplicationStore } from './cluster/applications.ts';
import { createCatalogLoader } from './cluster/catalog.ts';
import { type ClusterConnection, connectionFromKubeconfig, inClusterConnection, serviceAccountFolder } from './cluster/connection.ts';
import { createDiscovery } from './cluster/discovery.ts';
import { createEventRecorder } from './cluster/events.ts';
import { createInventoryStore } from './cluster/inventory-store.ts';
import { watchKindChanges } from './cluster/kind-changes.ts';
import { createObjectWriter } from './cluster/objects.ts';
import { createObserver } from './cluster/observer.ts';
import { createPauseSwitch } from './cluster/pause.ts';
import { createRestClient, type OperatorClient } from './cluster/rest-client.ts';
import { createSecretReader } from './cluster/secrets.ts';
import { ensureSynthKey } from './cluster/synth-key.ts';
import type { Config, Environment } from './config.ts';
import { createEventStream } from './events/event-stream.ts';
import { createLog, type Log } from './events/log.ts';
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
/** How long the last Kubernetes Events may take to be written. */
const flushMilliseconds = 2_000;

/** Runs until the signal aborts. Throws OperatorError when it cannot start. */
export async function runOperator(config: Config, environment: Environment, signal: AbortSignal): Promise<ExitCode> {
  const log = createLog(config.logLevel, { write: (line) => void process.stdout.write(line) });
  const events = createEventStream((error) => log.write('error', toOperatorError(error, 'api').message));
  events.subscribe(log.subscriber);
  const stop = new AbortController();
  const { parts, client } = await openParts(config, environment, events.emit, stop.signal);
  await ensureKey(config, client);
  const recorder = createEventRecorder({
    client,
    application: (key) => parts.applications.get(key),
    instance: hostname(),
    now: () => parts.clock.now(),
    onError: (error) => events.emit({ type: 'failure', error }),
  });
  events.subscribe(recorder.subscriber);
  const owned = new OwnedObjects();
  const controller = new ApplicationController({ parts, owned, signal: stop.signal, random: Math.random, workers });
  const metrics = createMetrics(() => controller.queueCounts());
  events.subscribe(metrics.subscriber);
  const missing = new Set(['Applications']);
  const servers = await startServers(config, parts.sources, metrics, missing, log);
  log.write('info', 'operator started', { server: client.server.href, api: servers.api, metrics: servers.metrics });
  try {
    await startTriggers(controller, owned, parts, AbortSignal.any([stop.signal, signal]));
    missing.clear();
    log.write('info', 'operator ready', { applications: parts.applications.list().length });
    await aborted(signal);
  } finally {
    log.write('info', 'operator stopping');
    stop.abort(new OperatorError('the operator is stopping', { code: 'Timeout', stage: 'cluster', fate: 'transient' }));
    await within(stopMilliseconds, [controller.close(), servers.close(), parts.sources.close(), parts.synthesizer.close()]);
    await within(flushMilliseconds, [recorder.flush()]);
    await within(stopMilliseconds, [client.close()]);
    log.write('info', 'operator stopped');
  }
  return 0;
}

async function openParts(
  config: Config,
  environment: Environment,
  emit: EmitEvent,
  signal: AbortSignal,
): Promise<{ readonly parts: Parts; readonly client: OperatorClient }> {
  const connection = await connect(config, environment);
  const client = createRestClient({ connection, emit, userAgent: 'setpoint-operator' });
  const discovery = createDiscovery(client);
  const clock = systemClock();
  const parts: Parts = {
    applications: createApplicationStore({ client, emit, namespaces: config.namespaces }),
    inventories: createInventoryStore(client),
    observer: createObserver({ client, discovery, emit, signal }),
    catalogs: createCatalogLoader(client, discovery),
    kindChanges: watchKindChanges({ client, discovery, emit, signal }),
    pause: createPauseSwitch({ client, emit, namespace: await systemNamespace(config) }),
    secrets: createSecretReader(client),
    sources: createSourcePool({ clock, emit, network: { addresses: addressPolicy(config, connection) } }),
    synthesizer: openSynthesizer(config),
    synthLanes: new SynthLanes(),
    validator: createValidator(),
    writer: createObjectWriter(client, discovery),
    clock,
    emit,
  };
  return { parts, client };
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

async function startServers(
  config: Config,
  sources: SourcePool,
  metrics: Parameters<typeof metricsRoute>[0],
  missing: ReadonlySet<string>,
  log: Log,
): Promise<Servers> {
  const onError = (error: unknown): void => log.write('error', toOperatorError(error, 'api').message);
  const secret = config.webhookSecretFile === undefined ? undefined : await readSecretFile(config.webhookSecretFile);
  const routes = [livenessRoute(), readinessRoute(() => [...missing]), webhookRoute(secret, sources)];
  const api = await listen('--api-address', () => startServer({ address: config.apiAddress, routes, onError }));
  const metricsServer = await listen('--metrics-address', () =>
    startServer({ address: config.metricsAddress, routes: [metricsRoute(metrics)], onError }),
  );
  return { api: api.url, metrics: metricsServer.url, close: async () => void (await Promise.all([api.close(), metricsServer.close()])) };
}

function webhookRoute(secret: string | undefined, sources: SourcePool): Route {
  return {
    method: 'POST',
    path: '/webhook/generic',
    bodyLimit: webhookBodyLimit,
    handle: ({ body, headers }) => Promise.resolve(handleGenericWebhook({ body, headers, secret, look: (target) => sources.look(target) })),
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
async function within(milliseconds: number, ending: readonly Promise<unknown>[]): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  await Promise.race([Promise.allSettled(ending), timeout]);
  clearTimeout(timer);
}
