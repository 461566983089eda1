// The recording proxy is transparent until it is told to spoil something.
import { type ClientHttp2Session, connect } from 'node:http2';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { type ApiProxy, startApiProxy } from '../../dev/api-proxy.ts';
import { type ApiClient, connectWithKubeconfig } from '../../dev/control-plane/api-client.ts';
import { selfSignedCertificate } from '../support/certificates.ts';
import { admin, cluster, eventually, kubeconfigPath, kubectl, scratchDirectory, testNamespace } from '../support/cluster.ts';

const toClose: { close(): unknown }[] = [];

afterEach(async () => {
  for (const closable of toClose.splice(0).reverse()) await closable.close();
});

async function start(tls = true): Promise<{ proxy: ApiProxy; client: ApiClient; path: string }> {
  const proxy = await startApiProxy({ kubeconfigPath: kubeconfigPath(), ...(tls ? { tls: selfSignedCertificate() } : {}) });
  const path = join(scratchDirectory(), `proxied-${new URL(proxy.url).port}`);
  proxy.writeKubeconfig(kubeconfigPath(), path);
  const client = connectWithKubeconfig(path);
  toClose.push(proxy, client);
  return { proxy, client, path };
}

function configMap(namespace: string, name: string) {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data: { a: 'b' } };
}

const create = (client: ApiClient, namespace: string, name: string) =>
  client.json(`/api/v1/namespaces/${namespace}/configmaps`, { method: 'POST', body: configMap(namespace, name) });

describe('the API proxy', () => {
  test('records what kubectl does through it', async () => {
    const namespace = await testNamespace();
    const { proxy, path } = await start();
    await kubectl(['apply', '--server-side', '-f', '-'], { kubeconfig: path, input: JSON.stringify(configMap(namespace, 'one')) });
    const [write, ...others] = proxy.writes();
    expect(others).toEqual([]);
    expect(write).toMatchObject({
      method: 'PATCH',
      path: `/api/v1/namespaces/${namespace}/configmaps/one`,
      status: 201,
      httpVersion: '2.0',
    });
    expect(write?.body).toContain('"one"');
    expect(write?.userAgent).toMatch(/^kubectl\/v1\.36\.3/);
  });

  test('works without TLS for clients that send their token anyway', async () => {
    const namespace = await testNamespace();
    const { proxy, client } = await start(false);
    await create(client, namespace, 'one');
    expect(proxy.requests).toMatchObject([{ method: 'POST', status: 201, httpVersion: '1.1' }]);
  });

  test('says who is impersonated, and does not count dry runs as writes', async () => {
    const namespace = await testNamespace();
    const { proxy, client } = await start();
    const headers = { 'impersonate-user': 'ada', 'impersonate-group': 'system:masters' };
    await client.json(`/api/v1/namespaces/${namespace}/configmaps?dryRun=All`, {
      method: 'POST',
      body: configMap(namespace, 'one'),
      headers,
    });
    expect(proxy.requests).toMatchObject([{ impersonateUser: 'ada', impersonateGroups: ['system:masters'], status: 201 }]);
    expect(proxy.writes()).toEqual([]);
  });

  test('passes on the events of an HTTP/2 watch as they come, and can break it', async () => {
    const namespace = await testNamespace();
    const { proxy } = await start();
    const session: ClientHttp2Session = connect(proxy.url, { rejectUnauthorized: false });
    toClose.push(session);
    session.on('error', () => {});
    const stream = session.request({
      ':path': `/api/v1/namespaces/${namespace}/configmaps?watch=true`,
      authorization: `Bearer ${cluster().token}`,
    });
    let text = '';
    let ended = false;
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    stream.on('error', () => {});
    stream.on('close', () => {
      ended = true;
    });
    await admin().create(configMap(namespace, 'seen'));
    await eventually(() => expect(text).toContain('"name":"seen"'));
    expect(proxy.requests).toMatchObject([{ watch: true, status: 200, httpVersion: '2.0', duration: undefined }]);
    proxy.dropConnections();
    await eventually(() => expect(ended).toBe(true));
  });

  test('answers in the place of the server, which then never sees the request', async () => {
    const namespace = await testNamespace();
    const { proxy, client } = await start();
    proxy.onRequest = ({ method }) => (method === 'POST' ? { respond: { status: 429, headers: { 'retry-after': '1' } } } : undefined);
    await expect(create(client, namespace, 'one')).rejects.toMatchObject({ status: 429 });
    expect(await admin().tryGet({ ...configMap(namespace, 'one'), name: 'one', namespace })).toBeUndefined();
    proxy.onRequest = undefined;
    await create(client, namespace, 'one');
    expect(proxy.requests.map(({ status }) => status)).toEqual([429, 201]);
  });

  test.each([
    ['before', false],
    ['after', true],
  ] as const)('breaks the connection %s the server did the work: done is %s', async (reset, done) => {
    const namespace = await testNamespace();
    const { proxy, client } = await start();
    proxy.onRequest = () => ({ reset });
    await expect(create(client, namespace, 'one')).rejects.toThrow();
    expect((await admin().tryGet({ ...configMap(namespace, 'one'), name: 'one', namespace })) !== undefined).toBe(done);
  });

  test('cuts a response in the middle, and delays one', async () => {
    const namespace = await testNamespace();
    const { proxy, client } = await start();
    const path = `/api/v1/namespaces/${namespace}/configmaps`;
    proxy.onRequest = () => ({ cutAfter: 10 });
    await expect(client.json(path)).rejects.toThrow();
    proxy.onRequest = () => ({ delay: 200 });
    await client.json(path);
    expect(proxy.requests[1]?.duration).toBeGreaterThanOrEqual(199);
  });
});
