// Webhook calls that reach a standby, over real HTTP: passed on once, as they came, and only when they are signed.
import { createHmac } from 'node:crypto';
import { afterEach, describe, expect, test } from '@jest/globals';
import { forwardWebhook } from '../../operator/api/forward-webhook.ts';
import { type Route, type RunningServer, startServer } from '../../operator/api/server.ts';
import { handleGenericWebhook, webhookBodyLimit } from '../../operator/api/webhook.ts';

const secret = 'a key of the test';
const body = '{"repoURL": "https://git.example.com/team/app.git"}';
const servers: RunningServer[] = [];
let looked: string[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
  looked = [];
});

async function serve(handle: Route['handle']): Promise<string> {
  const route: Route = { method: 'POST', path: '/webhook/generic', bodyLimit: webhookBodyLimit, handle };
  const server = await startServer({
    address: { host: '127.0.0.1', port: 0 },
    routes: [route],
    onError: (error) => expect(error).toBeUndefined(),
  });
  servers.push(server);
  return server.url;
}

const leader = () => serve(async (request) => handleGenericWebhook({ ...request, secret, look: ({ url }) => looked.push(url) }));
const standby = (leaderUrl: () => string | undefined) => serve((request) => forwardWebhook({ ...request, secret, leader: leaderUrl() }));

async function call(url: string, key = secret, header = 'x-setpoint-signature'): Promise<[number, unknown]> {
  const signature = `sha256=${createHmac('sha256', key).update(body).digest('hex')}`;
  const answer = await fetch(`${url}/webhook/generic`, { method: 'POST', body, headers: { [header]: signature } });
  return [answer.status, await answer.json()];
}

describe('a call that reaches a standby', () => {
  test.each(['x-setpoint-signature', 'x-hub-signature-256'])(
    'is passed on with its %s, and gets the answer of the leader',
    async (header) => {
      const url = await leader();
      expect(await call(await standby(() => url), secret, header)).toEqual([202, { sources: 1 }]);
      expect(looked).toEqual(['https://git.example.com/team/app.git']);
    },
  );

  test('W1 with a wrong signature is refused by the standby itself', async () => {
    const calls: string[] = [];
    const url = await serve(async () => ({ status: 202, body: String(calls.push('called')) }));
    expect((await call(await standby(() => url), 'another key'))[0]).toBe(401);
    expect(calls).toEqual([]);
  });

  test('is answered 503 when nobody leads', async () => {
    const [status, answer] = await call(await standby(() => undefined));
    expect([status, answer]).toEqual([503, { error: expect.stringContaining('no operator leads') }]);
  });

  test('is answered 503 when the leader cannot be reached, refuses, or sends elsewhere', async () => {
    const gone = await leader();
    await servers.pop()?.close();
    expect((await call(await standby(() => gone)))[0]).toBe(503);
    const other = await serve(async () => ({ status: 401, body: '{}' }));
    expect((await call(await standby(() => other)))[0]).toBe(503);
    const url = await leader();
    const elsewhere = await serve(async () => ({ status: 307, headers: { location: `${url}/webhook/generic` }, body: '' }));
    expect((await call(await standby(() => elsewhere)))[0]).toBe(503);
    expect(looked).toEqual([]);
  });

  test('does not go round when the leader that is named is a standby too', async () => {
    const urls: string[] = [];
    urls.push(await standby(() => urls[1]), await standby(() => urls[0]));
    expect((await call(urls[0] ?? ''))[0]).toBe(503);
  });
});
