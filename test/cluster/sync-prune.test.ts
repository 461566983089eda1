// What leaves Git: held by finalizers, protected, replaced, gone already, not permitted. Live state, status and requests of each.
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { tenantManifests } from '../../charts/tenant.ts';
import type { ApplicationStatus } from '../../constructs/application-schema.ts';
import { type ApiProxy, startApiProxy } from '../../dev/api-proxy.ts';
import type { GitServer } from '../../dev/git-server.ts';
import {
  applyApplication,
  conditionOf,
  configMap,
  createRepo,
  getApplication,
  push,
  startTestGitServer,
  tenantNamespace,
  untilStatus,
  untilSynced,
} from '../support/application.ts';
import { admin, eventually, type KubernetesObject, kubeconfigPath, type Ref, scratchDirectory, uniqueName } from '../support/cluster.ts';
import { installOperator, type RunningOperator, startOperator } from '../support/operator.ts';

/** Machines are slow at times; and a finalizer is waited for for 20 s before it counts as held. */
const patience = 90_000;
let namespace: string;
let operator: RunningOperator;
let git: GitServer;
let proxy: ApiProxy;

beforeAll(async () => {
  namespace = await tenantNamespace('prune');
  git = await startTestGitServer();
  proxy = await startApiProxy({ kubeconfigPath: kubeconfigPath() });
  const kubeconfig = join(scratchDirectory(), 'through-proxy.kubeconfig');
  proxy.writeKubeconfig(await installOperator(), kubeconfig);
  operator = await startOperator({ namespaces: [namespace], kubeconfig });
}, 120_000);

afterAll(async () => {
  await operator?.stop();
  await proxy?.close();
  await git?.close();
}, 60_000);

const map = (name: string): Ref => ({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name });
const mapWith = (name: string, metadata: object): string =>
  JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...metadata } });
const deletionsOf = (name: string) => proxy.writes().filter(({ method, path }) => method === 'DELETE' && path.endsWith(`/${name}`));
const protectedIn = (status: ApplicationStatus) =>
  (status.findings?.items ?? []).filter(({ code }) => code === 'Protected').map(({ object, message }) => `${object?.name}: ${message}`);
const reasonOf = (status: ApplicationStatus) => conditionOf(status, 'Ready')?.reason;

describe('an object that leaves Git', () => {
  test('A23 held by a finalizer is named until it is gone; the others go, and no commit is needed afterwards', async () => {
    const { repo, url } = await createRepo(git, {
      'held.yaml': mapWith('held', { finalizers: ['example.com/hold'] }),
      'free.yaml': configMap('free', {}),
      'kept.yaml': configMap('kept', {}),
    });
    await applyApplication(namespace, 'blocked', { source: { repoURL: url } });
    await untilSynced(namespace, 'blocked', await repo.head(), patience);
    const commit = await push(repo, 'drop two', { 'held.yaml': undefined, 'free.yaml': undefined, 'new.yaml': configMap('new', {}) });
    const blocked = await untilStatus(namespace, 'blocked', (status) => expect(reasonOf(status)).toBe('PruneBlocked'), patience);
    expect(conditionOf(blocked, 'Ready')?.message).toContain(`delete ConfigMap ${namespace}/held: held by finalizer example.com/hold`);
    expect(await admin().tryGet(map('free'))).toBeUndefined();
    expect(await admin().tryGet(map('new'))).toBeDefined();
    // A later commit is applied all the same, and what hangs is still named.
    const next = await push(repo, 'go on', { 'new.yaml': configMap('new', { n: '1' }) });
    await eventually(async () => expect((await admin().get(map('new')))['data']).toEqual({ n: '1' }), { timeout: patience });
    const still = await untilStatus(namespace, 'blocked', (status) => expect(status.source?.revision).toBe(next), patience);
    expect([commit === next, reasonOf(still)]).toEqual([false, 'PruneBlocked']);
    await admin().patch(map('held'), { metadata: { finalizers: null } });
    const done = await untilSynced(namespace, 'blocked', next, patience);
    expect(done.resources?.total).toBe(2);
  }, 400_000);

  test('P5 stays when it is protected, in Git or live, is counted, and goes when the protection is taken away', async () => {
    const { repo, url } = await createRepo(git, {
      'git.yaml': mapWith('by-git', { annotations: { 'setpoint.dev/prune': 'disabled' } }),
      'live.yaml': configMap('by-hand', {}),
      'rest.yaml': configMap('rest', {}),
    });
    await applyApplication(namespace, 'protected', { source: { repoURL: url } });
    await untilSynced(namespace, 'protected', await repo.head(), patience);
    await admin().patch(map('by-hand'), { metadata: { annotations: { 'setpoint.dev/prune': 'disabled' } } });
    const commit = await push(repo, 'drop both', { 'git.yaml': undefined, 'live.yaml': undefined });
    const status = await untilSynced(namespace, 'protected', commit, patience);
    const why = 'left Git and stays: protected by the annotation setpoint.dev/prune: disabled';
    expect(protectedIn(status).sort()).toEqual([`by-git: ${why}`, `by-hand: ${why}`]);
    expect(status.resources).toEqual({ total: 3, protected: 2 });
    expect([await admin().tryGet(map('by-git')), await admin().tryGet(map('by-hand'))]).not.toContain(undefined);
    expect([...deletionsOf('by-git'), ...deletionsOf('by-hand')]).toEqual([]);
    await admin().patch(map('by-git'), { metadata: { annotations: { 'setpoint.dev/prune': null } } });
    // No commit is needed: that it is not protected any more is reason enough to look.
    await eventually(async () => expect(await admin().tryGet(map('by-git'))).toBeUndefined(), { timeout: patience });
    await untilStatus(namespace, 'protected', ({ resources }) => expect(resources).toEqual({ total: 2, protected: 1 }), patience);
    expect(await admin().tryGet(map('by-hand'))).toBeDefined();
  }, 300_000);

  test('P7 a Namespace stays with what others have in it, also when the Application is deleted', async () => {
    const owned = uniqueName('owned');
    const powerful = tenantManifests({ namespace, serviceAccountName: 'powerful' }) as unknown as readonly KubernetesObject[];
    for (const object of powerful.filter(({ kind }) => kind !== 'Namespace')) await admin().apply(object);
    await admin().apply({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: uniqueName('powerful') },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ kind: 'ServiceAccount', name: 'powerful', namespace }],
    });
    const { repo, url } = await createRepo(git, {
      'ns.yaml': JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: owned } }),
      'map.yaml': configMap('beside', {}),
    });
    await applyApplication(namespace, 'spaces', { source: { repoURL: url }, serviceAccountName: 'powerful' });
    await untilSynced(namespace, 'spaces', await repo.head(), patience);
    const foreign = { apiVersion: 'v1', kind: 'ConfigMap', namespace: owned, name: 'foreign' };
    await admin().create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: owned, name: 'foreign' } });
    const status = await untilSynced(namespace, 'spaces', await push(repo, 'drop', { 'ns.yaml': undefined }), patience);
    expect(protectedIn(status)).toEqual([`${owned}: left Git and stays: objects of kind Namespace are never pruned`]);
    await admin().delete({ apiVersion: 'setpoint.dev/v1alpha1', kind: 'Application', namespace, name: 'spaces' });
    await eventually(() => expect(getApplication(namespace, 'spaces')).rejects.toThrow('404'), { timeout: patience });
    expect(await admin().tryGet(map('beside'))).toBeUndefined();
    expect((await admin().get({ apiVersion: 'v1', kind: 'Namespace', name: owned })).metadata.deletionTimestamp).toBeUndefined();
    expect(await admin().tryGet(foreign)).toBeDefined();
    await admin().delete({ apiVersion: 'v1', kind: 'Namespace', name: owned });
  }, 300_000);

  test('P10 is not deleted when somebody made another of its name, and P12 one that is gone already counts as gone', async () => {
    const { repo, url } = await createRepo(git, {
      'replaced.yaml': configMap('replaced', {}),
      'gone.yaml': configMap('gone', {}),
      'rest.yaml': configMap('rest-of', {}),
    });
    await applyApplication(namespace, 'replacing', { source: { repoURL: url }, sync: { selfHeal: false } });
    await untilSynced(namespace, 'replacing', await repo.head(), patience);
    for (const name of ['replaced', 'gone']) await admin().delete(map(name));
    const { uid } = (await admin().create({ ...JSON.parse(mapWith('replaced', { namespace })), data: { from: 'somebody' } })).metadata;
    const commit = await push(repo, 'drop', { 'replaced.yaml': undefined, 'gone.yaml': undefined });
    const status = await untilSynced(namespace, 'replacing', commit, patience);
    expect(status.resources?.total).toBe(1);
    const live = await admin().get(map('replaced'));
    expect([live.metadata.uid, live['data']]).toEqual([uid, { from: 'somebody' }]);
    expect(deletionsOf('replaced')).toEqual([]);
  }, 300_000);

  test('P11 written in another API group is the same object and is not deleted', async () => {
    const regarding = { apiVersion: 'v1', kind: 'ConfigMap', name: 'told-too', namespace };
    const when = { eventTime: '2026-01-01T00:00:00.000000Z', action: 'Tell', reportingInstance: 'one' };
    const common = { kind: 'Event', metadata: { name: 'told' }, type: 'Normal', reason: 'Told', ...when };
    const core = { apiVersion: 'v1', ...common, involvedObject: regarding, message: 'something', reportingComponent: 'example.com/teller' };
    const newer = { apiVersion: 'events.k8s.io/v1', ...common, regarding, note: 'something', reportingController: 'example.com/teller' };
    const { repo, url } = await createRepo(git, { 'told.json': JSON.stringify(core), 'other.yaml': configMap('told-too', {}) });
    await applyApplication(namespace, 'renamed', { source: { repoURL: url } });
    await untilSynced(namespace, 'renamed', await repo.head(), patience);
    const told = { apiVersion: 'v1', kind: 'Event', namespace, name: 'told' };
    const { uid } = (await admin().get(told)).metadata;
    const commit = await push(repo, 'newer group', { 'told.json': JSON.stringify(newer) });
    const status = await untilSynced(namespace, 'renamed', commit, patience);
    expect(status.resources?.total).toBe(2);
    expect((await admin().get({ ...told, apiVersion: 'events.k8s.io/v1' })).metadata.uid).toBe(uid);
    expect(deletionsOf('told')).toEqual([]);
  }, 300_000);

  test('P12 is blocked without permission, says what to grant, and goes when it is granted', async () => {
    const role = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: { name: 'no-delete', namespace } };
    const rules = (...verbs: string[]) => [{ apiGroups: [''], resources: ['configmaps'], verbs }];
    await admin().apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'no-delete', namespace } });
    await admin().apply({ ...role, rules: rules('get', 'create', 'patch') });
    await admin().apply({
      ...{ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding', metadata: { name: 'no-delete', namespace } },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'no-delete' },
      subjects: [{ kind: 'ServiceAccount', name: 'no-delete', namespace }],
    });
    const { repo, url } = await createRepo(git, { 'a.yaml': configMap('undeletable', {}), 'b.yaml': configMap('beside-it', {}) });
    await applyApplication(namespace, 'forbidden', { source: { repoURL: url }, serviceAccountName: 'no-delete' });
    await untilSynced(namespace, 'forbidden', await repo.head(), patience);
    const commit = await push(repo, 'drop', { 'a.yaml': undefined });
    const blocked = await untilStatus(namespace, 'forbidden', (status) => expect(reasonOf(status)).toBe('PruneBlocked'), patience);
    expect(conditionOf(blocked, 'Ready')?.message).toMatch(/may not delete configmaps.*verbs: \[.*"delete"\]/);
    expect(await admin().tryGet(map('undeletable'))).toBeDefined();
    await admin().apply({ ...role, rules: rules('get', 'create', 'patch', 'delete') });
    await untilSynced(namespace, 'forbidden', commit, patience);
    expect(await admin().tryGet(map('undeletable'))).toBeUndefined();
  }, 300_000);
});
