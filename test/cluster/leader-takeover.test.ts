// Two operators: one acts, the other waits and takes over when the first ends, dies, stands still or cannot reach the API server.
import { createHmac } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { ProxiedRequest } from '../../dev/api-proxy.ts';
import type { GitServer } from '../../dev/git-server.ts';
import type { ManifestRepo } from '../../dev/manifest-repo.ts';
import {
  applyApplication,
  configMap,
  createRepo,
  getApplication,
  push,
  startTestGitServer,
  tenantNamespace,
  untilSynced,
} from '../support/application.ts';
import { admin, eventually } from '../support/cluster.ts';
import { type Election, openElection, type Replica, roles, untilLeading, webhookSecret } from './leader-world.ts';

let git: GitServer;
let election: Election;
let namespace: string;

beforeAll(async () => {
  git = await startTestGitServer();
  namespace = await tenantNamespace('led');
  election = await openElection();
}, 60_000);

afterAll(async () => {
  await election?.close();
  await git?.close();
}, 60_000);

/** Applications of the tests before need no looks any more. */
afterEach(async () => {
  const kind = { apiVersion: 'setpoint.dev/v1alpha1', kind: 'Application' };
  for (const { metadata } of await admin().list(kind.apiVersion, kind.kind, { namespace })) {
    await admin().patch({ ...kind, namespace, name: metadata.name }, { spec: { suspend: true } });
  }
}, 90_000);

let before: readonly Replica[] = [];

/** A leader, the one that the test before left if one still leads, and a new standby. */
async function startTwo(): Promise<{ readonly first: Replica; readonly second: Replica }> {
  const first = before.findLast((replica) => roles(replica).at(-1) === 'leading') ?? (await election.start(namespace));
  await untilLeading(first);
  const second = await election.start(namespace);
  await eventually(() => expect(roles(second)).toEqual(['standby']), { timeout: 40_000 });
  before = [first, second];
  return { first, second };
}

/** An Application of ConfigMaps `<name>-0`, `<name>-1` and so on, synced. */
async function createApp(name: string, count: number): Promise<ManifestRepo> {
  const { repo, url } = await createRepo(git, maps(name, count, '1'));
  await applyApplication(namespace, name, { source: { repoURL: url, path: 'app' } });
  await untilSynced(namespace, name, await repo.head(), 90_000);
  return repo;
}

function maps(name: string, count: number, value: string): Record<string, string> {
  return Object.fromEntries(
    Array.from({ length: count }, (_, index) => [`app/${index}.yaml`, configMap(`${name}-${index}`, { value })] as const),
  );
}

/** Values and UIDs of an Application's ConfigMaps. */
async function liveMaps(name: string): Promise<Record<string, unknown>> {
  const live = (await admin().list('v1', 'ConfigMap', { namespace })).filter(({ metadata }) => metadata.name.startsWith(`${name}-`));
  return Object.fromEntries(live.map(({ metadata, data }) => [metadata.name, [data.value, metadata.uid]]));
}

async function callWebhook({ operator }: Replica, repoURL: string): Promise<[number, unknown]> {
  const body = JSON.stringify({ repoURL });
  const signature = `sha256=${createHmac('sha256', webhookSecret).update(body).digest('hex')}`;
  const answer = await fetch(`${operator.apiUrl}/webhook/generic`, {
    method: 'POST',
    body,
    headers: { 'x-setpoint-signature': signature },
  });
  return [answer.status, await answer.json()];
}

async function statusMetric({ operator }: Replica): Promise<string | undefined> {
  const text = await (await fetch(`${operator.metricsUrl}/metrics`)).text();
  return /^leader_election_master_status.*$/m.exec(text)?.[0];
}

test('a standby is ready, says so, watches nothing but the Lease, writes nothing, and passes webhook calls on', async () => {
  const { first, second } = await startTwo();
  await createApp('waited', 2);
  const url = (await getApplication(namespace, 'waited'))['spec'].source.repoURL;
  const lease = await election.lease();
  expect(lease.spec).toMatchObject({ leaseDurationSeconds: 9, leaseTransitions: 0 });
  expect(lease.spec.holderIdentity).toMatch(/^.+_[0-9a-f-]{36}$/);
  expect(second.operator.logs().find(({ role }) => role === 'standby')).toMatchObject({
    msg: `standby: ${lease.spec.holderIdentity} leads`,
    lease: `${election.leaseNamespace}/setpoint-operator`,
  });
  expect((await fetch(`${second.operator.apiUrl}/readyz`)).status).toBe(200);
  expect((await fetch(`${second.operator.apiUrl}/healthz`)).status).toBe(200);
  expect(await statusMetric(first)).toBe('leader_election_master_status{name="setpoint-operator"} 1');
  expect(await statusMetric(second)).toBe('leader_election_master_status{name="setpoint-operator"} 0');
  expect(await callWebhook(second, url)).toEqual([202, { sources: 1 }]);
  expect(second.writes()).toEqual([]);
  const leases = `/apis/coordination.k8s.io/v1/namespaces/${election.leaseNamespace}/leases`;
  expect([...new Set(second.proxy.requests.map(({ path }) => path))].sort()).toEqual([leases, `${leases}/setpoint-operator`]);
  expect(second.proxy.requests.length).toBeLessThan(10);
  expect(await second.operator.stop()).toBe(0);
  expect(second.writes()).toEqual([]);
}, 240_000);

test('L7 a leader that is told to stop lets the lease go last, and the standby takes over without waiting for it to run out', async () => {
  const { first, second } = await startTwo();
  const repo = await createApp('stopped', 3);
  expect(await first.operator.stop()).toBe(0);
  const last = first.proxy.requests.findLast(({ method }) => method !== 'GET');
  expect(JSON.parse(last?.body ?? '').spec).not.toHaveProperty('holderIdentity');
  expect(roles(first)).toEqual(['standby', 'leading', 'released']);
  await untilLeading(second);
  // It saw the Lease without a holder: it did not have to conclude that the holder is gone.
  expect(roles(second)).toEqual(['standby', 'standby', 'leading']);
  expect(
    second.operator
      .logs()
      .filter(({ role }) => role === 'standby')
      .at(-1)?.msg,
  ).toBe('standby: nobody leads');
  const commit = await push(repo, 'after the change', { 'app/0.yaml': configMap('stopped-0', { value: '2' }) });
  await untilSynced(namespace, 'stopped', commit, 90_000);
  expect((await election.lease()).spec.leaseTransitions).toBe(1);
}, 240_000);

test('a leader that is killed is followed once its lease has run out', async () => {
  const { first, second } = await startTwo();
  const repo = await createApp('killed', 3);
  await first.operator.kill();
  const commit = await push(repo, 'meanwhile', { 'app/0.yaml': undefined, 'app/7.yaml': configMap('killed-7', { value: '1' }) });
  await untilLeading(second);
  await untilSynced(namespace, 'killed', commit, 90_000);
  expect(Object.keys(await liveMaps('killed')).sort()).toEqual(['killed-1', 'killed-2', 'killed-7']);
}, 240_000);

test('L1 I8 a leader that stood still longer than its lease, in the middle of a sync, writes nothing when it goes on, and ends', async () => {
  const { first, second } = await startTwo();
  const repo = await createApp('frozen', 51);
  const before = await liveMaps('frozen');
  const release = Promise.withResolvers<void>();
  const isApply = ({ path, method, query }: ProxiedRequest): boolean =>
    method === 'PATCH' && !query.has('dryRun') && path.includes('/configmaps/frozen-');
  first.proxy.clear();
  first.proxy.onRequest = (request) => (isApply(request) ? { until: release.promise } : undefined);
  await push(repo, 'begun', maps('frozen', 50, '2'));
  await eventually(() => expect(first.proxy.requests.filter(isApply).length).toBeGreaterThan(0), { timeout: 60_000 });
  process.kill(first.operator.pid, 'SIGSTOP');
  const commit = await push(repo, 'meanwhile', { 'app/50.yaml': undefined, 'app/51.yaml': configMap('frozen-51', { value: '2' }) });
  await untilLeading(second);
  await untilSynced(namespace, 'frozen', commit, 90_000);
  const settled = await liveMaps('frozen');
  // What was on the wire is answered; each answer makes room for one of the applies that wait for a connection.
  release.resolve();
  await eventually(() => expect(first.proxy.requests.filter((request) => isApply(request) && request.status === undefined)).toEqual([]), {
    timeout: 60_000,
  });
  first.proxy.clear();
  process.kill(first.operator.pid, 'SIGCONT');
  expect(await first.operator.ended).toBe(2);
  expect(first.writes()).toEqual([]);
  expect(first.operator.logs().filter(({ level, msg }) => level === 'error' && /^lease lost: /.test(msg))).toHaveLength(1);
  expect(first.operator.stderr()).toContain('lost the Lease');
  const wanted = Object.entries(before)
    .filter(([name]) => name !== 'frozen-50')
    .map(([name, state]) => [name, ['2', (state as unknown[])[1]]] as const);
  expect(settled).toEqual({ ...Object.fromEntries(wanted), 'frozen-51': settled['frozen-51'] });
  expect(await liveMaps('frozen')).toEqual(settled);
  expect((await getApplication(namespace, 'frozen')).status?.sync?.revision).toBe(commit);
}, 240_000);

test('L3 L2 a leader that alone cannot reach the API server stops before another may begin, what is in flight too', async () => {
  const { first, second } = await startTwo();
  const repo = await createApp('cut-off', 2);
  const never = new Promise<void>(() => undefined);
  first.proxy.clear();
  first.proxy.onRequest = ({ path, method }) =>
    path.includes('/configmaps/') && method !== 'GET' ? { until: never } : path.includes('/leases') ? { reset: 'before' } : undefined;
  const commit = await push(repo, 'meanwhile', { 'app/0.yaml': configMap('cut-off-0', { value: '2' }) });
  await eventually(() => expect(first.writes().some((write) => write.includes('/configmaps/'))).toBe(true), { timeout: 60_000 });
  expect(await first.operator.ended).toBe(2);
  await untilLeading(second);
  await untilSynced(namespace, 'cut-off', commit, 90_000);
  const writesOf = ({ proxy }: Replica): number[] =>
    proxy.requests.filter(({ method }) => method !== 'GET').map(({ startedAt }) => startedAt);
  expect(Math.max(...writesOf(first))).toBeLessThanOrEqual(Math.min(...writesOf(second)));
  expect(roles(first).at(-1)).toBe('lost');
}, 240_000);
