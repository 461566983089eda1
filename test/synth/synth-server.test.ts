// Children of a synth server behave like our own, and only who knows the key gets one.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectPlain } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { Synthesizer } from '../../operator/synth/ports.ts';
import { createRemoteSynthesizer } from '../../operator/synth/remote-synthesizer.ts';
import { type SynthServer, startSynthServer } from '../../operator/synth/synth-server.ts';
import { appWith, commitOf, expectNoFindings, findingLines, names, synthesize } from './support.ts';

// a busy machine starts processes slowly
jest.setTimeout(60_000);

const scratch = mkdtempSync(path.join(tmpdir(), 'setpoint-test-synth-server-'));
const keyFile = path.join(scratch, 'key');
let server: SynthServer;
let remote: Synthesizer;

beforeAll(async () => {
  writeFileSync(keyFile, 'a key that both sides know\n');
  server = await startSynthServer({
    address: { host: '127.0.0.1', port: 0 },
    keyFile,
    spares: 2,
    refillMilliseconds: 0,
    limits: { milliseconds: 8_000, objects: 100 },
  });
  remote = client(keyFile);
}, 60_000);
afterAll(async () => {
  await remote.close();
  await server.close();
  rmSync(scratch, { recursive: true, force: true });
});

const client = (key: string): Synthesizer => createRemoteSynthesizer({ address: { host: '127.0.0.1', port: server.port }, keyFile: key });
const otherKey = (content: string): string => {
  const file = path.join(scratch, `other-${content.length}`);
  writeFileSync(file, content);
  return file;
};

describe('a synth over the network', () => {
  test('gives what a local one gives: objects, origins and the files it asked for', async () => {
    const files = {
      'main.ts': appWith(`configMap('c', { text: readFileSync('a.txt', 'utf8') });`, `import { readFileSync } from 'fs';`),
      'a.txt': 'x'.repeat(200_000),
    };
    const result = await synthesize(remote, { files });
    expectNoFindings(result);
    expect(names(result)).toEqual(['ConfigMap c']);
    expect(result.filesRead).toEqual(['a.txt', 'cdk8s.yaml', 'main.ts', 'tsconfig.json']);
    expect(result.objects[0]?.origin.frames[0]?.file).toBe('main.ts');
  });

  test('many at once are served one after the other', async () => {
    const all = await Promise.all(
      Array.from({ length: 6 }, (_, index) => synthesize(remote, { files: { 'main.ts': appWith(`configMap('c${index}', {});`) } })),
    );
    expect(all.map((result) => names(result)[0])).toEqual(Array.from({ length: 6 }, (_, index) => `ConfigMap c${index}`));
  });

  test('the limits of the server hold, whatever the operator asks for', async () => {
    const generous = createRemoteSynthesizer({
      address: { host: '127.0.0.1', port: server.port },
      keyFile,
      limits: { objects: 1e9, milliseconds: 1e9 },
    });
    const tooMany = appWith(`for (let i = 0; i < 101; i++) configMap('c' + i, {});`);
    expect(findingLines((await synthesize(generous, { files: { 'main.ts': tooMany } })).findings)).toEqual([
      'SynthOutputTooLarge the app produced 101 objects, more than the 100 allowed; split it into several applications',
    ]);
    expect((await synthesize(generous, { files: { 'main.ts': 'while (true) {}' } })).findings.map(({ code }) => code)).toEqual([
      'SynthTimeout',
    ]);
    await generous.close();
  });

  test('memory that runs out there is a finding here', async () => {
    const result = await synthesize(remote, {
      files: { 'main.ts': 'const all: unknown[] = []; for (;;) all.push(new Uint8Array(50_000_000).fill(1));' },
    });
    expect(result.findings.map(({ code }) => code)).toEqual(['SynthMemory']);
  });

  test('the limits of a synth end it when the operator goes away', async () => {
    const aborted = new AbortController();
    const running = remote.synthesize({ snapshot: commitOf({ 'main.ts': 'while (true) {}' }), path: '.' }, aborted.signal);
    setTimeout(() => aborted.abort(new Error('not needed')), 200);
    await expect(running).rejects.toThrow('not needed');
    expectNoFindings(await synthesize(remote, { files: { 'main.ts': appWith(`configMap('next', {});`) } }));
  });
});

describe('who is served', () => {
  test('nobody with another key', async () => {
    const stranger = client(otherKey('another key, long enough'));
    await expect(synthesize(stranger, { files: { 'main.ts': '' } })).rejects.toMatchObject({
      code: 'SynthUnavailable',
      message: `connect to the synth server 127.0.0.1:${server.port}: it refused our key`,
    });
  });

  test('nobody without TLS, and nobody by TLS with certificates alone', async () => {
    const plain = await new Promise<string>((resolve) => {
      const socket = connectPlain(server.port, '127.0.0.1', () => socket.write('\0\0\0\u0002\u0001{}'));
      socket.on('data', (chunk) => resolve(`answered ${chunk.toString('hex')}`));
      socket.on('close', () => resolve('closed'));
      socket.on('error', () => resolve('closed'));
    });
    expect(plain).toMatch(/^closed$|^answered 15/);
    const anonymous = await new Promise<string>((resolve) => {
      const socket = connectTls({ port: server.port, host: '127.0.0.1', rejectUnauthorized: false }, () => resolve('connected'));
      socket.on('error', (error) => resolve((error as NodeJS.ErrnoException).code ?? 'error'));
    });
    expect(anonymous).toMatch(/^(ERR_SSL|ECONNRESET)/);
  });

  test('a server that does not know our key gets nothing from us', async () => {
    const impostorKey = otherKey('the key of an impostor server!!');
    const impostor = await startSynthServer({ address: { host: '127.0.0.1', port: 0 }, keyFile: impostorKey, spares: 1 });
    const misled = createRemoteSynthesizer({ address: { host: '127.0.0.1', port: impostor.port }, keyFile });
    await expect(synthesize(misled, { files: { 'main.ts': 'secret code' } })).rejects.toMatchObject({ code: 'SynthUnavailable' });
    await impostor.close();
  });

  test('a key that is too short or missing is a configuration error', async () => {
    await expect(synthesize(client(otherKey('short')), { files: {} })).rejects.toMatchObject({ code: 'InvalidConfiguration' });
    await expect(synthesize(client(path.join(scratch, 'nothing')), { files: {} })).rejects.toMatchObject({ code: 'InvalidConfiguration' });
  });

  test('a rotated key is picked up by both sides', async () => {
    writeFileSync(keyFile, 'a rotated key that both sides know');
    expectNoFindings(await synthesize(remote, { files: { 'main.ts': appWith(`configMap('next', {});`) } }));
  });

  test('a server that is not there is unavailable, not a crash', async () => {
    const nowhere = createRemoteSynthesizer({ address: { host: '127.0.0.1', port: 1 }, keyFile });
    await expect(synthesize(nowhere, { files: {} })).rejects.toMatchObject({ code: 'SynthUnavailable', fate: 'transient' });
  });
});
