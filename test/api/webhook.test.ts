// The generic webhook: who may call it, what it reads, and that a look is all it can cause.
import { createHmac } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { handleGenericWebhook, type WebhookAnswer, webhookBodyLimit } from '../../operator/api/webhook.ts';
import { repositoryIdentity } from '../../operator/model/repository-url.ts';

const secret = 'a key of the test';
const good = '{"repoURL": "https://git.example.com/team/app.git", "ref": "main"}';

function sign(body: string | Uint8Array, key = secret): string {
  return `sha256=${createHmac('sha256', key).update(body).digest('hex')}`;
}

function call(
  body: string | Uint8Array,
  headers: Record<string, string | string[]>,
  key: string | undefined = secret,
): WebhookAnswer & { looked: string[] } {
  const looked: string[] = [];
  const look = ({ url }: { readonly url: string }): number => looked.push(url);
  return { ...handleGenericWebhook({ body: Buffer.from(body), headers, secret: key, look }), looked };
}

describe('a delivery', () => {
  test.each(['x-setpoint-signature', 'x-hub-signature-256'])('G24 signed in %s makes the repository be looked at', (header) => {
    expect(call(good, { [header]: sign(good) })).toEqual({
      status: 202,
      body: '{"sources":1}',
      looked: ['https://git.example.com/team/app.git'],
    });
  });

  test.each<[string, Record<string, string | string[]>, string?]>([
    ['without a signature', {}],
    ['signed with another key', { 'x-setpoint-signature': sign(good, 'other') }],
    ['signed over another body', { 'x-setpoint-signature': sign(`${good} `) }],
    ['with half a signature', { 'x-setpoint-signature': sign(good).slice(0, 40) }],
    ['with a longer signature', { 'x-setpoint-signature': `${sign(good)}00` }],
    ['with SHA-1', { 'x-setpoint-signature': `sha1=${createHmac('sha1', secret).update(good).digest('hex')}` }],
    ['with the header twice', { 'x-setpoint-signature': [sign(good), sign(good)] }],
    ['when the operator has an empty key', { 'x-setpoint-signature': sign(good, '') }, ''],
  ])('%s is refused with 401 and causes nothing', (_, headers, key = secret) => {
    const { status, looked } = call(good, headers, key);
    expect([status, looked]).toEqual([401, []]);
  });

  test('is refused when the operator has no key at all', () => {
    const { status } = handleGenericWebhook({
      body: Buffer.from(good),
      headers: { 'x-setpoint-signature': sign(good, '') },
      secret: undefined,
      look: () => 1,
    });
    expect(status).toBe(401);
  });

  test('that is not signed is not parsed: nonsense gives 401, signed nonsense gives 400', () => {
    expect(call('{', {}).status).toBe(401);
    expect(call('{', { 'x-setpoint-signature': sign('{') }).status).toBe(400);
  });

  test.each([
    '',
    'null',
    '[]',
    '"x"',
    '{}',
    '{"repoURL": 1}',
    '{"repoURL": ""}',
    '{"repoURL": "https://x/y", "ref": 1}',
    '{"repoURL": "https://x/y"} trailing',
  ])('with the body %j is refused with 400', (body) => {
    const { status, looked } = call(body, { 'x-setpoint-signature': sign(body) });
    expect([status, looked]).toEqual([400, []]);
  });

  test('of bytes that are not UTF-8 is refused with 400', () => {
    const body = Buffer.concat([Buffer.from('{"repoURL":"'), Buffer.from([0xff]), Buffer.from('"}')]);
    expect(call(body, { 'x-setpoint-signature': sign(body) }).status).toBe(400);
  });

  test('larger than 1 MiB is refused with 413 before it is hashed', () => {
    const body = Buffer.alloc(webhookBodyLimit + 1, ' ');
    expect(call(body, { 'x-setpoint-signature': sign(body) }).status).toBe(413);
    expect(webhookBodyLimit).toBe(1024 * 1024);
  });
});

describe('addresses of one repository', () => {
  test.each([
    'https://git.example.com/team/app.git',
    'https://git.example.com/team/app',
    'https://GIT.example.com/team/app/',
    'https://git.example.com:443/team/app.git/',
    'http://git.example.com/team//app.git',
    'https://user:secret@git.example.com/team/app.git',
    'git@git.example.com:team/app.git',
    'ssh://git@git.example.com:22/team/app.git',
  ])('%s', (address) => {
    expect(repositoryIdentity(address)).toBe('git.example.com/team/app');
  });

  test.each([
    'https://git.example.com/team/App',
    'https://git.example.com:8443/team/app',
    'https://git.example.org/team/app',
    'https://git.example.com/team/app.gitx',
  ])('%s is another one', (address) => {
    expect(repositoryIdentity(address)).not.toBe('git.example.com/team/app');
  });

  test.each(['', 'app', '/srv/app.git', 'https://'])('%j is none', (address) => {
    expect(repositoryIdentity(address)).toBeUndefined();
  });
});
