// Looking now instead of at the next poll: the signed webhook and the annotation.
import { createHmac } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { GitServer } from '../../dev/git-server.ts';
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
import { admin, scratchDirectory } from '../support/cluster.ts';
import { type RunningOperator, startOperator } from '../support/operator.ts';

let namespace: string;
let git: GitServer;
let operator: RunningOperator;
const secret = 'a key that both know';

beforeAll(async () => {
  namespace = await tenantNamespace('requests');
  git = await startTestGitServer();
  const file = join(scratchDirectory(), 'webhook-secret');
  writeFileSync(file, `${secret}\n`);
  operator = await startOperator({ namespaces: [namespace], flags: [`--webhook-secret-file=${file}`] });
}, 60_000);

afterAll(async () => {
  await operator?.stop();
  await git?.close();
}, 90_000);

function call(body: string, key = secret): Promise<Response> {
  const signature = `sha256=${createHmac('sha256', key).update(body).digest('hex')}`;
  return fetch(`${operator.apiUrl}/webhook/generic`, { method: 'POST', body, headers: { 'x-setpoint-signature': signature } });
}

describe('the webhook', () => {
  test('makes every Application of the repository look at once, though the next poll is an hour away', async () => {
    const { repo, url } = await createRepo(git, { 'a.yaml': configMap('hooked', { n: '1' }) });
    await applyApplication(namespace, 'hooked', { source: { repoURL: url, interval: '1h' } });
    await untilSynced(namespace, 'hooked', await repo.head());
    const commit = await push(repo, 'two', { 'a.yaml': configMap('hooked', { n: '2' }) });
    const answer = await call(JSON.stringify({ repoURL: url }));
    expect([answer.status, await answer.json()]).toEqual([202, { sources: 1 }]);
    await untilSynced(namespace, 'hooked', commit);
    expect((await admin().get({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'hooked' }))['data']).toEqual({ n: '2' });
  }, 90_000);

  test('W1 with a wrong signature asks for nothing', async () => {
    const requests = git.requests.length;
    expect((await call('{"repoURL":"http://x"}', 'another key')).status).toBe(401);
    expect(git.requests).toHaveLength(requests);
  });
});

test('the annotation makes an Application look at once, and its value comes back when that was done', async () => {
  const { repo, url } = await createRepo(git, { 'a.yaml': configMap('asked', { n: '1' }) });
  await applyApplication(namespace, 'asked', { source: { repoURL: url, interval: '1h' } });
  await untilSynced(namespace, 'asked', await repo.head());
  const commit = await push(repo, 'two', { 'a.yaml': configMap('asked', { n: '2' }) });
  const application = { apiVersion: 'setpoint.dev/v1alpha1', kind: 'Application', namespace, name: 'asked' };
  await admin().patch(application, { metadata: { annotations: { 'setpoint.dev/reconcile-requested': 'now 1' } } });
  const status = await untilStatus(namespace, 'asked', ({ lastHandledReconcileAt }) => expect(lastHandledReconcileAt).toBe('now 1'));
  expect(status.sync?.revision).toBe(commit);
  expect(status.history?.[0]).toMatchObject({ initiatedBy: 'request', revision: commit });
}, 90_000);
