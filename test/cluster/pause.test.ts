// `setpoint pause` and `unpause` against running operators: nothing is written while paused, also in the middle of a sync and after a restart.
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type ApiProxy, type ProxiedRequest, startApiProxy } from '../../dev/api-proxy.ts';
import type { GitServer } from '../../dev/git-server.ts';
import { readInventories } from '../../operator/cli/read-inventories.ts';
import { connectionFromKubeconfig } from '../../operator/cluster/connection.ts';
import { createRestClient } from '../../operator/cluster/rest-client.ts';
import {
  applyApplication,
  conditionOf,
  configMap,
  createRepo,
  push,
  startTestGitServer,
  untilStatus as statusUntil,
  untilSynced as syncedUntil,
  tenantNamespace,
} from '../support/application.ts';
import { admin, eventually, kubeconfigPath, scratchDirectory } from '../support/cluster.ts';
import { setpoint } from '../support/command-line.ts';
import { installOperator, type RunningOperator, startOperator } from '../support/operator.ts';

const patience = 60_000;
const untilSynced = (space: string, name: string, commit: string): ReturnType<typeof syncedUntil> =>
  syncedUntil(space, name, commit, patience);
const untilStatus = (...[space, name, check]: Parameters<typeof statusUntil>): ReturnType<typeof statusUntil> =>
  statusUntil(space, name, check, patience);

const soon = <T>(check: () => T | Promise<T>): Promise<T> => eventually(check, { timeout: patience });

/** Tenant and Setpoint's own namespace in one: each test file pauses an installation of its own. */
let namespace: string;
let git: GitServer;
let proxy: ApiProxy;
let kubeconfig: string;
let operator: RunningOperator;

beforeAll(async () => {
  namespace = await tenantNamespace('pause');
  git = await startTestGitServer();
  proxy = await startApiProxy({ kubeconfigPath: kubeconfigPath() });
  kubeconfig = join(scratchDirectory(), 'proxied.kubeconfig');
  proxy.writeKubeconfig(await installOperator(), kubeconfig);
  operator = await start();
}, 240_000);

afterAll(async () => {
  await operator?.stop();
  await proxy?.close();
  await git?.close();
}, 90_000);

beforeEach(async () => {
  proxy.onRequest = undefined;
  await setpoint(`unpause --system-namespace ${namespace}`);
}, 60_000);

function start(): Promise<RunningOperator> {
  return startOperator({ kubeconfig, namespaces: [namespace], flags: [`--system-namespace=${namespace}`] });
}

function pause(reason = 'incident 7'): ReturnType<typeof setpoint> {
  return setpoint(['pause', '--system-namespace', namespace, '--reason', reason]);
}

function unpause(): ReturnType<typeof setpoint> {
  return setpoint(`unpause --system-namespace ${namespace}`);
}

function configMapRef(name: string): { apiVersion: string; kind: string; namespace: string; name: string } {
  return { apiVersion: 'v1', kind: 'ConfigMap', namespace, name };
}

async function liveData(name: string): Promise<unknown> {
  return (await admin().tryGet(configMapRef(name)))?.['data'];
}

function untilPaused(name: string): ReturnType<typeof untilStatus> {
  return untilStatus(namespace, name, (status) => expect(conditionOf(status, 'Ready')?.reason).toBe('Paused'));
}

async function pausedGauge(): Promise<string | undefined> {
  return /^setpoint_paused (\d)$/m.exec(await (await fetch(`${operator.metricsUrl}/metrics`)).text())?.[1];
}

/** Writes of users' objects that reached the proxy. */
function tenantWrites(): readonly ProxiedRequest[] {
  return proxy.writes().filter(({ impersonateUser }) => impersonateUser !== undefined);
}

test('while paused drift is shown and not healed, and a commit is not applied; unpaused, both are done at once', async () => {
  const { repo, url } = await createRepo(git, { 'a.yaml': configMap('a', { n: '1' }), 'b.yaml': configMap('b', { n: '1' }) });
  const first = await repo.head();
  await applyApplication(namespace, 'web', { source: { repoURL: url, interval: '1s' } });
  await untilSynced(namespace, 'web', first);
  proxy.clear();

  expect(await pause()).toMatchObject({
    code: 0,
    out: `Setpoint is paused: nothing is synced, healed or pruned anywhere; to go on: setpoint unpause --system-namespace ${namespace}\n`,
  });
  const message = conditionOf(await untilPaused('web'), 'Ready')?.message ?? '';
  expect(message).toMatch(/^Setpoint is paused by \S+ since 20\S+Z \(incident 7\): nothing is synced, healed or pruned anywhere/);
  expect(await pausedGauge()).toBe('1');
  expect(operator.logs().filter(({ event, paused }) => event === 'pause' && paused === true)).toHaveLength(1);
  expect((await setpoint(`get -n ${namespace}`)).err).toBe(`${message}\n`);
  expect((await setpoint(`get web -n ${namespace}`)).out).toContain('is applied; Setpoint is paused.');

  await admin().patch(configMapRef('a'), { data: { n: 'x' } }, { fieldManager: 'mallory' });
  await untilStatus(namespace, 'web', ({ drift }) => expect(drift?.[0]).toMatchObject({ manager: 'mallory', healed: false }));
  const second = await push(repo, 'second', { 'b.yaml': configMap('b', { n: '2' }) });
  const asked = { metadata: { annotations: { 'setpoint.dev/reconcile-requested': 'now' } } };
  await admin().patch({ apiVersion: 'setpoint.dev/v1alpha1', kind: 'Application', namespace, name: 'web' }, asked);
  await untilStatus(namespace, 'web', ({ lastHandledReconcileAt }) => expect(lastHandledReconcileAt).toBe('now'));
  expect([await liveData('a'), await liveData('b')]).toEqual([{ n: 'x' }, { n: '1' }]);
  expect(tenantWrites()).toEqual([]);

  expect(await unpause()).toMatchObject({ code: 0, out: 'Setpoint goes on\n' });
  await untilSynced(namespace, 'web', second);
  expect([await liveData('a'), await liveData('b')]).toEqual([{ n: '1' }, { n: '2' }]);
  expect(await pausedGauge()).toBe('0');
  const events = async (): Promise<readonly string[]> =>
    (await admin().list('events.k8s.io/v1', 'Event', { namespace })).map(({ reason }) => String(reason));
  await soon(async () => expect(await events()).toEqual(expect.arrayContaining(['Paused', 'Resumed'])));
}, 240_000);

test('a pause in the middle of a sync stops it between two requests; what was written is known, the rest is written afterwards', async () => {
  const names = Array.from({ length: 60 }, (_, index) => `many-${index}`);
  const { repo, url } = await createRepo(git, Object.fromEntries(names.map((name) => [`${name}.yaml`, configMap(name, { n: '1' })])));
  const release = Promise.withResolvers<void>();
  const applies: ProxiedRequest[] = [];
  proxy.onRequest = (request) => {
    if (request.method !== 'PATCH' || !request.path.includes('/configmaps/many-') || request.query.has('dryRun')) return undefined;
    applies.push(request);
    return { until: release.promise };
  };
  try {
    await applyApplication(namespace, 'many', { source: { repoURL: url, interval: '1h' } });
    await soon(() => expect(applies.length).toBeGreaterThanOrEqual(20));
    await pause();
    await soon(() =>
      expect(
        operator.logs().some((line) => line['event'] === 'pause' && line['paused'] === true && String(line['msg']).includes('incident 7')),
      ).toBe(true),
    );
    await soon(async () => expect(await pausedGauge()).toBe('1'));
  } finally {
    release.resolve();
  }
  const status = await untilPaused('many');
  const written = applies.length;
  expect(written).toBeLessThan(60);
  expect(await Promise.all(names.map(liveData)).then((all) => all.filter((data) => data !== undefined))).toHaveLength(written);
  expect(status.resources?.total).toBe(60);
  const client = createRestClient({ connection: await connectionFromKubeconfig(kubeconfigPath()) });
  const inventories = await readInventories(client, namespace, AbortSignal.timeout(20_000));
  await client.close();
  const entries = [...(inventories.find(({ application }) => application === 'many')?.inventory.values() ?? [])];
  expect(entries.filter(({ uid }) => uid !== '')).toHaveLength(written);
  expect(applies).toHaveLength(written);

  await unpause();
  await untilSynced(namespace, 'many', await repo.head());
  expect(await Promise.all(names.map(liveData))).toEqual(names.map(() => ({ n: '1' })));
  // Nothing was written twice.
  expect(applies).toHaveLength(60);
}, 240_000);

test('an application that is deleted while paused keeps its objects until it goes on', async () => {
  const { repo, url } = await createRepo(git, { 'a.yaml': configMap('leaving', { n: '1' }) });
  await applyApplication(namespace, 'leaving', { source: { repoURL: url } });
  await untilSynced(namespace, 'leaving', await repo.head());
  await pause();
  await untilPaused('leaving');
  const application = { apiVersion: 'setpoint.dev/v1alpha1', kind: 'Application', namespace, name: 'leaving' };
  await admin().delete(application);
  await soon(async () => {
    const { metadata, status } = await admin().get(application);
    expect(metadata.deletionTimestamp).toBeDefined();
    expect(status.observedGeneration).toBe(metadata.generation);
  });
  expect(await liveData('leaving')).toEqual({ n: '1' });
  await unpause();
  await soon(async () => expect([await admin().tryGet(application), await liveData('leaving')]).toEqual([undefined, undefined]));
}, 240_000);

describe('what an operator knows of the pause', () => {
  test('is read before its first write: one that starts while paused writes nothing', async () => {
    await pause();
    await operator.stop();
    const { repo, url } = await createRepo(git, { 'a.yaml': configMap('new', { n: '1' }) });
    await applyApplication(namespace, 'new', { source: { repoURL: url } });
    proxy.clear();
    operator = await start();
    await untilPaused('new');
    expect(await liveData('new')).toBeUndefined();
    expect(tenantWrites()).toEqual([]);
    await unpause();
    await untilSynced(namespace, 'new', await repo.head());
  }, 240_000);

  test('is that it is paused while the API server refuses to tell', async () => {
    const { repo, url } = await createRepo(git, { 'a.yaml': configMap('untold', { n: '1' }) });
    await applyApplication(namespace, 'untold', { source: { repoURL: url } });
    await untilSynced(namespace, 'untold', await repo.head());
    const message = `configmaps is forbidden: User "system:serviceaccount:x:y" cannot list resource "configmaps" in API group "" in the namespace "${namespace}"`;
    const body = { apiVersion: 'v1', kind: 'Status', status: 'Failure', reason: 'Forbidden', code: 403, message };
    proxy.onRequest = (request) =>
      request.path.endsWith(`/${namespace}/configmaps`) && request.query.has('fieldSelector')
        ? { respond: { status: 403, body } }
        : undefined;
    proxy.dropConnections();
    const status = await untilPaused('untold');
    expect(conditionOf(status, 'Ready')?.message).toMatch(
      /^whether Setpoint is paused cannot be told, so nothing is synced, healed or pruned anywhere: watch whether .* may not list configmaps/,
    );
    await admin().patch(configMapRef('untold'), { data: { n: 'x' } }, { fieldManager: 'mallory' });
    await untilStatus(namespace, 'untold', ({ drift }) => expect(drift?.[0]).toMatchObject({ manager: 'mallory', healed: false }));
    proxy.onRequest = undefined;
    await soon(async () => expect(await liveData('untold')).toEqual({ n: '1' }));
  }, 240_000);
});

test('a person without the right is told which one', async () => {
  const { serviceAccountKubeconfig } = await import('../support/cluster.ts');
  const nobody = await serviceAccountKubeconfig(namespace, 'nobody');
  const { code, err } = await setpoint(`pause --system-namespace ${namespace}`, { kubeconfig: nobody });
  expect(code).toBe(2);
  expect(err).toContain(`ServiceAccount ${namespace}/nobody may not patch configmaps in namespace ${namespace}`);
}, 60_000);
