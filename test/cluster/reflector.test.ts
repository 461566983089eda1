// A reflector on a real API server, through a proxy that cuts, garbles and refuses: nothing is lost and nothing is told that is not so.
import { afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Fault, ProxiedRequest } from '../../dev/api-proxy.ts';
import { type Reflector, type ReflectorLimits, startReflector } from '../../operator/cluster/reflector.ts';
import { admin, eventually, testNamespace } from '../support/cluster.ts';
import { configMap, connectThroughProxy } from './connected.ts';

type Proxied = Awaited<ReturnType<typeof connectThroughProxy>>;
let namespace: string;
let connected: Proxied;
let stop: AbortController;
let told: string[];

beforeAll(async () => {
  connected = await connectThroughProxy();
}, 60_000);

beforeEach(async () => {
  namespace = await testNamespace('reflector');
  stop = new AbortController();
  told = [];
  connected.proxy.onRequest = undefined;
  connected.proxy.clear();
});

afterEach(() => stop.abort());

/** Follows the ConfigMaps of the namespace that the test made; the value of one is its key `n`. */
function follow(limits: Partial<ReflectorLimits> = {}): Reflector<string> {
  return startReflector(
    connected.client,
    {
      path: `/api/v1/namespaces/${namespace}/configmaps`,
      labelSelector: 'test',
      metadataOnly: false,
      doing: 'watch ConfigMaps',
      reduce: (object) => {
        const n = (object['data'] as { n?: string } | undefined)?.n ?? '';
        if (n === 'poison') throw new Error('poison');
        return n;
      },
    },
    {
      onChange: (key, value, previous) => void told.push(`${key.split('/')[1]}: ${previous ?? '-'} → ${value ?? '-'}`),
      onFailure: (error) => void told.push(`failure ${error.code}`),
    },
    stop.signal,
    limits,
  );
}

const put = (name: string, n: string) =>
  admin().apply({ ...configMap(namespace, name, { n }), metadata: { name, namespace, labels: { test: 'x' } } });
const remove = (name: string) => admin().delete({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name });
const values = (reflector: Reflector<string>) => [...reflector.values()].sort();
const onWatch = (fault: (nth: number) => Fault | undefined) => {
  let nth = 0;
  connected.proxy.onRequest = (request: ProxiedRequest) => (request.watch && request.path.includes(namespace) ? fault(++nth) : undefined);
};
const watches = () => connected.proxy.requests.filter(({ watch, path }) => watch && path.includes(namespace));
const lists = () => connected.proxy.requests.filter(({ watch, path, method }) => !watch && method === 'GET' && path.includes(namespace));

test('objects that are there, come, change and go are told once each', async () => {
  await put('a', '1');
  const reflector = follow();
  await reflector.listed;
  await put('b', '1');
  await put('b', '2');
  await remove('a');
  await eventually(() => expect(told).toEqual(['a: - → 1', 'b: - → 1', 'b: 1 → 2', 'a: 1 → -']));
  expect(values(reflector)).toEqual(['2']);
});

test('a list longer than a page is read page by page at one version', async () => {
  for (const name of ['a', 'b', 'c', 'd', 'e']) await put(name, name);
  const reflector = follow({ pageSize: 2 });
  await reflector.listed;
  expect(values(reflector)).toEqual(['a', 'b', 'c', 'd', 'e']);
  expect(lists().map(({ query }) => query.has('continue'))).toEqual([false, true, true]);
});

test('a dropped connection loses nothing and lists nothing again', async () => {
  await put('a', '1');
  const reflector = follow();
  await reflector.listed;
  await eventually(() => expect(watches()).toHaveLength(1));
  onWatch(() => ({ delay: 300 }));
  connected.proxy.dropConnections();
  await put('a', '2');
  await put('b', '1');
  await eventually(() => expect(values(reflector)).toEqual(['1', '2']));
  expect(lists()).toHaveLength(1);
});

test('A18 a watch cut in the middle of an event goes on with that event', async () => {
  onWatch((nth) => (nth === 1 ? { cutAfter: 200 } : undefined));
  const reflector = follow();
  await reflector.listed;
  await put('a', '1');
  await eventually(() => expect(values(reflector)).toEqual(['1']));
  expect(lists()).toHaveLength(1);
});

test('A18 410 as a status of the watch leads to a new list, and what is gone by then is told', async () => {
  await put('a', '1');
  onWatch((nth) =>
    nth === 1
      ? {
          respond: {
            status: 410,
            body: { kind: 'Status', apiVersion: 'v1', code: 410, reason: 'Expired', message: 'too old resource version' },
          },
        }
      : undefined,
  );
  const reflector = follow();
  await reflector.listed;
  await eventually(() => expect(lists()).toHaveLength(2));
  await remove('a');
  await eventually(() => expect(told).toEqual(['a: - → 1', 'a: 1 → -']));
});

test('A18 410 as an ERROR event leads to a new list', async () => {
  const expired = {
    type: 'ERROR',
    object: { kind: 'Status', apiVersion: 'v1', status: 'Failure', code: 410, reason: 'Expired', message: 'too old resource version' },
  };
  onWatch((nth) => (nth === 1 ? { respond: { status: 200, body: `${JSON.stringify(expired)}\n` } } : undefined));
  const reflector = follow();
  await reflector.listed;
  await put('a', '1');
  await eventually(() => expect(values(reflector)).toEqual(['1']));
  expect(lists()).toHaveLength(2);
});

test('A18 a malformed line is a failure of the stream: what follows is not read, so that nothing is skipped', async () => {
  await put('a', '1');
  const changed = Promise.withResolvers<void>();
  const later = { type: 'BOOKMARK', object: { kind: 'ConfigMap', apiVersion: 'v1', metadata: { resourceVersion: '9'.repeat(12) } } };
  const body = `{"type":"MODIFIED","object":{"meta\n${JSON.stringify(later)}\n`;
  onWatch((nth) => (nth === 1 ? { until: changed.promise, respond: { status: 200, body } } : undefined));
  const reflector = follow();
  await reflector.listed;
  await put('a', '2');
  changed.resolve();
  await eventually(() => expect(values(reflector)).toEqual(['2']));
  expect(told).toContain('failure ApiUnreachable');
});

test('A18 a connection that went silent is replaced', async () => {
  onWatch((nth) => (nth === 1 ? { until: new Promise(() => undefined) } : undefined));
  const reflector = follow({ silentMilliseconds: 300 });
  await reflector.listed;
  await put('a', '1');
  await eventually(() => expect(values(reflector)).toEqual(['1']));
});

test('A17 a page that fails keeps the half list from being told', async () => {
  for (const name of ['a', 'b', 'c']) await put(name, name);
  const reflector = follow({ pageSize: 2 });
  await reflector.listed;
  await eventually(() => expect(watches()).toHaveLength(1));
  let failed = 0;
  connected.proxy.onRequest = (request) => {
    if (!request.path.includes(namespace)) return undefined;
    if (request.watch)
      return failed === 0 ? { respond: { status: 410, body: { kind: 'Status', apiVersion: 'v1', code: 410, message: 'old' } } } : undefined;
    if (!request.query.has('continue') || failed > 0) return undefined;
    failed += 1;
    return {
      respond: {
        status: 410,
        body: { kind: 'Status', apiVersion: 'v1', code: 410, reason: 'Expired', message: 'continue token is too old' },
      },
    };
  };
  connected.proxy.dropConnections();
  await eventually(() => expect(failed).toBe(1));
  await put('d', 'd');
  await eventually(() => expect(values(reflector)).toEqual(['a', 'b', 'c', 'd']));
  expect(told.filter((line) => line.endsWith('→ -'))).toEqual([]);
});

test('T12 an object that cannot be read harms no other and does not count as gone', async () => {
  await put('a', '1');
  const reflector = follow();
  await reflector.listed;
  await put('a', 'poison');
  await put('b', '1');
  await eventually(() => expect(values(reflector)).toEqual(['1', '1']));
  expect(told).toEqual(['a: - → 1', 'failure Internal', 'b: - → 1']);
});

test('a first list that is refused rejects, and succeeds later by itself', async () => {
  await put('a', '1');
  let refuse = true;
  connected.proxy.onRequest = ({ path }) =>
    refuse && path.includes(namespace) ? { respond: { status: 403, body: { kind: 'Status', code: 403, message: 'no' } } } : undefined;
  const reflector = follow();
  await expect(reflector.listed).rejects.toMatchObject({ code: 'Forbidden' });
  expect(reflector.failure()).toMatchObject({ code: 'Forbidden' });
  refuse = false;
  await eventually(() => expect(values(reflector)).toEqual(['1']));
  await eventually(() => expect(reflector.failure()).toBeUndefined());
});
