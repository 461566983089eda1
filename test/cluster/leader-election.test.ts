// The election in this process, against the real API server: what it writes into the Lease, what it makes of a Lease that others wrote into, and that no write leaves without it.
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type ApiProxy, startApiProxy } from '../../dev/api-proxy.ts';
import { connectionFromKubeconfig } from '../../operator/cluster/connection.ts';
import { createLeaderElection, type LeaderElection } from '../../operator/cluster/leader-election.ts';
import { createLeaseClock } from '../../operator/cluster/lease-clock.ts';
import { createRestClient, type OperatorClient } from '../../operator/cluster/rest-client.ts';
import type { OperatorEvent } from '../../operator/model/event.ts';
import { admin, eventually, kubeconfigPath, kubectl, scratchDirectory, testNamespace, uniqueName } from '../support/cluster.ts';

/** The usual ones, but for more renewals. */
const usual = { lease: 15_000, renewDeadline: 10_000, retry: 300 };
/** For what happens when they are over. */
const short = { lease: 9_000, renewDeadline: 6_000, retry: 300 };
const name = 'one';
let namespace: string;
let proxy: ApiProxy;
let running: { readonly election: LeaderElection; readonly client: OperatorClient }[];

beforeEach(async () => {
  namespace = await testNamespace('election');
  proxy = await startApiProxy({ kubeconfigPath: kubeconfigPath() });
  running = [];
}, 90_000);

afterEach(async () => {
  proxy.onRequest = undefined;
  for (const { election, client } of running) {
    await election.close();
    await client.close();
  }
  await proxy.close();
}, 90_000);

interface Candidate {
  readonly election: LeaderElection;
  /** A client that may write while this candidate leads. */
  readonly client: OperatorClient;
  readonly events: OperatorEvent[];
}

async function candidate(identity: string, times = usual): Promise<Candidate> {
  const path = `${scratchDirectory()}/${uniqueName('election')}.kubeconfig`;
  proxy.writeKubeconfig(kubeconfigPath(), path);
  const connection = await connectionFromKubeconfig(path);
  const events: OperatorEvent[] = [];
  const election = createLeaderElection({
    ...{ connection, times, identity, lease: { namespace, name }, clock: createLeaseClock() },
    now: () => new Date(),
    emit: (event) => void events.push(event),
  });
  const client = createRestClient({ connection, guard: () => election.assertLeading() });
  running.push({ election, client });
  return { election, client, events };
}

/** A candidate that leads. */
async function leader(times = usual): Promise<Candidate> {
  await admin().create({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name, namespace } });
  const found = await candidate('a', times);
  found.election.start(undefined);
  await found.election.elected;
  return found;
}

const ref = () => ({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace, name });
const spec = async () => (await admin().get(ref()))['spec'];

function write(client: OperatorClient, object: string) {
  return client.request({
    method: 'POST',
    path: `/api/v1/namespaces/${namespace}/configmaps`,
    body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: object } },
    doing: `make ${object}`,
  });
}

/** What reached the API server of {@link write}. */
function written(): number {
  return proxy.requests.filter(({ method, path }) => method === 'POST' && path.endsWith('/configmaps')).length;
}

/** Keeps the event loop from turning. */
function block(milliseconds: number): void {
  for (const end = performance.now() + milliseconds; performance.now() < end; );
}

describe('the Lease', () => {
  test('reads like that of any controller, and renewals change its time alone', async () => {
    await leader();
    const first = await spec();
    expect(first).toMatchObject({ holderIdentity: 'a', leaseDurationSeconds: 15, leaseTransitions: 0 });
    // A renewal may have come between.
    expect(first.acquireTime <= first.renewTime).toBe(true);
    await eventually(async () => expect((await spec()).renewTime).not.toBe(first.renewTime), { timeout: 40_000 });
    const renewed = await spec();
    expect(renewed).toEqual({ ...first, renewTime: renewed.renewTime });
    expect(await kubectl(['get', 'lease', name, '-n', namespace])).toMatch(/NAME +HOLDER +AGE\none +a +\d+s/);
  }, 90_000);

  test('keeps what others add to it', async () => {
    const { election } = await leader();
    await admin().patch(ref(), { metadata: { labels: { team: 'x' } } });
    const { renewTime } = await spec();
    await eventually(async () => expect((await spec()).renewTime).not.toBe(renewTime), { timeout: 40_000 });
    expect((await admin().get(ref())).metadata.labels).toEqual({ team: 'x' });
    expect(() => election.assertLeading()).not.toThrow();
  }, 90_000);

  test('is let go by who ends, so that another holds it at once', async () => {
    const first = await leader();
    const second = await candidate('b');
    second.election.start(undefined);
    await eventually(() => expect(second.events).toContainEqual(expect.objectContaining({ role: 'standby', holder: 'a' })), {
      timeout: 40_000,
    });
    await first.election.close();
    expect(() => first.election.assertLeading()).toThrow('does not hold the Lease');
    await second.election.elected;
    expect(await spec()).toMatchObject({ holderIdentity: 'b', leaseTransitions: 1 });
  }, 90_000);

  test('that is missing is made, and held only once nobody can still hold the former one', async () => {
    const { election, events } = await candidate('a', short);
    const startedAt = performance.now();
    election.start(undefined);
    await eventually(async () => expect((await spec()).holderIdentity).toBe('a'), { timeout: 40_000 });
    expect(() => election.assertLeading()).toThrow('does not hold the Lease');
    await election.elected;
    expect(performance.now() - startedAt).toBeGreaterThan(short.lease);
    expect(events.filter(({ type }) => type === 'failure')).toEqual([]);
  }, 90_000);
});

describe('L5 a Lease that somebody wrote into', () => {
  test('naming another, for longer than it may and in years to come, ends the leader, and is taken from the other all the same', async () => {
    const { election } = await leader();
    const years = { holderIdentity: 'mallory', leaseDurationSeconds: 2, renewTime: '2099-01-01T00:00:00.000000Z' };
    await admin().patch(ref(), { spec: { ...years, leaseTransitions: 2_147_483_647 } });
    await eventually(() => expect(election.lost.aborted).toBe(true), { timeout: 40_000 });
    expect(election.lost.reason).toMatchObject({ code: 'LeaseLost', message: expect.stringContaining('mallory') });
    expect(() => election.assertLeading()).toThrow('mallory');
    const next = await candidate('b', short);
    next.election.start(undefined);
    await next.election.elected;
    expect(await spec()).toMatchObject({ holderIdentity: 'b' });
  }, 90_000);

  test('with nonsense beside the right holder is put right', async () => {
    const { election } = await leader();
    await admin().patch(ref(), {
      spec: { leaseDurationSeconds: 2_000_000_000, renewTime: null, acquireTime: null, leaseTransitions: null },
    });
    await eventually(async () => expect(await spec()).toMatchObject({ holderIdentity: 'a', leaseDurationSeconds: 15 }), {
      timeout: 20_000,
    });
    expect(() => election.assertLeading()).not.toThrow();
  }, 90_000);

  test('whose holder was taken out is held by one', async () => {
    const { election } = await leader();
    await admin().patch(ref(), { spec: { holderIdentity: null } });
    await eventually(async () => expect((await spec()).holderIdentity).toBe('a'), { timeout: 40_000 });
    expect(() => election.assertLeading()).not.toThrow();
  }, 90_000);

  test('that is deleted is made again by the leader, which goes on', async () => {
    const { election } = await leader();
    await admin().delete(ref());
    await eventually(async () => expect((await spec()).holderIdentity).toBe('a'), { timeout: 40_000 });
    await pause(usual.retry);
    expect(() => election.assertLeading()).not.toThrow();
  }, 90_000);
});

describe('no write', () => {
  test('leaves a standby', async () => {
    await admin().create({ ...ref(), metadata: { name, namespace }, spec: { holderIdentity: 'other', leaseDurationSeconds: 60 } });
    const { election, client, events } = await candidate('a');
    election.start(undefined);
    await eventually(() => expect(events).toContainEqual(expect.objectContaining({ role: 'standby', holder: 'other' })), {
      timeout: 40_000,
    });
    await expect(write(client, 'early')).rejects.toMatchObject({ code: 'LeaseLost' });
    await client.request({ method: 'GET', path: '/version', doing: 'read' });
    expect(written()).toBe(0);
  }, 90_000);

  test('L8 leaves a process that was blocked longer than its lease, though nobody has told it yet', async () => {
    const { election, client } = await leader(short);
    await write(client, 'before');
    block(short.renewDeadline + 500);
    expect(() => election.assertLeading()).toThrow('was not renewed for 6 s');
    expect(election.lost.aborted).toBe(true);
    await expect(write(client, 'after')).rejects.toMatchObject({ code: 'LeaseLost' });
    expect(written()).toBe(1);
  }, 90_000);

  test('L1 waits for a connection and then leaves after the lease was lost', async () => {
    const { client } = await leader(short);
    const release = Promise.withResolvers<void>();
    proxy.onRequest = ({ path }) => (path.endsWith('/configmaps') ? { until: release.promise } : undefined);
    const writes = Array.from({ length: 40 }, (_, index) =>
      write(client, `queued-${index}`).then(
        () => 'made',
        ({ code }) => code,
      ),
    );
    await eventually(() => expect(written()).toBe(24), { timeout: 40_000 });
    block(short.renewDeadline + 500);
    release.resolve();
    const results = await Promise.all(writes);
    // Those that were on the wire went through; the others were kept back when their turn came.
    expect(results.filter((result) => result === 'made')).toHaveLength(24);
    expect(results.filter((result) => result === 'LeaseLost')).toHaveLength(16);
    expect(written()).toBe(24);
  }, 90_000);

  test('is repeated after the lease was lost', async () => {
    const { client } = await leader(short);
    proxy.onRequest = ({ path }) => {
      if (!path.endsWith('/configmaps')) return undefined;
      block(short.renewDeadline + 500);
      return { respond: { status: 503 } };
    };
    await expect(write(client, 'repeated')).rejects.toMatchObject({ code: 'LeaseLost' });
    expect(written()).toBe(1);
  }, 90_000);
});

describe('the clock of leases', () => {
  test('counts the time a machine was suspended, and never goes back', () => {
    let monotonic = 1_000;
    let sinceBoot = 50_000;
    const clock = createLeaseClock(
      () => monotonic,
      () => sinceBoot,
    );
    const start = clock();
    monotonic += 10;
    expect(clock() - start).toBe(10);
    sinceBoot += 30_000;
    expect(clock() - start).toBe(29_990 + 10);
    sinceBoot -= 60_000;
    monotonic += 5;
    expect(clock() - start).toBe(30_005);
  });
});
