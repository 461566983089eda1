// The HTTP server on a real socket: routes, limits, and what nobody asked for.
import { connect } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { livenessRoute, readinessRoute } from '../../operator/api/routes.ts';
import { type Route, type RunningServer, startServer } from '../../operator/api/server.ts';

let server: RunningServer | undefined;
const errors: unknown[] = [];

afterEach(async () => {
  await server?.close();
  server = undefined;
  errors.length = 0;
});

async function start(...routes: Route[]): Promise<string> {
  server = await startServer({ address: { host: '127.0.0.1', port: 0 }, routes, onError: (error) => errors.push(error) });
  return server.url;
}

const echo: Route = {
  method: 'POST',
  path: '/echo',
  bodyLimit: 10,
  handle: (request) => Promise.resolve({ status: 200, body: Buffer.from(request.body).toString() }),
};

describe('the HTTP server', () => {
  test('answers what is alive and what is ready', async () => {
    let missing = ['Applications'];
    const url = await start(
      livenessRoute(),
      readinessRoute(() => missing),
    );
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    const waiting = await fetch(`${url}/readyz`);
    expect([waiting.status, await waiting.text()]).toEqual([503, 'waiting for Applications\n']);
    missing = [];
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
  });

  test.each([
    ['an unknown path', 'GET', '/nothing', 404],
    ['a path that climbs', 'GET', '/../../etc/passwd', 404],
    ['a doubled slash', 'GET', '//healthz', 404],
    ['another method', 'DELETE', '/healthz', 405],
    ['a head of a known path', 'HEAD', '/healthz', 200],
  ])('%s', async (_, method, path, status) => {
    const url = await start(livenessRoute());
    const answer = await raw(url, `${method} ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    expect(answer).toContain(`HTTP/1.1 ${status}`);
  });

  test('W4 a body over the limit is refused by its length and by its bytes', async () => {
    const url = await start(echo);
    expect(await (await fetch(`${url}/echo`, { method: 'POST', body: '0123456789' })).text()).toBe('0123456789');
    expect((await fetch(`${url}/echo`, { method: 'POST', body: '01234567890' })).status).toBe(413);
    const chunked = 'POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n14\r\n01234567890123456789\r\n';
    expect(await raw(url, chunked)).toContain('HTTP/1.1 413');
  });

  test('a route that throws is answered, reported and told to nobody outside', async () => {
    const url = await start({ method: 'GET', path: '/broken', handle: () => Promise.reject(new Error('the password is 1234')) });
    const answer = await fetch(`${url}/broken`);
    expect([answer.status, await answer.text()]).toEqual([500, '{"error":"the request could not be answered"}\n']);
    expect(errors).toEqual([new Error('the password is 1234')]);
  });

  test('L7 closing does not wait for a client that keeps its connection', async () => {
    const url = await start(livenessRoute());
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    socket.on('error', () => undefined);
    await server?.close();
    socket.destroy();
  });
});

/** Sends bytes and collects the answer until the server ends it. */
function raw(url: string, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.write(text));
    let answer = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => (answer += chunk));
    socket.on('end', () => resolve(answer));
    socket.on('error', reject);
  });
}
