// One object, two Applications: whoever has it keeps it, both are told, and nothing is stripped or changes hands unasked.
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ApplicationStatus } from '../../constructs/application-schema.ts';
import { type ApiProxy, type ProxiedRequest, startApiProxy } from '../../dev/api-proxy.ts';
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
import { admin, eventually, kubeconfigPath, scratchDirectory, testNamespace } from '../support/cluster.ts';
import { installOperator, type RunningOperator, startOperator } from '../support/operator.ts';

/** Machines are slow at times. */
const patience = 60_000;
let namespace: string;
let elsewhere: string;
let operators: RunningOperator[];
let git: GitServer;
let proxy: ApiProxy;

beforeAll(async () => {
  namespace = await tenantNamespace('owner');
  elsewhere = await tenantNamespace('owner');
  git = await startTestGitServer();
  proxy = await startApiProxy({ kubeconfigPath: kubeconfigPath() });
  const kubeconfig = join(scratchDirectory(), 'through-proxy.kubeconfig');
  proxy.writeKubeconfig(await installOperator(), kubeconfig);
  operators = [await startOperator({ namespaces: [namespace], kubeconfig }), await startOperator({ namespaces: [elsewhere], kubeconfig })];
}, 120_000);

afterAll(async () => {
  for (const operator of operators ?? []) await operator.stop();
  await proxy?.close();
  await git?.close();
}, 60_000);

/** A namespace in which the Applications of both tenants may act. */
async function sharedNamespace(): Promise<string> {
  const shared = await testNamespace('shared');
  for (const tenant of [namespace, elsewhere]) {
    await admin().apply({
      ...{ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding', metadata: { name: tenant, namespace: shared } },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'admin' },
      subjects: [{ kind: 'ServiceAccount', name: 'setpoint-applier', namespace: tenant }],
    });
    const user = `system:serviceaccount:${tenant}:setpoint-applier`;
    const spec = { user, resourceAttributes: { namespace: shared, verb: 'patch', resource: 'configmaps' } };
    const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec };
    const ask = () => admin().raw('/apis/authorization.k8s.io/v1/subjectaccessreviews', { method: 'POST', body: review });
    await eventually(async () => expect((await ask())['status'].allowed).toBe(true), { timeout: patience });
  }
  return shared;
}

const mapIn = (where: string, name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', namespace: where, name });

function claimed(status: ApplicationStatus): readonly string[] {
  return (status.findings?.items ?? [])
    .filter(({ code }) => code === 'ClaimedByAnother')
    .map(({ object, message }) => `${object?.name}: ${message}`);
}

async function isConflicted(where: string, name: string): Promise<boolean> {
  const status = await untilStatus(
    where,
    name,
    (current) => expect(String(conditionOf(current, 'Ready')?.reason)).toMatch(/^(Synced|OwnershipConflict)$/),
    patience,
  );
  return conditionOf(status, 'Ready')?.reason === 'OwnershipConflict';
}

/** Holds every write about an object, and every write of inventories, until so many requests came that tell how far both are. */
function holdWrites(name: string, needed: number, tells: (request: ProxiedRequest) => boolean): void {
  let seen = 0;
  let release = (): void => undefined;
  const until = new Promise<void>((resolve) => {
    release = resolve;
  });
  proxy.onRequest = (request) => {
    const { method, path, query } = request;
    if (!path.endsWith(`/${name}`) && !path.includes('/inventories')) return undefined;
    if (tells(request)) seen += 1;
    if (seen >= needed) release();
    return method === 'GET' || query.has('dryRun') ? undefined : { until };
  };
}

const successful = (name: string) => proxy.writes().filter(({ path, status }) => path.endsWith(`/${name}`) && (status ?? 0) < 300);

describe('an object that two Applications declare', () => {
  test('V10 stays with the first; both are told; the second applies the rest and gets it, undeleted, when the first gives it up', async () => {
    const first = await createRepo(git, { 'a.yaml': configMap('shared', { from: 'first', only: 'first' }) });
    await applyApplication(namespace, 'first', { source: { repoURL: first.url } });
    await untilSynced(namespace, 'first', await first.repo.head(), patience);
    const shared = mapIn(namespace, 'shared');
    const { uid, resourceVersion } = (await admin().get(shared)).metadata;
    const second = await createRepo(git, { 'a.yaml': configMap('shared', { from: 'second' }), 'b.yaml': configMap('own', {}) });
    await applyApplication(namespace, 'second', { source: { repoURL: second.url } });
    const status = await untilStatus(
      namespace,
      'second',
      (current) => expect(conditionOf(current, 'Ready')?.reason).toBe('OwnershipConflict'),
      patience,
    );
    expect(conditionOf(status, 'Ready')?.message).toContain(
      `shared: it belongs to Application ${namespace}/first; declare it in one of the two only`,
    );
    const told = await untilStatus(
      namespace,
      'first',
      (current) => expect(claimed(current)).toEqual([`shared: Application ${namespace}/second declares it too; it stays with this one`]),
      patience,
    );
    expect(conditionOf(told, 'Ready')?.status).toBe('True');
    await eventually(
      async () => {
        const events = await admin().list('events.k8s.io/v1', 'Event', { namespace });
        const notes = events
          .filter(({ reason }) => reason === 'ClaimedByAnother')
          .map((event) => `${event['regarding'].name}: ${event['note']}`);
        expect(notes).toEqual([
          expect.stringContaining(`first: ConfigMap ${namespace}/shared: Application ${namespace}/second declares it too`),
        ]);
      },
      { timeout: patience },
    );
    expect(await admin().tryGet(mapIn(namespace, 'own'))).toBeDefined();
    expect((await admin().get(shared)).metadata.resourceVersion).toBe(resourceVersion);
    await push(first.repo, 'give up', { 'a.yaml': undefined, 'c.yaml': configMap('other', {}) });
    await untilSynced(namespace, 'second', await second.repo.head(), patience);
    const live = await admin().get(shared);
    expect(live['data']).toEqual({ from: 'second' });
    expect(live.metadata.uid).toBe(uid);
    const after = await untilStatus(
      namespace,
      'first',
      (current) => expect([claimed(current), current.resources?.total, conditionOf(current, 'Ready')?.status]).toEqual([[], 1, 'True']),
      patience,
    );
    expect(after.sync?.counts?.prune).toBe(0);
    // It belongs to the second for good: nothing the first does takes it back.
    await push(first.repo, 'more', { 'd.yaml': configMap('another', {}) });
    await untilSynced(namespace, 'first', await first.repo.head(), patience);
    expect((await admin().get(shared)).metadata.resourceVersion).toBe(live.metadata.resourceVersion);
  }, 300_000);

  test('V10 a claim that ends is not told any more', async () => {
    const first = await createRepo(git, { 'a.yaml': configMap('wanted', { from: 'holder' }) });
    await applyApplication(namespace, 'holder', { source: { repoURL: first.url } });
    await untilSynced(namespace, 'holder', await first.repo.head(), patience);
    const second = await createRepo(git, { 'a.yaml': configMap('wanted', { from: 'claimant' }), 'b.yaml': configMap('unwanted', {}) });
    await applyApplication(namespace, 'claimant', { source: { repoURL: second.url } });
    await untilStatus(namespace, 'holder', (current) => expect(claimed(current)).toHaveLength(1), patience);
    await push(second.repo, 'withdraw', { 'a.yaml': undefined });
    await untilStatus(namespace, 'holder', (current) => expect(claimed(current)).toEqual([]), patience);
    expect((await admin().get(mapIn(namespace, 'wanted')))['data']).toEqual({ from: 'holder' });
  }, 200_000);

  test('P8 an Application that is deleted leaves to the other what that waits for', async () => {
    const first = await createRepo(git, { 'a.yaml': configMap('left', { from: 'leaver' }), 'b.yaml': configMap('taken', {}) });
    await applyApplication(namespace, 'leaver', { source: { repoURL: first.url } });
    await untilSynced(namespace, 'leaver', await first.repo.head(), patience);
    const { uid } = (await admin().get(mapIn(namespace, 'left'))).metadata;
    const second = await createRepo(git, { 'a.yaml': configMap('left', { from: 'stayer' }) });
    await applyApplication(namespace, 'stayer', { source: { repoURL: second.url } });
    await untilStatus(namespace, 'leaver', (current) => expect(claimed(current)).toHaveLength(1), patience);
    await admin().delete({ apiVersion: 'setpoint.dev/v1alpha1', kind: 'Application', namespace, name: 'leaver' });
    await untilSynced(namespace, 'stayer', await second.repo.head(), patience);
    const live = await admin().get(mapIn(namespace, 'left'));
    expect([live.metadata.uid, live['data']]).toEqual([uid, { from: 'stayer' }]);
    expect(await admin().tryGet(mapIn(namespace, 'taken'))).toBeUndefined();
  }, 200_000);

  test('A24 the label of the first taken away gives the second nothing', async () => {
    const first = await createRepo(git, { 'a.yaml': configMap('bare', { from: 'labelled' }) });
    await applyApplication(namespace, 'labelled', { source: { repoURL: first.url }, sync: { selfHeal: false } });
    await untilSynced(namespace, 'labelled', await first.repo.head(), patience);
    await admin().patch(mapIn(namespace, 'bare'), { metadata: { labels: { 'setpoint.dev/application': null } } });
    const second = await createRepo(git, { 'a.yaml': configMap('bare', { from: 'thief' }) });
    await applyApplication(namespace, 'thief', { source: { repoURL: second.url } });
    expect(await isConflicted(namespace, 'thief')).toBe(true);
    expect((await admin().get(mapIn(namespace, 'bare')))['data']).toEqual({ from: 'labelled' });
  }, 200_000);

  test('V10 does not change hands when both come at once', async () => {
    const repos = await Promise.all(['left', 'right'].map((name) => createRepo(git, { 'a.yaml': configMap('raced', { from: name }) })));
    // Neither writes before both have seen that the object is not there.
    holdWrites('raced', 2, ({ query }) => query.has('dryRun'));
    await Promise.all(
      repos.map(({ url }, index) => applyApplication(namespace, ['left', 'right'][index] ?? '', { source: { repoURL: url } })),
    );
    const [left, right] = await Promise.all([isConflicted(namespace, 'left'), isConflicted(namespace, 'right')]);
    proxy.onRequest = undefined;
    expect([left, right].filter(Boolean)).toHaveLength(1);
    expect(successful('raced')).toHaveLength(1);
    const raced = await admin().get(mapIn(namespace, 'raced'));
    expect(raced['data']).toEqual({ from: left ? 'right' : 'left' });
    await untilStatus(namespace, left ? 'right' : 'left', (current) => expect(claimed(current)).toHaveLength(1), patience);
  }, 200_000);

  test('A5 a first apply whose answer was lost is known as our own', async () => {
    let lost = 0;
    proxy.onRequest = ({ method, path, query }) => {
      if (method !== 'PATCH' || !path.endsWith('/unheard') || query.has('dryRun') || lost > 0) return undefined;
      lost += 1;
      return { reset: 'after' };
    };
    const { repo, url } = await createRepo(git, { 'a.yaml': configMap('unheard', { n: '1' }) });
    await applyApplication(namespace, 'listener', { source: { repoURL: url } });
    const status = await untilSynced(namespace, 'listener', await repo.head(), patience);
    proxy.onRequest = undefined;
    expect(lost).toBe(1);
    expect((status.history ?? []).map(({ result }) => result)).toEqual(['Synced']);
    expect(status.adopted).toBeUndefined();
  }, 200_000);

  test('V10 does not change hands when two operators come at once', async () => {
    const shared = await sharedNamespace();
    const repos = await Promise.all(['one', 'two'].map((name) => createRepo(git, { 'a.yaml': configMap('contended', { from: name }) })));
    // An operator enters what it will make into its inventory once the dry run has told that it is not there.
    holdWrites('contended', 2, ({ method, path }) => method === 'POST' && path.endsWith('/inventories'));
    const places = [namespace, elsewhere];
    await Promise.all(
      repos.map(({ url }, index) =>
        applyApplication(places[index] ?? '', 'racer', { source: { repoURL: url }, destination: { namespace: shared } }),
      ),
    );
    const [one, two] = await Promise.all([isConflicted(namespace, 'racer'), isConflicted(elsewhere, 'racer')]);
    proxy.onRequest = undefined;
    expect([one, two].filter(Boolean)).toHaveLength(1);
    expect(successful('contended')).toHaveLength(1);
    const live = await admin().get(mapIn(shared, 'contended'));
    expect(live['data']).toEqual({ from: one ? 'two' : 'one' });
    const loser = await untilStatus(one ? namespace : elsewhere, 'racer', (current) => expect(current.resources?.total).toBe(0), patience);
    expect(conditionOf(loser, 'Ready')?.reason).toBe('OwnershipConflict');
    expect((await admin().get(mapIn(shared, 'contended'))).metadata.resourceVersion).toBe(live.metadata.resourceVersion);
  }, 200_000);
});
