// `setpoint install` and `uninstall` against a control plane of their own (uninstall takes the kinds away from everybody), and what the operator may do afterwards.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { Command } from 'commander';
import { parseAllDocuments } from 'yaml';
import { installManifests } from '../../charts/install.ts';
import { applicationFinalizer } from '../../constructs/annotations.ts';
import { type ApiClient, connectWithKubeconfig } from '../../dev/control-plane/api-client.ts';
import { type ControlPlane, startControlPlane } from '../../dev/control-plane/start.ts';
import { type InstallDeps, registerInstall } from '../../operator/cli/install.ts';
import { registerUninstall } from '../../operator/cli/uninstall.ts';
import { createCallerObjects } from '../../operator/cluster/caller-objects.ts';
import { connectionFromKubeconfig } from '../../operator/cluster/connection.ts';
import { createDiscovery } from '../../operator/cluster/discovery.ts';
import { createRestClient } from '../../operator/cluster/rest-client.ts';
import { recordTerminal } from '../cli/recording.ts';
import { type Admin, adminOf } from '../support/admin.ts';
import { eventually } from '../support/eventually.ts';

jest.setTimeout(60_000);

const directory = mkdtempSync(path.join(tmpdir(), 'setpoint-test-install-'));
let controlPlane: ControlPlane;
let client: ApiClient;
let admin: Admin;

beforeAll(async () => {
  controlPlane = await startControlPlane({ directory, apiOnly: true });
  client = connectWithKubeconfig(controlPlane.kubeconfigPath);
  admin = adminOf(client);
}, 600_000);

afterAll(async () => {
  await client?.close();
  await controlPlane?.stop();
  rmSync(directory, { recursive: true, force: true });
});

/** Runs a command as a person would type it. */
async function setpoint(...args: string[]) {
  const recording = recordTerminal();
  const deps: InstallDeps = {
    ...recording,
    installManifests: async (options) => installManifests(options),
    openInstallCluster: async ({ kubeconfig }) => {
      const restClient = createRestClient({ connection: await connectionFromKubeconfig(kubeconfig ?? controlPlane.kubeconfigPath) });
      return { ...createCallerObjects(restClient, createDiscovery(restClient)), close: () => restClient.close() };
    },
  };
  const program = new Command('setpoint').exitOverride();
  registerInstall(program, deps);
  registerUninstall(program, deps);
  await program.parseAsync(['node', 'setpoint', ...args]);
  return recording;
}

const shop = { apiVersion: 'setpoint.dev/v1alpha1', kind: 'Application', name: 'shop', namespace: 'default' };
const settings = { apiVersion: 'v1', kind: 'ConfigMap', name: 'settings', namespace: 'default' };

/** Whether the operator's ServiceAccount may do something, as the API server decides it. */
async function mayOperator(attributes: Record<string, string>): Promise<boolean> {
  const review = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: {
      user: 'system:serviceaccount:setpoint-system:setpoint-operator',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:setpoint-system', 'system:authenticated'],
      ...('path' in attributes ? { nonResourceAttributes: attributes } : { resourceAttributes: attributes }),
    },
  };
  const answer = await admin.raw('/apis/authorization.k8s.io/v1/subjectaccessreviews', { method: 'POST', body: review });
  return answer.status.allowed;
}

test('install --dry-run prints exactly what install applies, and asks no cluster', async () => {
  const { out, code } = await setpoint(
    'install',
    '--dry-run',
    '-o',
    'yaml',
    '--image',
    'registry.example/setpoint:9',
    '--kubeconfig',
    '/nowhere',
  );
  expect(code).toBe(0);
  const printed = parseAllDocuments(out).map((document) => document.toJS());
  expect(printed).toEqual(installManifests({ image: 'registry.example/setpoint:9' }));
});

test('install -o without --dry-run says what to type', async () => {
  expect(await setpoint('install', '-o', 'yaml')).toMatchObject({ code: 2, err: expect.stringContaining('add --dry-run') });
});

test('install --crds-only applies the kinds, waits until they are served, and nothing else', async () => {
  const { out, code, err } = await setpoint('install', '--crds-only');
  expect({ out, code, err }).toEqual({
    code: 0,
    err: '',
    out: 'customresourcedefinition.apiextensions.k8s.io/applications.setpoint.dev serverside-applied\ncustomresourcedefinition.apiextensions.k8s.io/inventories.setpoint.dev serverside-applied\n',
  });
  for (const kind of ['Application', 'Inventory']) {
    expect(await eventually(() => admin.list('setpoint.dev/v1alpha1', kind))).toEqual([]);
  }
  expect(await admin.tryGet({ apiVersion: 'v1', kind: 'Namespace', name: 'setpoint-system' })).toBeUndefined();
});

test('install applies every object of the charts and prints a line for each as kubectl does', async () => {
  const { out, code, err } = await setpoint('install');
  expect({ code, err }).toEqual({ code: 0, err: '' });
  const objects = installManifests() as unknown as { apiVersion: string; kind: string; metadata: { name: string; namespace?: string } }[];
  expect(out.trimEnd().split('\n')).toHaveLength(objects.length);
  expect(out).toContain('deployment.apps/setpoint-operator serverside-applied\n');
  expect(out).toContain('namespace/setpoint-system serverside-applied\n');
  for (const { apiVersion, kind, metadata } of objects) await admin.get({ apiVersion, kind, ...metadata });
});

test('install a second time changes nothing', async () => {
  const ref = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'setpoint-operator', namespace: 'setpoint-system' };
  const before = await admin.get(ref);
  expect((await setpoint('install')).code).toBe(0);
  expect((await admin.get(ref)).metadata.resourceVersion).toBe(before.metadata.resourceVersion);
});

describe('the operator may', () => {
  test.each<[string, Record<string, string>]>([
    ['watch Applications', { verb: 'watch', group: 'setpoint.dev', resource: 'applications' }],
    ['set finalizers of Applications', { verb: 'patch', group: 'setpoint.dev', resource: 'applications', namespace: 'shop' }],
    [
      'write the status of Applications',
      { verb: 'update', group: 'setpoint.dev', resource: 'applications', subresource: 'status', namespace: 'shop' },
    ],
    ['write inventories', { verb: 'create', group: 'setpoint.dev', resource: 'inventories', namespace: 'shop' }],
    ['impersonate ServiceAccounts', { verb: 'impersonate', resource: 'serviceaccounts', namespace: 'shop', name: 'setpoint-applier' }],
    ['watch kinds nobody knew when it was installed', { verb: 'watch', group: 'cert-manager.io', resource: 'certificates' }],
    ['write Events about Applications', { verb: 'create', group: 'events.k8s.io', resource: 'events', namespace: 'shop' }],
    [
      'hold a lease in its own namespace',
      { verb: 'update', group: 'coordination.k8s.io', resource: 'leases', namespace: 'setpoint-system', name: 'setpoint-operator' },
    ],
    ['make the synth key', { verb: 'create', resource: 'secrets', namespace: 'setpoint-system' }],
    ['read schemas', { verb: 'get', path: '/openapi/v3/apis/apps/v1' }],
  ])('%s', async (_, attributes) => expect(await mayOperator(attributes)).toBe(true));
});

describe('the operator may not', () => {
  test.each<[string, Record<string, string>]>([
    ['write workloads as itself', { verb: 'patch', group: 'apps', resource: 'deployments', namespace: 'shop' }],
    ['delete users’ objects as itself', { verb: 'delete', resource: 'configmaps', namespace: 'shop' }],
    ['write Secrets of tenants', { verb: 'create', resource: 'secrets', namespace: 'shop' }],
    ['change other Secrets of its own namespace', { verb: 'update', resource: 'secrets', namespace: 'setpoint-system', name: 'other' }],
    ['create or delete Applications', { verb: 'delete', group: 'setpoint.dev', resource: 'applications', namespace: 'shop' }],
    ['impersonate users', { verb: 'impersonate', resource: 'users', name: 'admin' }],
    ['impersonate groups', { verb: 'impersonate', resource: 'groups', name: 'system:masters' }],
    ['impersonate a uid', { verb: 'impersonate', group: 'authentication.k8s.io', resource: 'uids' }],
    ['give itself rights', { verb: 'bind', group: 'rbac.authorization.k8s.io', resource: 'clusterroles', name: 'cluster-admin' }],
    ['make tokens of ServiceAccounts', { verb: 'create', resource: 'serviceaccounts', subresource: 'token', namespace: 'shop' }],
    ['run commands in Pods', { verb: 'create', resource: 'pods', subresource: 'exec', namespace: 'shop' }],
    [
      'hold another lease of its own namespace',
      { verb: 'update', group: 'coordination.k8s.io', resource: 'leases', namespace: 'setpoint-system', name: 'other' },
    ],
    ['hold leases elsewhere', { verb: 'update', group: 'coordination.k8s.io', resource: 'leases', namespace: 'kube-system' }],
  ])('%s', async (_, attributes) => expect(await mayOperator(attributes)).toBe(false));
});

test('uninstall releases Applications, removes everything it made and leaves users’ objects', async () => {
  const finalizers = [applicationFinalizer, 'example.com/other'];
  const { apiVersion, kind, ...names } = shop;
  await admin.create({ apiVersion, kind, metadata: { ...names, finalizers }, spec: { source: { repoURL: 'https://git.example.com/x' } } });
  const labels = { 'setpoint.dev/application': 'abc' };
  await admin.create({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: settings.name, namespace: settings.namespace, labels },
    data: { a: 'b' },
  });
  const before = await admin.get(settings);

  const running = setpoint('uninstall');
  // Somebody else's finalizer is theirs to take off: uninstall waits for it.
  await expect(waitForDeletion()).resolves.toEqual(['example.com/other']);
  await admin.patch(shop, { metadata: { finalizers: null } });
  const { out, err, code } = await running;

  expect({ err, code }).toEqual({ err: '', code: 0 });
  expect(out.split('\n')[0]).toBe('deployment.apps/setpoint-operator deleted');
  expect(out).toContain('application.setpoint.dev/shop in namespace default released\n');
  expect(out).toContain('Setpoint is removed; the objects of 1 application were left as they are\n');
  for (const object of installManifests() as unknown as { apiVersion: string; kind: string; metadata: { name: string } }[]) {
    const left = await admin.tryGet({ apiVersion: object.apiVersion, kind: object.kind, ...object.metadata });
    if (left?.kind === 'Namespace') expect(left.metadata.deletionTimestamp).toBeDefined();
    else expect(left).toBeUndefined();
  }
  expect(await admin.get(settings)).toEqual(before);
}, 60_000);

test('uninstall where nothing is installed says so and succeeds', async () => {
  const { out, code } = await setpoint('uninstall');
  expect(out).toContain('Setpoint is removed; the objects of 0 applications were left as they are\n');
  expect(code).toBe(0);
});

/** The finalizers that hold the Application once its deletion has begun. */
async function waitForDeletion(): Promise<readonly string[] | undefined> {
  return eventually(async () => {
    const { metadata, spec } = await admin.get(shop);
    if (metadata.deletionTimestamp === undefined) throw new Error('the Application is not being deleted');
    expect(spec.deletionPolicy).toBe('Orphan');
    return metadata.finalizers;
  });
}
