// What the operator says about its work: Events, metrics and log; and what it never says.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
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
import { admin, eventually } from '../support/cluster.ts';
import { type RunningOperator, startOperator } from '../support/operator.ts';

let namespace: string;
let operator: RunningOperator;
let git: GitServer;

beforeAll(async () => {
  namespace = await tenantNamespace('reports');
  git = await startTestGitServer();
  operator = await startOperator({ namespaces: [namespace], logLevel: 'trace' });
}, 60_000);

afterAll(async () => {
  await operator?.stop();
  await git?.close();
}, 90_000);

async function eventsOf(name: string): Promise<string[]> {
  const events = await admin().list('events.k8s.io/v1', 'Event', { namespace });
  return events.filter((event) => event['regarding'].name === name).map((event) => `${event['type']} ${event['reason']}: ${event['note']}`);
}

async function metrics(): Promise<string> {
  return (await fetch(`${operator.metricsUrl}/metrics`)).text();
}

test('the end of a wait for health is told with what the sync did', async () => {
  const labels = { app: 'awaited' };
  const template = { metadata: { labels }, spec: { containers: [{ name: 'web', image: 'web:1' }] } };
  const spec = { replicas: 1, selector: { matchLabels: labels }, template };
  const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'awaited' }, spec };
  const { repo, url } = await createRepo(git, { 'a.yaml': JSON.stringify(deployment), 'b.yaml': configMap('awaited', {}) });
  await applyApplication(namespace, 'awaited', { source: { repoURL: url } });
  await untilStatus(namespace, 'awaited', (status) => expect(conditionOf(status, 'Ready')?.status).toBe('True'), 60_000);
  const text = `Normal Synced: synced ${(await repo.head()).slice(0, 8)} "first" by Ada Author: 2 created`;
  await eventually(async () => expect((await eventsOf('awaited')).filter((event) => event.includes(' Synced:'))).toEqual([text]));
}, 90_000);

test('a sync, a heal and a refusal are told once each by Events, metrics and the log', async () => {
  const { repo, url } = await createRepo(git, { 'a.yaml': configMap('told', { n: '1' }) });
  await applyApplication(namespace, 'told', { source: { repoURL: url } });
  await untilSynced(namespace, 'told', await repo.head());
  await admin().patch({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'told' }, { data: { n: '2' } }, { fieldManager: 'mallory' });
  await untilStatus(namespace, 'told', ({ drift }) => expect(drift).toHaveLength(1));
  const bad = await push(repo, 'bad', { 'a.yaml': configMap('told', { n: '3' }).replace('"data"', '"dada"') });
  await untilStatus(namespace, 'told', (status) => expect(conditionOf(status, 'Stalled')?.status).toBe('True'));
  await eventually(async () => {
    const events = await eventsOf('told');
    const first = await repo.head('HEAD~1');
    expect(events).toEqual(
      expect.arrayContaining([
        `Normal Synced: synced ${first.slice(0, 8)} "first" by Ada Author: 1 created`,
        `Normal DriftHealed: ConfigMap ${namespace}/told: .data.n changed by mallory; put right`,
        expect.stringMatching(new RegExp(`^Warning UnknownField: rejected ${bad.slice(0, 8)} "bad" by Ada Author: a\\.yaml:1:`)),
      ]),
    );
  });
  const text = await metrics();
  const labels = `namespace="${namespace}",name="told"`;
  expect(text).toContain(`setpoint_app_info{${labels},sync_status="OutOfSync",health_status="Healthy"} 1`);
  expect(text).toContain(`setpoint_sync_total{${labels},result="synced"} 2`);
  expect(text).toContain(`setpoint_sync_total{${labels},result="rejected"} 1`);
  expect(text).toContain(`setpoint_drift_total{${labels},healed="true"} 1`);
  expect(text).toMatch(/rest_client_requests_total\{code="200",method="PATCH",host="127\.0\.0\.1:\d+"\} \d+/);
  expect(text).toMatch(/setpoint_git_fetch_total\{result="changed"\} [2-9]/);
  const told = operator
    .logs()
    .filter(
      (line) => line['event'] === 'reconciled' && line['application'] === `${namespace}/told` && ['info', 'warn'].includes(line.level),
    );
  expect(told.map(({ msg }) => String(msg).replace(/: a\.yaml.*/, ''))).toEqual([
    'synced: 1 objects, 1 written',
    'synced: 1 objects, 1 written',
    'commit refused with 1 findings',
  ]);
  expect(new Set(told.map((line) => line['syncId'])).size).toBe(3);
}, 60_000);

test('a rollout of many objects is told when it begins and when it ends, not object by object', async () => {
  const deployment = (name: string): string => {
    const labels = { app: name };
    const template = { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'main:1' }] } };
    const spec = { selector: { matchLabels: labels }, template };
    return JSON.stringify({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name }, spec });
  };
  const names = Array.from({ length: 80 }, (_, index) => `rollout-${index}`);
  const { repo, url } = await createRepo(git, Object.fromEntries(names.map((name) => [`${name}.json`, deployment(name)])));
  await applyApplication(namespace, 'rollout', { source: { repoURL: url, interval: '1h' } });
  await untilSynced(namespace, 'rollout', await repo.head(), 80_000);
  const told = operator
    .logs()
    .filter((line) => line['event'] === 'reconciled' && line['application'] === `${namespace}/rollout` && line.level === 'info');
  expect(told.filter(({ msg }) => /not healthy yet/.test(msg)).length).toBeLessThanOrEqual(2);
  expect((await eventsOf('rollout')).filter((event) => /Progressing|healthy yet/.test(event)).length).toBeLessThanOrEqual(2);
}, 120_000);

test('a commit that takes long to render is told of meanwhile', async () => {
  const { repo, url } = await createRepo(git, { 'a.yaml': configMap('slow', { n: '1' }) });
  await applyApplication(namespace, 'slow', { source: { repoURL: url } });
  await untilSynced(namespace, 'slow', await repo.head());
  await push(repo, 'refused', { 'a.yaml': configMap('Not_A_Name', {}) });
  await untilStatus(namespace, 'slow', ({ findings }) => expect(findings?.total).toBeGreaterThan(0));
  const commit = await push(repo, 'slow', {
    'a.yaml': undefined,
    'cdk8s.yaml': 'language: typescript\napp: npx ts-node main.ts\n',
    'main.ts': 'for (;;);\n',
  });
  const rendering = await untilStatus(namespace, 'slow', (status) =>
    expect(conditionOf(status, 'Reconciling')).toMatchObject({ status: 'True', message: `rendering commit ${commit.slice(0, 8)}` }),
  );
  expect(rendering.source?.revision).toBe(commit);
  expect(rendering.findings).toBeUndefined();
  const status = await untilStatus(namespace, 'slow', (later) => expect(conditionOf(later, 'Ready')?.reason).toBe('SynthTimeout'), 40_000);
  expect(status.sync?.revision).toBe(await repo.head('HEAD~2'));
}, 90_000);

test('I7 T8 no value of a Secret is in the log, the status, an Event or a metric, whatever goes wrong with it', async () => {
  const canary = 'c4nary-v4lue-nobody-may-see';
  const encoded = Buffer.from(canary).toString('base64');
  const secret = (data: object): string => JSON.stringify({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'hidden' }, ...data });
  const { repo, url } = await createRepo(git, { 'a.yaml': secret({ stringData: { password: canary } }) });
  await applyApplication(namespace, 'secret', { source: { repoURL: url }, sync: { selfHeal: false } });
  await untilSynced(namespace, 'secret', await repo.head());
  const live = { apiVersion: 'v1', kind: 'Secret', namespace, name: 'hidden' };
  expect((await admin().get(live))['data']).toEqual({ password: encoded });
  await admin().patch(live, { data: { password: Buffer.from(`${canary}-drifted`).toString('base64') } }, { fieldManager: 'mallory' });
  await untilStatus(namespace, 'secret', ({ drift }) =>
    expect(drift?.[0]).toMatchObject({ fields: ['.data.password'], manager: 'mallory', healed: false }),
  );
  for (const wrong of [
    { data: { password: `${canary}!` } },
    { stringData: { password: canary }, type: 'kubernetes.io/tls' },
    { stringData: { password: canary }, nonsense: canary.length },
  ]) {
    const commit = await push(repo, 'wrong', { 'a.yaml': secret(wrong) });
    await untilStatus(namespace, 'secret', (status) => {
      expect(status.source?.revision).toBe(commit);
      expect(conditionOf(status, 'Ready')?.status).toBe('False');
    });
  }
  const said = JSON.stringify([
    await getApplication(namespace, 'secret'),
    operator.logs(),
    operator.stderr(),
    await eventsOf('secret'),
    await metrics(),
    await admin().list('setpoint.dev/v1alpha1', 'Inventory', { namespace }),
  ]);
  expect(said).toContain('hidden');
  expect(said).not.toContain(canary);
  expect(said).not.toContain(encoded.slice(0, 24));
}, 90_000);
