// The thin line through everything: commit → source → synth → validate → apply → status, with the product as a process under its own ServiceAccount.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { GitServer } from '../../dev/git-server.ts';
import {
  applyApplication,
  conditionOf,
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
  namespace = await tenantNamespace('first');
  git = await startTestGitServer();
  operator = await startOperator({ namespaces: [namespace] });
}, 60_000);

afterAll(async () => {
  await operator?.stop();
  await git?.close();
}, 90_000);

const cdk8sYaml = 'language: typescript\napp: npx ts-node main.ts\n';

function app(lines: string): string {
  return `import { App, Chart } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
const app = new App();
const chart = new Chart(app, 'web');
${lines}
app.synth();
`;
}

describe('a commit of TypeScript constructs', () => {
  test('becomes live objects, is changed and pruned by later commits, and says so in its status', async () => {
    const first = `new kplus.ConfigMap(chart, 'settings', { metadata: { name: 'settings' }, data: { colour: 'red' } });
new kplus.ConfigMap(chart, 'other', { metadata: { name: 'other' }, data: { a: 'b' } });`;
    const { repo, url } = await createRepo(git, { 'cdk8s.yaml': cdk8sYaml, 'main.ts': app(first) });
    await applyApplication(namespace, 'web', { source: { repoURL: url } });
    const status = await untilSynced(namespace, 'web', await repo.head());
    expect(status.source).toMatchObject({ revision: await repo.head(), author: 'Ada Author', subject: 'first', ref: 'refs/heads/main' });
    expect(status.sync).toMatchObject({ status: 'Synced', counts: { create: 2, prune: 0 } });
    expect(status.resources).toEqual({ total: 2 });
    const settings = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'settings' };
    expect((await admin().get(settings))['data']).toEqual({ colour: 'red' });

    const commit = await push(repo, 'blue', { 'main.ts': app(first.replace('red', 'blue').split('\n')[0] ?? '') });
    const changed = await untilSynced(namespace, 'web', commit);
    expect((await admin().get(settings))['data']).toEqual({ colour: 'blue' });
    expect(await admin().tryGet({ ...settings, name: 'other' })).toBeUndefined();
    expect(changed.sync?.counts).toMatchObject({ create: 0, update: 1, prune: 1 });
    expect(changed.history?.map(({ result, subject }) => `${result} ${subject}`)).toEqual(['Synced blue', 'Synced first']);
  }, 60_000);

  test('that is wrong is refused with the line, and the last good state stays', async () => {
    const { repo, url } = await createRepo(git, {
      'cdk8s.yaml': cdk8sYaml,
      'main.ts': app(`new kplus.ConfigMap(chart, 'a', { metadata: { name: 'good' }, data: { a: '1' } });`),
    });
    await applyApplication(namespace, 'bad', { source: { repoURL: url } });
    const good = await repo.head();
    await untilSynced(namespace, 'bad', good);
    const bad = await push(repo, 'bad', {
      'main.ts': app(`import { ApiObject } from 'cdk8s';
new kplus.ConfigMap(chart, 'a', { metadata: { name: 'good' }, data: { a: '2' } });
new ApiObject(chart, 'wrong', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'wrong' }, dat: { a: 'b' } });`),
    });
    const status = await untilStatus(namespace, 'bad', ({ source, conditions }) => {
      expect(source?.revision).toBe(bad);
      expect(conditions?.find(({ type }) => type === 'Stalled')?.status).toBe('True');
    });
    expect(status.findings).toMatchObject({ total: 1, items: [{ code: 'UnknownField', file: 'main.ts', line: 7, column: 1 }] });
    expect(conditionOf(status, 'Ready')?.message).toContain(`commit ${bad.slice(0, 8)} is refused: main.ts:7:1: `);
    expect(conditionOf(status, 'Ready')?.message).toContain(`the cluster stays at ${good.slice(0, 8)}`);
    expect((await admin().get({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'good' }))['data']).toEqual({ a: '1' });
  }, 60_000);
});
