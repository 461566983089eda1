// An API server that changes under a running operator: groups that do not answer, versions that are no longer served, restarts; and a wall
// clock that is wrong.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { GitServer } from '../../dev/git-server.ts';
import {
  applyApplication,
  conditionOf,
  configMap,
  createRepo,
  push,
  startTestGitServer,
  tenantNamespace,
  untilStatus,
  untilSynced,
} from '../support/application.ts';
import { admin, eventually, uniqueName } from '../support/cluster.ts';
import { storedInventory } from '../support/inventory.ts';
import { installOperator, type RunningOperator, startOperator } from '../support/operator.ts';

let git: GitServer;
let kubeconfig: string;
let namespace: string;
let group: string;
let operator: RunningOperator | undefined;

beforeAll(async () => {
  git = await startTestGitServer();
  kubeconfig = await installOperator();
}, 60_000);

afterAll(() => git?.close());

beforeEach(async () => {
  namespace = await tenantNamespace('change');
  group = `${uniqueName('g')}.example.com`;
}, 60_000);

afterEach(async () => {
  await operator?.kill();
  await admin().delete({ apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', name: `widgets.${group}` });
}, 60_000);

async function start(preload?: string): Promise<RunningOperator> {
  operator = await startOperator({ namespaces: [namespace], kubeconfig, ...(preload === undefined ? {} : { preload }) });
  return operator;
}

/** Widgets, in the versions that are served; objects are stored as v1. Tenants may do everything with them. */
async function defineWidgets(served: readonly string[]): Promise<void> {
  const schema = {
    openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties: { size: { type: 'integer' } } } } },
  };
  const versions = ['v1alpha1', 'v1'].map((name) => ({ name, served: served.includes(name), storage: name === 'v1', schema }));
  const names = { plural: 'widgets', singular: 'widget', kind: 'Widget' };
  await admin().apply({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `widgets.${group}` },
    spec: { group, scope: 'Namespaced', names, versions },
  });
  const role = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: { name: 'widgets', namespace } };
  await admin().apply({ ...role, rules: [{ apiGroups: [group], resources: ['widgets'], verbs: ['*'] }] });
  await admin().apply({
    ...role,
    kind: 'RoleBinding',
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'widgets' },
    subjects: [{ kind: 'ServiceAccount', name: 'setpoint-applier', namespace }],
  });
  for (const version of served) await eventually(() => admin().list(`${group}/${version}`, 'Widget', { namespace }), { timeout: 30_000 });
}

function widget(version: string, name: string, size = 1): string {
  return JSON.stringify({ apiVersion: `${group}/${version}`, kind: 'Widget', metadata: { name }, spec: { size } });
}

const widgetRef = (name: string) => ({ apiVersion: `${group}/v1`, kind: 'Widget', namespace, name });
const settingsRef = () => ({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'settings' });

test('A27 while the server of an API group does not answer, its objects are unknown: nothing of them is removed, and the rest is synced', async () => {
  await defineWidgets(['v1']);
  await start();
  const { repo, url } = await createRepo(git, { 'a.yaml': configMap('settings', { value: '1' }), 'w.yaml': widget('v1', 'w') });
  await applyApplication(namespace, 'app', { source: { repoURL: url } });
  await untilSynced(namespace, 'app', await repo.head(), 60_000);
  await operator?.kill();
  const service = { apiVersion: 'apiregistration.k8s.io/v1', kind: 'APIService', name: `v1.${group}` };
  const nobody = { name: 'nobody', namespace, port: 443 };
  const automanaged = { 'kube-aggregator.kubernetes.io/automanaged': null };
  await admin().patch(service, { metadata: { labels: automanaged }, spec: { service: nobody, insecureSkipTLSVerify: true } });
  await eventually(() => expect(admin().get(widgetRef('w'))).rejects.toThrow(/503|unavailable/i), { timeout: 30_000 });
  await start();
  await push(repo, 'drop', { 'w.yaml': undefined, 'a.yaml': configMap('settings', { value: '2' }) });
  await eventually(async () => expect((await admin().get(settingsRef()))['data']).toEqual({ value: '2' }), { timeout: 60_000 });
  const status = await untilStatus(namespace, 'app', (now) => expect(conditionOf(now, 'Ready')?.reason).toBe('ApiUnreachable'), 60_000);
  expect(conditionOf(status, 'Ready')?.message).toContain(`the server of API group ${group} does not answer`);
  expect([...(await storedInventory(namespace, 'app')).keys()].sort()).toEqual(['ConfigMap/settings', 'Widget/w']);
  // The API server makes the registration anew, as it was.
  await admin().delete(service);
  await untilSynced(namespace, 'app', await repo.head(), 60_000);
  await eventually(async () => expect(await admin().tryGet(widgetRef('w'))).toBeUndefined());
}, 240_000);

describe('A28 a version of a kind', () => {
  test('that is no longer served is a hold; when Git names another, the same object goes on, and what left Git is pruned', async () => {
    await defineWidgets(['v1alpha1', 'v1']);
    await start();
    const files = { 'w.yaml': widget('v1alpha1', 'w'), 'left.yaml': widget('v1alpha1', 'left') };
    const { repo, url } = await createRepo(git, files);
    await applyApplication(namespace, 'app', { source: { repoURL: url } });
    await untilSynced(namespace, 'app', await repo.head(), 60_000);
    const { uid } = (await admin().get(widgetRef('w'))).metadata;
    await defineWidgets(['v1']);
    await operator?.kill();
    await start();
    await push(repo, 'still old', { 'w.yaml': widget('v1alpha1', 'w', 2) });
    const held = await untilStatus(namespace, 'app', ({ findings }) => expect(findings?.items[0]?.code).toBe('UnknownKind'), 60_000);
    expect(held.resources?.total).toBe(2);
    expect((await admin().get(widgetRef('w'))).metadata.uid).toBe(uid);
    const commit = await push(repo, 'new', { 'w.yaml': widget('v1', 'w', 3), 'left.yaml': undefined });
    await untilSynced(namespace, 'app', commit, 60_000);
    const live = await admin().get(widgetRef('w'));
    expect([live.metadata.uid, live['spec'].size]).toEqual([uid, 3]);
    expect(await admin().tryGet(widgetRef('left'))).toBeUndefined();
  }, 240_000);

  test('whose definition is gone took its objects along: they are pruned without a request for them', async () => {
    await defineWidgets(['v1']);
    await start();
    const { repo, url } = await createRepo(git, { 'a.yaml': configMap('settings', { value: '1' }), 'w.yaml': widget('v1', 'w') });
    await applyApplication(namespace, 'app', { source: { repoURL: url } });
    await untilSynced(namespace, 'app', await repo.head(), 60_000);
    await admin().delete({ apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', name: `widgets.${group}` });
    await eventually(async () => expect(await admin().tryGet(widgetRef('w'))).toBeUndefined(), { timeout: 60_000 });
    const commit = await push(repo, 'drop', { 'w.yaml': undefined });
    await untilSynced(namespace, 'app', commit, 60_000);
    expect([...(await storedInventory(namespace, 'app')).keys()]).toEqual(['ConfigMap/settings']);
  }, 240_000);
});

test('A22 a wall clock that is an hour ahead, and then an hour behind, changes nothing but the times that are told', async () => {
  const running = await start(pathToFileURL(join(import.meta.dirname, '..', 'support', 'skewed-clock.js')).href);
  const { repo, url } = await createRepo(git, { 'a.yaml': configMap('settings', { value: '1' }) });
  await applyApplication(namespace, 'app', { source: { repoURL: url } });
  const first = await untilSynced(namespace, 'app', await repo.head(), 60_000);
  expect(Date.parse(first.sync?.finishedAt ?? '') - Date.now()).toBeGreaterThan(1_800_000);
  process.kill(running.pid, 'SIGUSR2');
  const commit = await push(repo, 'change', { 'a.yaml': configMap('settings', { value: '2' }), 'b.yaml': configMap('more', {}) });
  const second = await untilSynced(namespace, 'app', commit, 60_000);
  expect(Date.parse(second.sync?.finishedAt ?? '') - Date.now()).toBeLessThan(-1_800_000);
  await admin().patch(settingsRef(), { data: { value: 'drifted' } }, { fieldManager: 'mallory' });
  await eventually(async () => expect((await admin().get(settingsRef()))['data']).toEqual({ value: '2' }), { timeout: 60_000 });
  const third = await untilStatus(namespace, 'app', ({ drift }) => expect(drift?.[0]?.manager).toBe('mallory'), 60_000);
  expect(third.drift).toHaveLength(1);
  const dropped = await push(repo, 'drop', { 'b.yaml': undefined });
  await untilSynced(namespace, 'app', dropped, 60_000);
  expect(await admin().tryGet({ ...settingsRef(), name: 'more' })).toBeUndefined();
}, 240_000);
