// Requests on a real API server through a proxy that spoils them: what is repeated, what is waited for, what is told.
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { ApiProxy } from '../../dev/api-proxy.ts';
import type { OperatorError } from '../../operator/model/error.ts';
import type { TenantIdentity } from '../../operator/model/identity.ts';
import { admin, testNamespace } from '../support/cluster.ts';
import { type Connected, configMap, connectThroughProxy, never, tenantWith } from './connected.ts';

let namespace: string;
let identity: TenantIdentity;
let connected: Connected & { readonly proxy: ApiProxy };
let proxy: ApiProxy;
const force = { dryRun: false, force: true };

beforeAll(async () => {
  namespace = await testNamespace('rest');
  identity = await tenantWith(namespace);
}, 60_000);

beforeEach(async () => {
  connected = await connectThroughProxy();
  ({ proxy } = connected);
  await connected.discovery.served();
  proxy.clear();
});

/** Spoils the first `count` requests on ConfigMaps. */
function spoil(count: number, fault: ReturnType<NonNullable<ApiProxy['onRequest']>>): void {
  let left = count;
  proxy.onRequest = ({ path }) => {
    if (!path.includes('/configmaps') || left === 0) return undefined;
    left -= 1;
    return fault;
  };
}

const apply = (name: string) => connected.writer.apply(identity, configMap(namespace, name), force, never);

describe('repeats', () => {
  test('A4 429 is waited for as long as the server asks', async () => {
    spoil(1, { respond: { status: 429, headers: { 'retry-after': '1' } } });
    const start = performance.now();
    await apply('busy');
    expect(performance.now() - start).toBeGreaterThan(950);
    expect(proxy.requests).toHaveLength(2);
  });

  test('A4 all requests of the client wait, not only the one that was told to', async () => {
    spoil(1, { respond: { status: 429, headers: { 'retry-after': '1' } } });
    const first = apply('told');
    while (proxy.requests[0]?.status === undefined) await new Promise(setImmediate);
    const start = performance.now();
    await Promise.all([first, apply('not-told')]);
    expect(performance.now() - start).toBeGreaterThan(700);
  });

  test('A5 503 and a connection that breaks before the answer are tried again', async () => {
    spoil(1, { respond: { status: 503 } });
    await apply('unavailable');
    spoil(1, { reset: 'before' });
    await apply('reset');
    expect(proxy.requests.filter(({ path }) => path.endsWith('/reset'))).toHaveLength(2);
  });

  test('A6 an apply whose answer was lost is repeated and changes nothing more', async () => {
    spoil(1, { reset: 'after' });
    const live = await apply('unanswered');
    expect(proxy.requests).toHaveLength(2);
    const stored = await admin().get({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'unanswered' });
    expect(live['metadata']).toMatchObject({ resourceVersion: stored.metadata.resourceVersion as string });
  });

  test('a cut answer is never taken for a whole one', async () => {
    spoil(1, { cutAfter: 40 });
    expect(await apply('cut')).toMatchObject({ kind: 'ConfigMap' });
  });
});

describe('gives up', () => {
  test('a server that stays away is unreachable, transient, and named', async () => {
    await proxy.close();
    const error = (await apply('away').catch((thrown: unknown) => thrown)) as OperatorError;
    expect(error).toMatchObject({ code: 'ApiUnreachable', fate: 'transient' });
    expect(error.message).toMatch(/^apply ConfigMap \S+\/away: no answer from the API server at 127\.0\.0\.1:\d+: /);
  });

  test('a Retry-After that is long is not slept through but told', async () => {
    spoil(1, { respond: { status: 429, headers: { 'retry-after': '120' } } });
    await expect(apply('later')).rejects.toMatchObject({ code: 'RateLimited', fate: 'transient', retryAfterSeconds: 120 });
    expect(proxy.requests).toHaveLength(1);
  });

  test('a refusal is not repeated', async () => {
    spoil(1, { respond: { status: 422, body: { kind: 'Status', apiVersion: 'v1', code: 422, reason: 'Invalid', message: 'no' } } });
    await expect(apply('refused')).rejects.toMatchObject({ code: 'ApplyRefused' });
    expect(proxy.requests).toHaveLength(1);
  });

  test('A18 a server that hangs is given up after the limit of one try', async () => {
    spoil(5, { until: new Promise(() => undefined) });
    const request = { method: 'GET', path: `/api/v1/namespaces/${namespace}/configmaps`, doing: 'list', timeoutMilliseconds: 300 } as const;
    await expect(connected.client.request(request)).rejects.toMatchObject({
      code: 'ApiUnreachable',
      message: expect.stringContaining('no answer within 0 s'),
    });
    expect(proxy.requests).toHaveLength(1);
  });

  test('an abort ends a request that hangs, and its reason is what is thrown', async () => {
    spoil(1, { until: new Promise(() => undefined) });
    const stop = new AbortController();
    const reason = new Error('shutting down');
    const running = connected.writer.apply(identity, configMap(namespace, 'hangs'), force, stop.signal);
    while (proxy.requests.length === 0) await new Promise(setImmediate);
    stop.abort(reason);
    await expect(running).rejects.toBe(reason);
  });
});

test('every request is told as an event with method, code and host, and nothing else', async () => {
  await apply('event');
  await connected.writer.read(identity, { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'nobody' }, never);
  const host = new URL(proxy.url).host;
  expect(connected.events.slice(-2)).toEqual([
    { type: 'request', method: 'PATCH', code: 201, host },
    { type: 'request', method: 'GET', code: 404, host },
  ]);
});
