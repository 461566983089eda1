// When Git cannot be had, or a commit is bad: the last good state stays, and is still kept.
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
import { admin, eventually } from '../support/cluster.ts';
import { type RunningOperator, startOperator } from '../support/operator.ts';

let namespace: string;
let operator: RunningOperator;
let git: GitServer;

beforeAll(async () => {
  namespace = await tenantNamespace('hold');
  git = await startTestGitServer();
  operator = await startOperator({ namespaces: [namespace] });
}, 60_000);

afterAll(async () => {
  await operator?.stop();
  await git?.close();
}, 90_000);

async function checkHealed(name: string): Promise<void> {
  const object = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name };
  await admin().patch(object, { data: { n: 'drifted' } }, { fieldManager: 'mallory' });
  await eventually(async () => expect((await admin().get(object))['data']).toEqual({ n: '1' }));
}

describe('the last good state', () => {
  test('stays, and its drift is healed, while the Git server is away', async () => {
    const away = await startTestGitServer();
    const { repo, url } = await createRepo(away, { 'a.yaml': configMap('away', { n: '1' }) });
    await applyApplication(namespace, 'away', { source: { repoURL: url } });
    const commit = await repo.head();
    await untilSynced(namespace, 'away', commit);
    await away.close();
    const status = await untilStatus(namespace, 'away', (current) =>
      expect(conditionOf(current, 'Ready')?.reason).toBe('RepositoryUnreachable'),
    );
    expect(conditionOf(status, 'Reconciling')?.status).toBe('True');
    expect(conditionOf(status, 'Synced')?.status).toBe('Unknown');
    expect(conditionOf(status, 'Ready')?.message).toMatch(new RegExp(`the cluster stays at ${commit.slice(0, 8)}$`));
    await checkHealed('away');
    const healed = await untilStatus(namespace, 'away', ({ drift }) =>
      expect(drift?.[0]).toMatchObject({ manager: 'mallory', healed: true }),
    );
    expect(conditionOf(healed, 'Ready')?.reason).toBe('RepositoryUnreachable');
  }, 60_000);

  test('G3 stays when the branch is deleted, and is left for the branch that comes back', async () => {
    const { repo, url } = await createRepo(git, { 'a.yaml': configMap('branch', { n: '1' }) });
    await repo.git('push', '-q', 'origin', 'HEAD:refs/heads/release');
    await applyApplication(namespace, 'branch', { source: { repoURL: url, ref: 'release' } });
    await untilSynced(namespace, 'branch', await repo.head());
    await repo.git('push', '-q', 'origin', ':refs/heads/release');
    await untilStatus(namespace, 'branch', (current) => expect(conditionOf(current, 'Ready')?.reason).toBe('RefNotFound'));
    await checkHealed('branch');
    const commit = await repo.commitFiles('back', { 'a.yaml': configMap('branch', { n: '2' }) });
    await repo.git('push', '-q', 'origin', 'HEAD:refs/heads/release');
    await untilSynced(namespace, 'branch', commit, 40_000);
  }, 90_000);

  test('stays, and its drift is healed, while the newest commit is refused', async () => {
    const { repo, url } = await createRepo(git, { 'a.yaml': configMap('refused', { n: '1' }) });
    await applyApplication(namespace, 'refused', { source: { repoURL: url } });
    await untilSynced(namespace, 'refused', await repo.head());
    const bad = await push(repo, 'bad', { 'a.yaml': configMap('refused', { n: '2' }).replace('"data"', '"dada"') });
    await untilStatus(namespace, 'refused', (current) => expect(conditionOf(current, 'Ready')?.reason).toBe('UnknownField'));
    await checkHealed('refused');
    const status = await untilStatus(namespace, 'refused', ({ drift }) => expect(drift).toHaveLength(1));
    expect(conditionOf(status, 'Ready')?.reason).toBe('UnknownField');
    expect(status.source?.revision).toBe(bad);
    expect(status.findings?.total).toBe(1);
    await repo.revert(bad);
    await repo.push();
    await untilSynced(namespace, 'refused', await repo.head());
  }, 60_000);
});

test('G1 a rewritten branch is followed, and said', async () => {
  const { repo, url } = await createRepo(git, { 'a.yaml': configMap('rewritten', { n: '1' }) });
  const first = await repo.head();
  await push(repo, 'second', { 'a.yaml': configMap('rewritten', { n: '2' }) });
  await applyApplication(namespace, 'rewritten', { source: { repoURL: url } });
  const second = await repo.head();
  await untilSynced(namespace, 'rewritten', second);
  await repo.reset(first);
  const other = await repo.commitFiles('other', { 'a.yaml': configMap('rewritten', { n: '3' }) });
  await repo.forcePush();
  await untilSynced(namespace, 'rewritten', other, 40_000);
  expect(operator.logs().some((line) => line['event'] === 'history-rewritten' && line['from'] === second && line['to'] === other)).toBe(
    true,
  );
}, 60_000);
