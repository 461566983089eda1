// A cluster that loses its memory: an API server that ends and starts again, and a cluster made anew. On a control plane of
// its own, whose data can be taken away.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type ApiProxy, startApiProxy } from '../../dev/api-proxy.ts';
import { type ControlPlane, startControlPlane } from '../../dev/control-plane/start.ts';
import type { GitServer } from '../../dev/git-server.ts';
import { applyApplication, configMap, createRepo, push, startTestGitServer, tenantNamespace, untilSynced } from '../support/application.ts';
import { admin, eventually, scratchDirectory, uniqueName } from '../support/cluster.ts';
import { storedInventory } from '../support/inventory.ts';
import { installOperator, type RunningOperator, startOperator } from '../support/operator.ts';

const directory = mkdtempSync(join(tmpdir(), 'setpoint-test-cluster-loss-'));
const data = join(directory, 'etcd');

let plane: ControlPlane;
let proxy: ApiProxy;
let git: GitServer;
let operator: RunningOperator | undefined;

beforeAll(async () => {
  plane = await startControlPlane({ directory, apiOnly: true });
  process.env['SETPOINT_TEST_KUBECONFIG'] = plane.kubeconfigPath;
  git = await startTestGitServer();
  proxy = await startApiProxy({
    kubeconfigPath: plane.kubeconfigPath,
    keepsAnswer: ({ method, watch, path }) => !watch && (method !== 'GET' || path.endsWith('/inventories')),
  });
}, 120_000);

afterAll(async () => {
  await operator?.kill();
  await proxy?.close();
  await git?.close();
  await plane?.stop();
  rmSync(directory, { recursive: true, force: true });
}, 60_000);

/** Ends the control plane, changes its data and starts it at the same address. */
async function restartWith(change: () => void): Promise<void> {
  await plane.stop();
  change();
  plane = await startControlPlane({ directory, apiOnly: true });
}

/** The rights are bound to a role that is whole from the start: no controller runs here that would put `admin` together. */
async function namespaceWithRights(prefix: string): Promise<string> {
  const namespace = await tenantNamespace(prefix);
  await admin().apply({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: 'edit', namespace },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:aggregate-to-edit' },
    subjects: [{ kind: 'ServiceAccount', name: 'setpoint-applier', namespace }],
  });
  return namespace;
}

async function start(namespace: string): Promise<void> {
  await operator?.kill();
  const kubeconfig = join(scratchDirectory(), `${uniqueName('through-proxy')}.kubeconfig`);
  proxy.writeKubeconfig(await installOperator(), kubeconfig);
  operator = await startOperator({ namespaces: [namespace], kubeconfig });
}

async function values(namespace: string): Promise<Readonly<Record<string, string>>> {
  const objects = await admin().list('v1', 'ConfigMap', { namespace });
  return Object.fromEntries(objects.map(({ metadata, data: content }) => [metadata.name, String(content?.['value'])]));
}

test('A16 an API server that ends at once and starts again: watches go on, nothing is removed or written that was right', async () => {
  const namespace = await namespaceWithRights('restarted');
  const { repo, url } = await createRepo(git, {
    'a.yaml': configMap('kept', { value: '1' }),
    'b.yaml': configMap('edited', { value: '1' }),
  });
  await start(namespace);
  await applyApplication(namespace, 'app', { source: { repoURL: url } });
  await untilSynced(namespace, 'app', await repo.head(), 60_000);
  const kept = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'kept' };
  const { resourceVersion } = (await admin().get(kept)).metadata;
  proxy.clear();
  await plane.restart('kube-apiserver');
  await eventually(() => admin().patch({ ...kept, name: 'edited' }, { data: { value: 'drifted' } }), { timeout: 60_000 });
  await eventually(async () => expect(await values(namespace)).toMatchObject({ kept: '1', edited: '1' }), { timeout: 60_000 });
  expect((await admin().get(kept)).metadata.resourceVersion).toBe(resourceVersion);
  expect(proxy.writes().filter(({ method }) => method === 'DELETE')).toEqual([]);
  await operator?.stop();
}, 300_000);

test('A21 etcd lost: everything is applied again from Git, and the first cycle of a new Application removes nothing', async () => {
  const { repo, url } = await createRepo(git, { 'a.yaml': configMap('kept', { value: '1' }) });
  await restartWith(() => rmSync(data, { recursive: true }));
  const namespace = await namespaceWithRights('anew');
  await start(namespace);
  proxy.clear();
  await applyApplication(namespace, 'app', { source: { repoURL: url } });
  await untilSynced(namespace, 'app', await repo.head(), 60_000);
  expect(await values(namespace)).toMatchObject({ kept: '1' });
  await operator?.stop();
  // Only Setpoint's own objects are lost: what was applied is found again and left as it is, also what Git does not declare any more.
  const before = await admin().get({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'kept' });
  const application = { apiVersion: 'setpoint.dev/v1alpha1', kind: 'Application', namespace, name: 'app' };
  await admin().patch(application, { metadata: { finalizers: null } });
  for (const name of ['applications.setpoint.dev', 'inventories.setpoint.dev'])
    await admin().delete({ apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', name });
  await eventually(async () => expect(await admin().tryGet({ ...application, kind: 'Inventory', name: 'app-0' })).toBeUndefined(), {
    timeout: 60_000,
  });
  await start(namespace);
  const commit = await push(repo, 'another', { 'b.yaml': configMap('new', { value: '1' }) });
  await eventually(() => applyApplication(namespace, 'app', { source: { repoURL: url } }), { timeout: 60_000 });
  await untilSynced(namespace, 'app', commit, 60_000);
  expect(await values(namespace)).toMatchObject({ kept: '1', new: '1' });
  expect((await admin().get({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'kept' })).metadata.resourceVersion).toBe(
    before.metadata.resourceVersion,
  );
  expect([...(await storedInventory(namespace, 'app')).keys()].sort()).toEqual(['ConfigMap/kept', 'ConfigMap/new']);
  expect(proxy.writes().filter(({ method }) => method === 'DELETE')).toEqual([]);
}, 300_000);
