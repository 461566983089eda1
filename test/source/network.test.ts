// How the source uses the network: deadlines, redirects, addresses, credentials, certificates, rate limits. Real servers on loopback.
import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { GitServerOptions } from '../../dev/git-server.ts';
import { formatError } from '../../operator/model/error.ts';
import type { Credentials } from '../../operator/source/ports.ts';
import { selfSignedCertificate } from '../support/certificates.ts';
import { errorOf, type GitWorld, gitWorld, realClock } from './git-world.ts';

jest.setTimeout(60_000);

const signal = AbortSignal.timeout(300_000);
type Intercept = NonNullable<GitServerOptions['intercept']>;
let world: GitWorld;
let intercept: Intercept | undefined;

beforeEach(async () => {
  intercept = undefined;
  world = await gitWorld({
    intercept: (request, response, next) => (intercept === undefined ? next() : intercept(request, response, next)),
  });
  await world.repo.commitFiles('First', { 'a.ts': 'one' });
  await world.repo.push();
});
afterEach(() => world.close());

const advertisementType = 'application/x-git-upload-pack-advertisement';

describe('G16 a server that is slow', () => {
  test.each<[string, (response: ServerResponse) => void]>([
    ['to answer at all', () => undefined],
    [
      'after the headers',
      (response) => {
        response.setHeader('content-type', advertisementType);
        response.flushHeaders();
      },
    ],
    [
      'with every byte',
      (response) => {
        response.setHeader('content-type', advertisementType);
        const drip = setInterval(() => response.write('0'), 20);
        response.on('close', () => clearInterval(drip));
      },
    ],
  ])('%s is given up, and the place is free again', async (_, answer) => {
    intercept = (_request, response) => answer(response);
    const options = { deadlines: { lookMilliseconds: 600 }, network: { requestsPerHost: 1, addresses: { loopback: true } } };
    const pool = world.pool(options);
    const error = await errorOf(pool.snapshot(world.spec(), signal));
    expect([error.code, error.fate]).toEqual(['RepositoryUnreachable', 'transient']);
    intercept = undefined;
    pool.look({ spec: world.spec() });
    expect((await pool.snapshot(world.spec(), signal)).entries.size).toBe(1);
  });

  test('below the minimum speed is given up long before the deadline', async () => {
    intercept = (_request, response) => {
      response.setHeader('content-type', advertisementType);
      const drip = setInterval(() => response.write('0'), 50);
      response.on('close', () => clearInterval(drip));
    };
    const started = performance.now();
    const error = await errorOf(world.snapshot({}, { network: { addresses: { loopback: true }, slowWindowMilliseconds: 400 } }));
    expect(error.message).toMatch(/only \d+ bytes came in 400 ms/);
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  test('does not hold up who stops waiting', async () => {
    intercept = () => undefined;
    const stop = new AbortController();
    const waiting = world.pool().snapshot(world.spec(), stop.signal);
    stop.abort(new Error('stopped'));
    expect((await errorOf(waiting)).message).toBe('stopped');
  });
});

describe('G5 the end of an answer', () => {
  test('must be told by length or chunks: the end of the connection is not enough', async () => {
    const { createServer } = await import('node:net');
    const body = '001e# service=git-upload-pack\n0000000eversion 2\n0000';
    const raw = createServer((socket) =>
      socket.end(`HTTP/1.1 200 OK\r\ncontent-type: ${advertisementType}\r\nconnection: close\r\n\r\n${body}`),
    );
    await new Promise<void>((resolve) => raw.listen(0, '127.0.0.1', resolve));
    const { port } = raw.address() as { port: number };
    const error = await errorOf(world.snapshot({ url: `http://127.0.0.1:${port}/app.git` }));
    expect([error.code, error.message]).toEqual(['FetchFailed', expect.stringContaining('neither Content-Length nor chunks')]);
    raw.close();
  });

  test('a page that is not Git is RepositoryNotFound with a hint about the URL', async () => {
    intercept = (_request, response) => response.setHeader('content-type', 'text/html').end('<h1>sign in</h1>');
    const error = await errorOf(world.snapshot());
    expect([error.code, error.message, error.hint]).toEqual([
      'RepositoryNotFound',
      expect.stringContaining('content type "text/html"'),
      expect.stringContaining('repoURL'),
    ]);
  });
});

describe('G17 a redirect', () => {
  const basic: Credentials = { type: 'basic', username: 'user', password: 'secret-of-the-test' };
  const redirectTo = (location: string, status = 302): Intercept => {
    return (request, response, next) => (request.url?.startsWith('/app.git') ? response.writeHead(status, { location }).end() : next());
  };

  test.each([
    ['to another host', 'http://localhost:1/app.git/info/refs?service=git-upload-pack'],
    ['to another port', 'http://127.0.0.1:1/app.git/info/refs?service=git-upload-pack'],
    ['to the metadata address', 'http://169.254.169.254/latest/meta-data'],
    ['to the API server', 'https://kubernetes.default.svc/api'],
    ['to a file', 'file:///etc/passwd'],
    ['with credentials in it', 'http://u:p@127.0.0.1/app.git'],
    ['to nowhere', 'http://'],
  ])('%s is refused', async (_, location) => {
    intercept = redirectTo(location);
    const error = await errorOf(world.snapshot({ credentials: async () => basic }));
    expect([error.code, error.fate]).toEqual(['HostNotAllowed', 'terminal']);
    expect(formatError(error)).not.toContain('u:p');
  });

  test('never carries credentials to another server', async () => {
    const other = await gitWorld();
    try {
      intercept = redirectTo(`${other.url}/info/refs?service=git-upload-pack`);
      await errorOf(world.snapshot({ credentials: async () => basic }));
      expect(other.server.requests).toEqual([]);
    } finally {
      await other.close();
    }
  });

  test('that goes round in circles ends', async () => {
    intercept = redirectTo('/app.git/info/refs?service=git-upload-pack');
    const error = await errorOf(world.snapshot());
    expect([error.code, error.message]).toEqual(['HostNotAllowed', expect.stringContaining('more than 5 redirects')]);
  });

  test('on the same host is followed, also when the repository moves while it is followed', async () => {
    await world.server.createRepository('moved.git');
    await world.repo.git('remote', 'add', 'moved', world.server.repositoryPath('moved.git'));
    await world.repo.git('push', '-q', 'moved', 'main');
    const pool = world.pool();
    await pool.snapshot(world.spec(), signal);
    intercept = (request, response, next) =>
      request.url?.startsWith('/app.git')
        ? response.writeHead(301, { location: request.url.replace('/app.git', '/moved.git') }).end()
        : next();
    const second = await world.repo.commitFiles('Second', { 'a.ts': 'two' });
    await world.repo.git('push', '-q', 'moved', 'main');
    pool.look({ spec: world.spec() });
    expect((await pool.snapshot(world.spec(), signal)).revision.sha).toBe(second);
  });
});

describe('G18 addresses', () => {
  test.each([
    ['file:///etc/passwd', 'InvalidURL'],
    ['git://127.0.0.1/app.git', 'InvalidURL'],
    ['ftp://127.0.0.1/app.git', 'InvalidURL'],
    ['ssh://git@127.0.0.1/app.git', 'InvalidURL'],
    ['git@127.0.0.1:team/app.git', 'InvalidURL'],
    ['ext::sh -c id', 'InvalidURL'],
    ['/srv/git/app.git', 'InvalidURL'],
    ['https://', 'InvalidURL'],
    ['http://user:pa55@127.0.0.1/app.git', 'InvalidURL'],
    ['http://127.0.0.1/app.git?x=1', 'InvalidURL'],
    ['http://127.0.0.1:1/app.git', 'HostNotAllowed'],
    ['http://localhost:1/app.git', 'HostNotAllowed'],
    ['http://[::1]:1/app.git', 'HostNotAllowed'],
    ['http://2130706433:1/app.git', 'HostNotAllowed'],
    ['http://0x7f.1:1/app.git', 'HostNotAllowed'],
    ['http://[::ffff:127.0.0.1]:1/app.git', 'HostNotAllowed'],
    ['http://169.254.169.254/app.git', 'HostNotAllowed'],
    ['http://[::ffff:a9fe:a9fe]/app.git', 'HostNotAllowed'],
    ['http://[fe80::1]/app.git', 'HostNotAllowed'],
    ['http://[fd00:ec2::254]/app.git', 'HostNotAllowed'],
    ['http://0.0.0.0:1/app.git', 'HostNotAllowed'],
    ['http://[::]:1/app.git', 'HostNotAllowed'],
    ['http://224.0.0.1/app.git', 'HostNotAllowed'],
    ['http://255.255.255.255/app.git', 'HostNotAllowed'],
  ])('%s is %s unless allowed, and is shown without its credentials', async (url, code) => {
    const error = await errorOf(world.snapshot({ url }, { network: { addresses: {} } }));
    expect([error.code, error.fate]).toEqual([code, 'terminal']);
    expect(formatError(error)).not.toMatch(/pa55|user:/);
    if (url.includes('pa55')) expect(error.hint).toContain('secretRef');
  });

  test('a private address is normal in a cluster and can be denied, whole or by range', async () => {
    const { compileAddressPolicy } = await import('../../operator/source/network/address-policy.ts');
    expect(compileAddressPolicy({})('10.1.2.3')).toBeUndefined();
    expect(compileAddressPolicy({ private: false })('fd12::1')).toBe('a private address');
    expect(compileAddressPolicy({ deny: ['10.96.0.1/32'] })('10.96.0.1')).toBe('an address that is denied by configuration');
    expect(compileAddressPolicy({ private: false, allow: ['10.1.0.0/16'] })('10.1.2.3')).toBeUndefined();
    expect(() => compileAddressPolicy({ deny: ['everything'] })).toThrow('not an IP range');
  });

  test('a name that resolves to a denied address is refused at the moment of connecting, each time anew', async () => {
    let address = '127.0.0.1';
    const resolve = (_: string, callback: (error: Error | null, addresses: { address: string; family: number }[]) => void): void => {
      callback(null, [{ address, family: 4 }]);
    };
    const url = world.url.replace('127.0.0.1', 'git.example.com');
    const pool = world.pool({ network: { addresses: { loopback: true }, resolve } });
    await pool.snapshot(world.spec({ url }), signal);
    address = '169.254.169.254';
    intercept = (_request, response) => response.destroy();
    pool.look({ spec: world.spec({ url }) });
    const error = await errorOf(pool.snapshot(world.spec({ url }), signal));
    expect([error.code, error.message]).toEqual(['HostNotAllowed', expect.stringContaining('git.example.com: it is a link-local')]);
  });

  test('a host that is not there, or does not answer, is RepositoryUnreachable and says which', async () => {
    const refused = await errorOf(world.snapshot({ url: 'http://127.0.0.1:1/app.git' }));
    expect([refused.code, refused.message]).toEqual(['RepositoryUnreachable', expect.stringContaining('127.0.0.1:1 (ECONNREFUSED)')]);
    const unknown = await errorOf(world.snapshot({ url: 'http://does-not-exist.invalid/app.git' }));
    expect([unknown.code, unknown.message]).toEqual(['RepositoryUnreachable', expect.stringContaining('does-not-exist.invalid')]);
    const absent = await errorOf(world.snapshot({ url: `${world.url}x` }));
    expect([absent.code, absent.fate]).toEqual(['RepositoryNotFound', 'terminal']);
  });
});

describe('G15 credentials', () => {
  const good: Credentials = { type: 'basic', username: 'user', password: 'pässword' };

  test('basic and bearer are sent, and read anew for every conversation', async () => {
    world.server.requireAuth({ kind: 'basic', username: 'user', password: 'pässword' });
    expect((await world.snapshot({ credentials: async () => good })).entries.size).toBe(1);
    world.server.requireAuth({ kind: 'bearer', token: 'token-1' });
    let token = 'token-1';
    const pool = world.pool();
    const spec = world.spec({ credentials: async () => ({ type: 'bearer', token }) });
    await pool.snapshot(spec, signal);
    world.server.requireAuth({ kind: 'bearer', token: 'token-2' });
    token = 'token-2';
    pool.look({ spec });
    await pool.snapshot(spec, signal);
  });

  test('a token rotated in the middle of a fetch is read again and the fetch goes on', async () => {
    const tokens = ['old'];
    world.server.requireAuth({ kind: 'bearer', token: 'old' });
    intercept = (request, _response, next) => {
      if (request.method === 'POST') world.server.requireAuth({ kind: 'bearer', token: 'new' });
      next();
    };
    let asked = 0;
    const spec = world.spec({ credentials: async () => ({ type: 'bearer', token: tokens[asked++] ?? 'new' }) });
    expect((await world.pool().snapshot(spec, signal)).entries.size).toBe(1);
  });

  test('refused ones are AuthFailed, the last good commit stays, and no text holds them', async () => {
    world.server.requireAuth({ kind: 'basic', username: 'user', password: 'pässword' });
    let password = 'pässword';
    const spec = world.spec({ credentials: async () => ({ type: 'basic', username: 'user', password }) });
    const pool = world.pool();
    const goodSnapshot = await pool.snapshot(spec, signal);
    password = 'wrong-0815';
    pool.look({ spec });
    const error = await errorOf(pool.snapshot(spec, signal));
    expect([error.code, error.fate]).toEqual(['AuthFailed', 'terminal']);
    expect(JSON.stringify([formatError(error), error.stack, String(error.cause)])).not.toMatch(/wrong-0815|d3Jvbmct/);
    expect(pool.lastGood(spec)).toBe(goodSnapshot);
    password = 'pässword';
    pool.look({ spec });
    expect(await pool.snapshot(spec, signal)).toBeDefined();
  });

  test('missing ones are explained by secretRef; a token with a line break by its line break', async () => {
    world.server.requireAuth({ kind: 'bearer', token: 'x' });
    expect((await errorOf(world.snapshot())).hint).toContain('spec.source.secretRef');
    const broken = await errorOf(world.snapshot({ credentials: async () => ({ type: 'bearer', token: 'abc\r\nX-Evil: 1' }) }));
    expect([broken.code, broken.hint]).toEqual(['AuthFailed', expect.stringContaining('line break')]);
    expect(broken.message).not.toContain('Evil');
  });
});

describe('G14 certificates', () => {
  test('a private CA is trusted when it is given, and only then; another one, or a change of the certificate, is refused', async () => {
    const certificate = selfSignedCertificate();
    const other = selfSignedCertificate();
    const secure = await gitWorld({ tls: certificate });
    try {
      await secure.repo.commitFiles('First', { 'a.ts': 'one' });
      await secure.repo.push();
      const untrusted = await errorOf(secure.snapshot());
      expect([untrusted.code, untrusted.hint]).toEqual(['RepositoryUnreachable', expect.stringContaining('ca.crt')]);
      expect((await errorOf(secure.snapshot({ certificateAuthority: async () => other.cert }))).message).toContain('not trusted');
      let authority = certificate.cert;
      const spec = secure.spec({ certificateAuthority: async () => authority });
      const pool = secure.pool();
      expect((await pool.snapshot(spec, signal)).entries.size).toBe(1);
      // read anew: a connection made with the CA of before is not used with another one
      authority = other.cert;
      pool.look({ spec });
      expect((await errorOf(pool.snapshot(spec, signal))).message).toContain('not trusted');
    } finally {
      await secure.close();
    }
  });
});

describe('G19 a server that asks for a pause', () => {
  test.each([
    [429, { 'retry-after': '7' }, 7],
    [503, { 'retry-after': '7' }, 7],
    [429, {}, 30],
    [403, { 'x-ratelimit-remaining': '0', 'retry-after': '9' }, 9],
    [429, { 'retry-after': '999999' }, 3600],
  ])('by %i %j gets it from all sources of the host', async (status, headers, seconds) => {
    intercept = (_request, response) => response.writeHead(status, headers as Record<string, string>).end();
    const pool = world.pool();
    const error = await errorOf(pool.snapshot(world.spec(), signal));
    expect([error.code, error.fate, error.retryAfterSeconds]).toEqual(['RateLimited', 'transient', seconds]);
    const asked = world.server.requests.length;
    const other = await errorOf(pool.snapshot(world.spec({ ref: 'other' }), signal));
    expect([other.code, world.server.requests.length]).toEqual(['RateLimited', asked]);
  });

  test('is asked again after the pause', async () => {
    let offset = 0;
    const pool = world.pool({ clock: { ...realClock, monotonic: () => performance.now() + offset } });
    intercept = (_request, response) => response.writeHead(429, { 'retry-after': '60' }).end();
    await errorOf(pool.snapshot(world.spec(), signal));
    intercept = undefined;
    offset = 61_000;
    pool.look({ spec: world.spec() });
    expect((await pool.snapshot(world.spec(), signal)).entries.size).toBe(1);
  });

  test('no more requests than the budget run on one host at a time', async () => {
    let running = 0;
    let most = 0;
    intercept = (_request, response, next) => {
      running += 1;
      most = Math.max(most, running);
      response.on('close', () => {
        running -= 1;
      });
      next();
    };
    const pool = world.pool({ network: { requestsPerHost: 2, addresses: { loopback: true } } });
    await Promise.all(Array.from({ length: 12 }, (_, index) => pool.snapshot(world.spec({ credentialsId: String(index) }), signal)));
    expect(most).toBe(2);
  });
});
