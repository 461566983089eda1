// One object, two Applications: whoever has it keeps it, and the other is told.
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type ApiProxy, startApiProxy } from '../../dev/api-proxy.ts';
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
import { admin, kubeconfigPath, scratchDirectory } from '../support/cluster.ts';
import { installOperator, type RunningOperator, startOperator } from '../support/operator.ts';

let namespace: string;
let operator: RunningOperator;
let git: GitServer;
let proxy: ApiProxy;

beforeAll(async () => {
  namespace = await tenantNamespace('owner');
  git = await startTestGitServer();
  proxy = await startApiProxy({ kubeconfigPath: kubeconfigPath() });
  const kubeconfig = join(scratchDirectory(), 'through-proxy.kubeconfig');
  proxy.writeKubeconfig(await installOperator(), kubeconfig);
  operator = await startOperator({ namespaces: [namespace], kubeconfig });
}, 60_000);

afterAll(async () => {
  await operator?.stop();
  await proxy?.close();
  await git?.close();
}, 30_000);

describe('an object that two Applications declare', () => {
  test('V10 stays with the first; the second says whose it is and applies the rest', async () => {
    const first = await createRepo(git, { 'a.yaml': configMap('shared', { from: 'first' }) });
    await applyApplication(namespace, 'first', { source: { repoURL: first.url } });
    await untilSynced(namespace, 'first', await first.repo.head());
    const second = await createRepo(git, { 'a.yaml': configMap('shared', { from: 'second' }), 'b.yaml': configMap('own', {}) });
    await applyApplication(namespace, 'second', { source: { repoURL: second.url } });
    const status = await untilStatus(namespace, 'second', (current) =>
      expect(conditionOf(current, 'Ready')?.reason).toBe('OwnershipConflict'),
    );
    expect(conditionOf(status, 'Ready')?.message).toContain(
      `shared: it belongs to Application ${namespace}/first; declare it in one of the two only`,
    );
    const shared = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'shared' };
    expect((await admin().get(shared))['data']).toEqual({ from: 'first' });
    expect(await admin().tryGet({ ...shared, name: 'own' })).toBeDefined();
    // The first gives it up: it goes, and the second gets it.
    await push(first.repo, 'give up', { 'a.yaml': undefined, 'c.yaml': configMap('other', {}) });
    await untilSynced(namespace, 'second', await second.repo.head(), 40_000);
    expect((await admin().get(shared))['data']).toEqual({ from: 'second' });
  }, 90_000);

  test('does not change hands when both come at once', async () => {
    const repos = await Promise.all(['left', 'right'].map((name) => createRepo(git, { 'a.yaml': configMap('raced', { from: name }) })));
    // Neither writes before both have seen that the object is not there.
    let dryRuns = 0;
    let release = (): void => undefined;
    const until = new Promise<void>((resolve) => {
      release = resolve;
    });
    proxy.onRequest = ({ method, path, query }) => {
      if (!path.includes('/raced') && !path.includes('/inventories')) return undefined;
      if (query.has('dryRun')) dryRuns += 1;
      if (dryRuns === 2) release();
      return method === 'GET' || query.has('dryRun') ? undefined : { until };
    };
    await Promise.all(
      repos.map(({ url }, index) => applyApplication(namespace, ['left', 'right'][index] ?? '', { source: { repoURL: url } })),
    );
    const conflicted = async (name: string): Promise<boolean> => {
      const status = await untilStatus(namespace, name, (current) =>
        expect(conditionOf(current, 'Ready')?.reason).toMatch(/Synced|OwnershipConflict/),
      );
      return conditionOf(status, 'Ready')?.reason === 'OwnershipConflict';
    };
    const [left, right] = await Promise.all([conflicted('left'), conflicted('right')]);
    expect([left, right].filter(Boolean)).toHaveLength(1);
    expect(proxy.writes().filter(({ path }) => path.endsWith('/raced'))).toHaveLength(1);
    const raced = await admin().get({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'raced' });
    expect(raced['data']).toEqual({ from: left ? 'right' : 'left' });
  }, 60_000);

  test('an object that was there before is adopted, and what others own of it stays', async () => {
    await admin().create(
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name: 'before' }, data: { theirs: 'x', ours: 'old' } },
      { fieldManager: 'somebody' },
    );
    const { uid } = (await admin().get({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'before' })).metadata;
    const { repo, url } = await createRepo(git, { 'a.yaml': configMap('before', { ours: 'new' }) });
    await applyApplication(namespace, 'adopter', { source: { repoURL: url } });
    await untilSynced(namespace, 'adopter', await repo.head());
    const live = await admin().get({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'before' });
    expect(live.metadata.uid).toBe(uid);
    expect(live['data']).toEqual({ theirs: 'x', ours: 'new' });
  }, 60_000);
});
