// What keeps a sync from removing more than anyone meant.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
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
import { admin } from '../support/cluster.ts';
import { type RunningOperator, startOperator } from '../support/operator.ts';

let namespace: string;
let git: GitServer;
let operator: RunningOperator;

beforeAll(async () => {
  namespace = await tenantNamespace('guards');
  git = await startTestGitServer();
  operator = await startOperator({ namespaces: [namespace] });
}, 60_000);

afterAll(async () => {
  await operator?.stop();
  await git?.close();
}, 90_000);

async function names(prefix: string): Promise<string[]> {
  const objects = await admin().list('v1', 'ConfigMap', { namespace });
  return objects
    .map(({ metadata }) => metadata.name)
    .filter((name) => name.startsWith(`${prefix}-`))
    .sort();
}

function files(prefix: string, count: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`app/${index}.yaml`, configMap(`${prefix}-${index}`, {})]));
}

describe('pruning', () => {
  test('P1 a commit that declares nothing removes nothing until that is allowed', async () => {
    const { repo, url } = await createRepo(git, files('empty', 2));
    await applyApplication(namespace, 'empty', { source: { repoURL: url, path: 'app' } });
    await untilSynced(namespace, 'empty', await repo.head());
    const commit = await push(repo, 'oops', { 'app/0.yaml': '# nothing\n', 'app/1.yaml': undefined });
    const status = await untilStatus(namespace, 'empty', (current) =>
      expect(conditionOf(current, 'Stalled')).toMatchObject({ status: 'True', reason: 'EmptyGuard' }),
    );
    expect(conditionOf(status, 'Ready')?.message).toContain('the commit declares no object and the sync would remove all 2');
    expect(await names('empty')).toEqual(['empty-0', 'empty-1']);
    await applyApplication(namespace, 'empty', { source: { repoURL: url, path: 'app' }, sync: { allowEmpty: true } });
    await untilSynced(namespace, 'empty', commit);
    expect(await names('empty')).toEqual([]);
  }, 60_000);

  test('P1 a commit that removes more than half of more than ten is held', async () => {
    const { repo, url } = await createRepo(git, files('many', 12));
    await applyApplication(namespace, 'many', { source: { repoURL: url, path: 'app' } });
    await untilSynced(namespace, 'many', await repo.head());
    await push(repo, 'cut', Object.fromEntries(Array.from({ length: 7 }, (_, index) => [`app/${index}.yaml`, undefined])));
    await untilStatus(namespace, 'many', (current) => expect(conditionOf(current, 'Stalled')?.reason).toBe('PruneGuard'));
    expect(await names('many')).toHaveLength(12);
    const commit = await push(repo, 'less', { 'app/0.yaml': configMap('many-0', {}) });
    await untilSynced(namespace, 'many', commit);
    expect(await names('many')).toHaveLength(6);
  }, 60_000);

  test('P2 a commit that cannot be synthesized, and a path that is not there, prune nothing', async () => {
    const { repo, url } = await createRepo(git, files('partial', 2));
    await applyApplication(namespace, 'partial', { source: { repoURL: url, path: 'app' } });
    await untilSynced(namespace, 'partial', await repo.head());
    await push(repo, 'broken', { 'app/0.yaml': 'kind: [', 'app/1.yaml': undefined });
    await untilStatus(namespace, 'partial', (current) => expect(conditionOf(current, 'Stalled')?.reason).toBe('InvalidYaml'));
    expect(await names('partial')).toHaveLength(2);
    await applyApplication(namespace, 'partial', { source: { repoURL: url, path: 'elsewhere' } });
    await untilStatus(namespace, 'partial', (current) => expect(conditionOf(current, 'Stalled')?.reason).toBe('PathNotFound'));
    expect(await names('partial')).toHaveLength(2);
  }, 60_000);

  test('P6 claims for storage are never pruned', async () => {
    const claim = {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'kept' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    };
    const { repo, url } = await createRepo(git, { 'app/a.yaml': configMap('kept-a', {}), 'app/claim.yaml': JSON.stringify(claim) });
    await applyApplication(namespace, 'kept', { source: { repoURL: url, path: 'app' } });
    await untilStatus(namespace, 'kept', (current) => expect(current.resources?.total).toBe(2));
    const commit = await push(repo, 'drop', { 'app/claim.yaml': undefined });
    await untilStatus(namespace, 'kept', (current) => expect(current.source?.revision).toBe(commit));
    expect(await admin().tryGet({ apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name: 'kept' })).toBeDefined();
  }, 60_000);

  test('with prune off, what left Git stays', async () => {
    const { repo, url } = await createRepo(git, files('left', 2));
    await applyApplication(namespace, 'left', { source: { repoURL: url, path: 'app' }, sync: { prune: false } });
    await untilSynced(namespace, 'left', await repo.head());
    const commit = await push(repo, 'drop', { 'app/1.yaml': undefined });
    await untilStatus(namespace, 'left', (current) => expect(current.source?.revision).toBe(commit));
    expect(await names('left')).toEqual(['left-0', 'left-1']);
  }, 60_000);
});
