// Inventories that are lost or changed behind the operator's back: nothing is deleted because of it, and what is ours is found again.
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { ApplicationStatus } from '../../constructs/application-schema.ts';
import { type ApiProxy, startApiProxy } from '../../dev/api-proxy.ts';
import type { GitServer } from '../../dev/git-server.ts';
import type { ManifestRepo } from '../../dev/manifest-repo.ts';
import {
  applyApplication,
  configMap,
  createRepo,
  push,
  startTestGitServer,
  tenantNamespace,
  untilStatus,
  untilSynced,
} from '../support/application.ts';
import { admin, eventually, kubeconfigPath, scratchDirectory } from '../support/cluster.ts';
import { storedInventory } from '../support/inventory.ts';
import { installOperator, type RunningOperator, startOperator } from '../support/operator.ts';

/** Machines are slow at times. */
const patience = 60_000;
const apiVersion = 'setpoint.dev/v1alpha1';
let namespace: string;
let kubeconfig: string;
let operator: RunningOperator | undefined;
let git: GitServer;
let proxy: ApiProxy;

beforeAll(async () => {
  git = await startTestGitServer();
  proxy = await startApiProxy({ kubeconfigPath: kubeconfigPath() });
  kubeconfig = join(scratchDirectory(), 'through-proxy.kubeconfig');
  proxy.writeKubeconfig(await installOperator(), kubeconfig);
}, 120_000);

beforeEach(async () => {
  namespace = await tenantNamespace('lost');
  operator = await startOperator({ namespaces: [namespace], kubeconfig });
}, 120_000);

afterEach(async () => {
  await operator?.stop();
}, 60_000);

afterAll(async () => {
  await proxy?.close();
  await git?.close();
}, 60_000);

async function threeObjects(): Promise<ManifestRepo> {
  const { repo, url } = await createRepo(git, { 'a.yaml': configMap('a', {}), 'b.yaml': configMap('b', {}), 'c.yaml': configMap('c', {}) });
  await applyApplication(namespace, 'shop', { source: { repoURL: url } });
  await untilSynced(namespace, 'shop', await repo.head(), patience);
  proxy.clear();
  return repo;
}

async function chunkNames(): Promise<readonly string[]> {
  return (await admin().list(apiVersion, 'Inventory', { namespace })).map(({ metadata }) => metadata.name);
}

const liveNames = async () =>
  (await admin().list('v1', 'ConfigMap', { namespace, labelSelector: 'setpoint.dev/application' }))
    .map(({ metadata }) => metadata.name)
    .sort();
const storedNames = async () => [...(await storedInventory(namespace, 'shop')).keys()].sort();
const deletions = () => proxy.writes().filter(({ method, path }) => method === 'DELETE' && path.includes('/configmaps/'));
const left = (status: ApplicationStatus) =>
  (status.findings?.items ?? []).filter(({ code }) => code === 'LostFromInventory').map(({ object }) => object?.name);

/** After the loss, `b` left Git: it stays and is named, the others are owned again. */
async function expectRebuilt(commit: string): Promise<void> {
  const status = await untilSynced(namespace, 'shop', commit, patience);
  expect(left(status)).toEqual(['b']);
  expect(await liveNames()).toEqual(['a', 'b', 'c']);
  expect(await storedNames()).toEqual(['ConfigMap/a', 'ConfigMap/b', 'ConfigMap/c']);
  expect(deletions()).toEqual([]);
  await eventually(
    async () => {
      const events = await admin().list('events.k8s.io/v1', 'Event', { namespace });
      expect(events.map(({ reason }) => reason)).toContain('InventoryRebuilt');
    },
    { timeout: patience },
  );
}

describe('an inventory', () => {
  test('P9 that is deleted as a whole is made again; nothing is pruned, and what left Git is named for a person to decide', async () => {
    const repo = await threeObjects();
    for (const name of await chunkNames()) await admin().delete({ apiVersion, kind: 'Inventory', namespace, name });
    await expectRebuilt(await push(repo, 'drop b', { 'b.yaml': undefined, 'a.yaml': configMap('a', { n: '1' }) }));
    // From here on things are as ever: what is pruned later is what leaves Git later.
    const commit = await push(repo, 'drop c', { 'c.yaml': undefined });
    const status = await untilSynced(namespace, 'shop', commit, patience);
    expect(left(status)).toEqual(['b']);
    expect(await liveNames()).toEqual(['a', 'b']);
    await admin().delete({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'b' });
    const last = await push(repo, 'go on', { 'a.yaml': configMap('a', { n: '2' }) });
    expect(left(await untilSynced(namespace, 'shop', last, patience))).toEqual([]);
    expect(await storedNames()).toEqual(['ConfigMap/a']);
  }, 300_000);

  test.each<[string, object]>([
    ['P9 whose entries somebody edited', { entries: ['{"k":"ConfigMap","n":"kube-root-ca.crt","v":"v1","u":"x"}'] }],
    ['P9 that holds garbage', { entries: ['garbage'], chunk: null }],
  ])(
    '%s, while the operator was away, is made again and nothing is pruned',
    async (_, damage) => {
      const repo = await threeObjects();
      await operator?.stop();
      for (const name of await chunkNames()) await admin().patch({ apiVersion, kind: 'Inventory', namespace, name }, damage);
      const commit = await push(repo, 'drop b', { 'b.yaml': undefined });
      operator = await startOperator({ namespaces: [namespace], kubeconfig });
      await expectRebuilt(commit);
    },
    300_000,
  );

  test('P9 of which entries are gone, while the operator was away, is completed', async () => {
    const repo = await threeObjects();
    await operator?.stop();
    for (const name of await chunkNames()) await admin().delete({ apiVersion, kind: 'Inventory', namespace, name });
    const commit = await push(repo, 'drop b', { 'b.yaml': undefined });
    operator = await startOperator({ namespaces: [namespace], kubeconfig });
    await expectRebuilt(commit);
    const owner = await untilStatus(namespace, 'shop', (status) => expect(status.resources?.total).toBe(3), patience);
    expect(owner.adopted).toBeUndefined();
  }, 300_000);
});
