// Assume that code has escaped from V8: plain JavaScript with all of Node runs in the jail of a synth child, and really tries.
import { mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { spawnConfined } from '../../operator/synth/child-pool.ts';
import { findJail, type Jail } from '../../operator/synth/jail.ts';
import { defaultLimits } from '../../operator/synth/limits.ts';
import { prepareToolchain } from '../../operator/synth/toolchain.ts';

// a busy machine starts processes slowly
jest.setTimeout(60_000);

let jail: Jail;
let loopback: Server;
let everywhere: Server;
let connections = 0;
const scratch = mkdtempSync(path.join(tmpdir(), 'setpoint-test-jail-'));
const token = path.join(scratch, 'token');

function listen(host: string): Promise<Server> {
  return new Promise((resolve) => {
    const server = createServer((socket) => {
      connections++;
      socket.destroy();
    }).listen(0, host, () => resolve(server));
  });
}

const portOf = (server: Server): number => (server.address() as { readonly port: number }).port;

beforeAll(async () => {
  const { folder } = await prepareToolchain();
  jail = await findJail(folder, defaultLimits);
  writeFileSync(token, 'planted-token', { mode: 0o600 });
  // descriptors of this process that a child must not have
  openSync(token, 'r');
  loopback = await listen('127.0.0.1');
  everywhere = await listen('0.0.0.0');
}, 60_000);
afterAll(() => {
  loopback.close();
  everywhere.close();
  rmSync(scratch, { recursive: true, force: true });
});

/** Runs a script with full Node in the jail; it prints one JSON value. */
async function breakOut(script: string): Promise<unknown> {
  const program = `const fs = require('node:fs'); const attempt = (run) => { try { return run(); } catch (error) { return 'refused ' + (error.code ?? error.message); } };
(async () => { ${script} })().then((value) => process.stdout.write(JSON.stringify(value)), (error) => process.stdout.write(JSON.stringify('failed ' + error.stack)));`;
  const child = spawnConfined(jail, ['-e', program]);
  child.stdin.end();
  let output = '';
  let errors = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  await new Promise((resolve) => child.on('close', resolve));
  if (output === '') throw new Error(`no answer: ${errors}`);
  return JSON.parse(output);
}

const onLinux = process.platform === 'linux' ? describe : describe.skip;

onLinux('a child that has broken out of V8', () => {
  test('S25 says what it is confined by', () => {
    const { ownNetwork, otherUser, ownProcesses, resourceLimits, summary } = jail.confinement;
    const complete = ownNetwork && otherUser && ownProcesses && resourceLimits;
    expect(summary).toMatch(complete ? /^synth children have no network/ : /^synth children (run without|are not confined)/);
    // the tests below prove something only where the machine allows it; root always may
    if (process.getuid?.() === 0)
      expect({ ownNetwork, otherUser, resourceLimits }).toEqual({ ownNetwork: true, otherUser: true, resourceLimits: true });
  });

  test('S25 has an empty environment', async () => {
    expect(await breakOut(`return process.env;`)).toEqual({});
    expect(await breakOut(`return fs.readFileSync('/proc/self/environ', 'utf8');`)).toBe('');
  });

  test('S25 has no descriptor but its three pipes', async () => {
    const script = `return fs.readdirSync('/proc/self/fd').flatMap((fd) => attempt(() => [fd + ' ' + fs.readlinkSync('/proc/self/fd/' + fd)]));`;
    const links = ((await breakOut(script)) as string[]).filter((link) => !link.startsWith('refused'));
    const inherited = links.filter(
      (link) => !/^[012] (socket|pipe):|anon_inode|\/proc\/\d+\/fd| (socket|pipe):\[|\/dev\/(null|urandom)/.test(link),
    );
    expect(inherited).toEqual([]);
    expect(links.filter((link) => / socket:/.test(link) && !/^[012] /.test(link))).toEqual([]);
  });

  test('S25 is another user without any privilege, and cannot gain one', async () => {
    const status = String(await breakOut(`return fs.readFileSync('/proc/self/status', 'utf8');`));
    expect(status).toMatch(/^NoNewPrivs:\s+1$/m);
    if (!jail.confinement.otherUser) return;
    expect(status).toMatch(/^CapEff:\s+0+$/m);
    expect(status).toMatch(/^CapBnd:\s+0+$/m);
    expect(status).toMatch(/^Groups:\s*$/m);
    const uid = Number(await breakOut(`return process.getuid();`));
    expect(uid).not.toBe(process.getuid?.());
    expect(await breakOut(`return attempt(() => { process.setuid(0); return process.getuid(); });`)).toMatch(/refused/);
  });

  test('S25 cannot read a token that belongs to the operator', async () => {
    if (!jail.confinement.otherUser) return;
    expect(await breakOut(`return attempt(() => fs.readFileSync(${JSON.stringify(token)}, 'utf8'));`)).toBe('refused EACCES');
  });

  test('S25 sees no process of the operator, in /proc or by signal', async () => {
    if (!jail.confinement.ownProcesses) return;
    expect(await breakOut(`return attempt(() => fs.readFileSync('/proc/${process.pid}/environ', 'utf8'));`)).toMatch(
      /^refused (ENOENT|EACCES)$/,
    );
    expect(await breakOut(`return attempt(() => process.kill(${process.pid}, 0));`)).toMatch(/^refused (ESRCH|EPERM)$/);
    expect(await breakOut(`return attempt(() => fs.readFileSync('/proc/1/environ', 'utf8'));`)).toMatch(/^(refused (EACCES|EPERM))?$/);
  });

  test('S25 leaves no file behind', async () => {
    const file = path.join(tmpdir(), `setpoint-escaped-${process.pid}`);
    const written = await breakOut(
      `return attempt(() => { fs.writeFileSync(${JSON.stringify(file)}, 'data'); return fs.readFileSync(${JSON.stringify(file)}, 'utf8'); });`,
    );
    rmSync(file, { force: true });
    expect(written).toMatch(/^refused /);
  });

  test('S25 reaches neither loopback, nor the API server, nor the metadata address', async () => {
    if (!jail.confinement.ownNetwork) return;
    const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
    const outside = own.find(({ internal, family }) => !internal && family === 'IPv4')?.address;
    const targets = [
      ['127.0.0.1', portOf(loopback)],
      ['127.0.0.1', portOf(everywhere)],
      ...(outside === undefined ? [] : [[outside, portOf(everywhere)]]),
      ['127.0.0.1', 6443],
      ['10.96.0.1', 443],
      ['169.254.169.254', 80],
      ['192.0.2.1', 53],
    ];
    const script = `const net = require('node:net');
      return Promise.all(${JSON.stringify(targets)}.map(([host, port]) => new Promise((resolve) => {
        const socket = net.connect({ host, port, timeout: 2000 });
        socket.on('connect', () => resolve('connected to ' + host + ':' + port));
        socket.on('error', (error) => resolve(error.code));
        socket.on('timeout', () => resolve('timeout'));
      })));`;
    connections = 0;
    const answers = (await breakOut(script)) as string[];
    expect(answers.filter((answer) => answer.startsWith('connected'))).toEqual([]);
    expect(answers.filter((answer) => answer === 'ENETUNREACH' || answer === 'ECONNREFUSED')).toHaveLength(targets.length);
    expect(connections).toBe(0);
    const interfaces = `return Object.values(require('node:os').networkInterfaces()).flat().filter((address) => !address.internal).length;`;
    expect(await breakOut(interfaces)).toBe(0);
  });
});
