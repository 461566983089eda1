// The local Git server is the real one: clone, push, auth, webhooks, and faults on demand.
import { createHmac } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { cutResponse, type GitServer, type GitServerOptions, type Push, startGitServer } from '../../dev/git-server.ts';
import { ManifestRepo } from '../../dev/manifest-repo.ts';
import { eventually } from '../support/eventually.ts';

let folder: string;
const servers: GitServer[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'setpoint-git-'));
});

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
  rmSync(folder, { recursive: true, force: true });
});

async function start(options: Partial<GitServerOptions> = {}): Promise<GitServer> {
  const server = await startGitServer({ root: join(folder, 'server'), ...options });
  servers.push(server);
  return server;
}

async function workTree(remote: string, name = 'work'): Promise<ManifestRepo> {
  return ManifestRepo.create({ directory: join(folder, name), remote });
}

const files = { 'apps/shop/main.ts': 'export {};\n' };

describe('the Git server', () => {
  test('takes a push and gives it to somebody who clones', async () => {
    const server = await start();
    const remote = await server.createRepository('team/manifests.git');
    const repo = await workTree(remote);
    const commit = await repo.commitFiles('add the shop', files);
    await repo.push();
    const clone = await ManifestRepo.clone({ directory: join(folder, 'clone'), remote });
    expect(await clone.head()).toBe(commit);
    expect(readFileSync(join(clone.directory, 'apps/shop/main.ts'), 'utf8')).toBe(files['apps/shop/main.ts']);
    expect(await clone.git('log', '-1', '--format=%an <%ae>: %s')).toBe('Ada Author <ada@example.com>: add the shop');
  });

  test('says which refs a push moved: created, moved by force, deleted', async () => {
    const pushes: Push[] = [];
    const server = await start({ onPush: (push) => pushes.push(push) });
    const repo = await workTree(await server.createRepository('manifests.git'));
    const first = await repo.commitFiles('one', files);
    const second = await repo.commitFiles('two', { 'b.txt': 'b' });
    await repo.push();
    await repo.reset(first);
    const other = await repo.commitFiles('other', { 'c.txt': 'c' });
    await expect(repo.push()).rejects.toThrow('non-fast-forward');
    await repo.forcePush();
    await repo.tag('v1.0.0', { message: 'the first' });
    await repo.push('v1.0.0');
    await repo.push(':v1.0.0');
    const tag = await repo.head('v1.0.0');
    const moved = (ref: string, before: string | undefined, after: string | undefined) => ({
      repository: 'manifests.git',
      updates: [{ ref, before, after }],
    });
    expect(pushes).toEqual([
      moved('refs/heads/main', undefined, second),
      moved('refs/heads/main', second, other),
      moved('refs/tags/v1.0.0', undefined, tag),
      moved('refs/tags/v1.0.0', tag, undefined),
    ]);
  });

  test('makes the revert that brings the old content back', async () => {
    const server = await start();
    const repo = await workTree(await server.createRepository('manifests.git'));
    await repo.commitFiles('one', { 'a.txt': 'old' });
    const bad = await repo.commitFiles('two', { 'a.txt': 'new' });
    await repo.revert(bad);
    expect(await repo.git('show', 'HEAD:a.txt')).toBe('old');
  });

  test.each([
    ['basic', { kind: 'basic', username: 'ci', password: 's3cret' } as const, `Basic ${btoa('ci:s3cret')}`],
    ['bearer', { kind: 'bearer', token: 't0ken' } as const, 'Bearer t0ken'],
  ])('refuses who does not have the %s credentials, and can change them while it runs', async (_, auth, header) => {
    const server = await start({ auth });
    const url = `${await server.createRepository('manifests.git')}/info/refs?service=git-upload-pack`;
    const status = async (headers = {}) => (await fetch(url, { headers })).status;
    expect(await status()).toBe(401);
    expect(await status({ authorization: `${header}x` })).toBe(401);
    expect(await status({ authorization: header })).toBe(200);
    server.requireAuth({ kind: 'bearer', token: 'another' });
    expect(await status({ authorization: header })).toBe(401);
    server.requireAuth(undefined);
    expect(await status()).toBe(200);
  });

  test('sends a signed webhook for each ref that a push moved', async () => {
    const seen: { event: unknown; body: string; signature: unknown }[] = [];
    const receiver = createServer(async (request, response) => {
      const body = Buffer.concat(await request.toArray()).toString();
      seen.push({ event: request.headers['x-github-event'], body, signature: request.headers['x-hub-signature-256'] });
      response.writeHead(202).end();
    });
    await new Promise<void>((done) => receiver.listen(0, '127.0.0.1', done));
    try {
      const server = await start({
        webhook: { url: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`, secret: 'shared' },
      });
      const repo = await workTree(await server.createRepository('team/manifests.git'));
      const after = await repo.commitFiles('one', files);
      await repo.push();
      await eventually(() => expect(server.deliveries).toEqual([202]));
      const { event, body, signature } = seen[0] ?? { body: '' };
      expect(event).toBe('push');
      expect(signature).toBe(`sha256=${createHmac('sha256', 'shared').update(body).digest('hex')}`);
      expect(JSON.parse(body)).toMatchObject({
        ref: 'refs/heads/main',
        before: '0'.repeat(40),
        after,
        repository: { full_name: 'team/manifests' },
      });
    } finally {
      receiver.close();
    }
  });

  test('lets a test cut a response in the middle', async () => {
    let cut = true;
    const server = await start({
      intercept: (request, response, next) => {
        if (cut && request.url?.includes('info/refs')) cutResponse(response, 20);
        next();
      },
    });
    const url = `${await server.createRepository('manifests.git')}/info/refs?service=git-upload-pack`;
    await expect(fetch(url).then((response) => response.text())).rejects.toThrow('terminated');
    cut = false;
    expect((await (await fetch(url)).text()).length).toBeGreaterThan(20);
    expect(server.requests.map(({ path }) => path)).toEqual(['/manifests.git/info/refs', '/manifests.git/info/refs']);
  });

  test('answers for a repository that does not exist as Git does', async () => {
    const server = await start();
    expect((await fetch(`${server.url}/absent.git/info/refs?service=git-upload-pack`)).status).toBe(404);
  });
});
