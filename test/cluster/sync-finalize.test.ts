// The end of an Application: its objects go or stay as deletionPolicy says, protected ones always stay, and nothing hangs.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { GitServer } from '../../dev/git-server.ts';
import {
  applyApplication,
  conditionOf,
  configMap,
  createRepo,
  getApplication,
  startTestGitServer,
  tenantNamespace,
  untilStatus,
  untilSynced,
} from '../support/application.ts';
import { admin, eventually, type Ref } from '../support/cluster.ts';
import { type RunningOperator, startOperator } from '../support/operator.ts';

let namespace: string;
let doomed: string;
let operator: RunningOperator;
let git: GitServer;

beforeAll(async () => {
  namespace = await tenantNamespace('finalize');
  doomed = await tenantNamespace('doomed');
  git = await startTestGitServer();
  operator = await startOperator({ namespaces: [namespace, doomed] });
}, 60_000);

afterAll(async () => {
  await operator?.stop();
  await git?.close();
}, 90_000);

const kind = { apiVersion: 'setpoint.dev/v1alpha1', kind: 'Application' };

function object(name: string, where = namespace): Ref {
  return { apiVersion: 'v1', kind: 'ConfigMap', namespace: where, name };
}

async function untilGone(ref: Ref): Promise<void> {
  await eventually(async () => expect(await admin().tryGet(ref)).toBeUndefined(), { timeout: 20_000 });
}

describe('a deleted Application', () => {
  test('P8 takes its objects along, but for protected ones, and leaves no inventory', async () => {
    const kept = JSON.stringify({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'gone-kept', annotations: { 'setpoint.dev/prune': 'disabled' } },
    });
    const { repo, url } = await createRepo(git, {
      'a.yaml': configMap('gone-a', {}),
      'b.yaml': configMap('gone-b', {}),
      'kept.yaml': kept,
    });
    await applyApplication(namespace, 'gone', { source: { repoURL: url } });
    await untilSynced(namespace, 'gone', await repo.head());
    expect((await getApplication(namespace, 'gone')).metadata.finalizers).toEqual(['setpoint.dev/finalizer']);
    await admin().delete({ ...kind, namespace, name: 'gone' });
    await untilGone({ ...kind, namespace, name: 'gone' });
    expect(await admin().tryGet(object('gone-a'))).toBeUndefined();
    expect(await admin().tryGet(object('gone-b'))).toBeUndefined();
    expect(await admin().tryGet(object('gone-kept'))).toBeDefined();
    await eventually(async () => {
      const inventories = await admin().list('setpoint.dev/v1alpha1', 'Inventory', { namespace });
      expect(inventories.filter(({ metadata }) => metadata.name.startsWith('gone-'))).toEqual([]);
    });
    const metrics = await (await fetch(`${operator.metricsUrl}/metrics`)).text();
    expect(metrics).not.toContain('name="gone"');
  }, 60_000);

  test('P8 with deletionPolicy Orphan leaves its objects running', async () => {
    const { repo, url } = await createRepo(git, { 'a.yaml': configMap('left-a', { n: '1' }) });
    await applyApplication(namespace, 'left', { source: { repoURL: url }, deletionPolicy: 'Orphan' });
    await untilSynced(namespace, 'left', await repo.head());
    await admin().delete({ ...kind, namespace, name: 'left' });
    await untilGone({ ...kind, namespace, name: 'left' });
    expect((await admin().get(object('left-a')))['data']).toEqual({ n: '1' });
  }, 60_000);

  test('A23 waits for an object that a finalizer holds, names it, and goes when that is released', async () => {
    const held = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'held-a', finalizers: ['example.com/hold'] } });
    const { repo, url } = await createRepo(git, { 'a.yaml': held });
    await applyApplication(namespace, 'held', { source: { repoURL: url } });
    await untilSynced(namespace, 'held', await repo.head());
    await admin().delete({ ...kind, namespace, name: 'held' });
    const status = await untilStatus(
      namespace,
      'held',
      (current) => expect(conditionOf(current, 'Ready')?.reason).toBe('PruneBlocked'),
      40_000,
    );
    expect(conditionOf(status, 'Ready')?.message).toContain('held-a: held by finalizer example.com/hold');
    await admin().patch(object('held-a'), { metadata: { finalizers: null } });
    await untilGone({ ...kind, namespace, name: 'held' });
  }, 90_000);

  test('that never got its source goes at once', async () => {
    await applyApplication(namespace, 'never', { source: { repoURL: 'http://git.invalid/x.git' } });
    await untilStatus(namespace, 'never', (current) => expect(conditionOf(current, 'Ready')?.status).toBe('False'));
    await admin().delete({ ...kind, namespace, name: 'never' });
    await untilGone({ ...kind, namespace, name: 'never' });
  }, 90_000);

  test('goes with its namespace, though its ServiceAccount and rights go too', async () => {
    const { repo, url } = await createRepo(git, { 'a.yaml': configMap('doomed-a', {}) });
    await applyApplication(doomed, 'doomed', { source: { repoURL: url } });
    await untilSynced(doomed, 'doomed', await repo.head());
    await admin().delete({ apiVersion: 'v1', kind: 'Namespace', name: doomed });
    await untilGone({ ...kind, namespace: doomed, name: 'doomed' });
    await untilGone({ apiVersion: 'v1', kind: 'Namespace', name: doomed });
  }, 60_000);
});
