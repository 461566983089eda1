// `npm run demo -- --once` as a stranger runs it: everything from nothing, every step passes, nothing is left behind.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { eventually } from '../support/eventually.ts';

const project = path.resolve(import.meta.dirname, '../..');
const scratch = mkdtempSync(path.join(tmpdir(), 'setpoint-demo-test-'));
afterAll(() => rmSync(scratch, { recursive: true }));

// The first run on a machine builds the control plane.
const timeout = 15 * 60_000;

interface Demo {
  readonly process: ChildProcess;
  readonly output: () => string;
  readonly ended: Promise<number | null>;
}

/** Starts the demo with a folder for temporary files that the test can look into. */
function startDemo(...args: string[]): Demo {
  const child = spawn('npm', ['run', '-s', 'demo', '--', ...args], {
    cwd: project,
    env: { ...process.env, TMPDIR: scratch },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  return { process: child, output: () => output, ended: new Promise((resolve) => child.once('close', resolve)) };
}

/** What the demo made; npm keeps its own cache beside it. */
function leftFiles(): string[] {
  return readdirSync(scratch).filter((name) => name.startsWith('setpoint'));
}

/** Resolves when the demo has printed a text. Throws with all it printed when it ends before. */
async function printed(demo: Demo, text: string): Promise<void> {
  let code: number | null | undefined;
  void demo.ended.then((ended) => {
    code = ended;
  });
  const isOver = (): boolean => code !== undefined || demo.output().includes(text);
  await eventually(() => expect(isOver()).toBe(true), { timeout: timeout - 60_000, interval: 100 });
  if (!demo.output().includes(text)) throw new Error(`the demo ended with ${code}:\n${demo.output()}`);
}

/** Command lines of processes that have to do with the folder. */
function leftProcesses(): string[] {
  const lines = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).split('\n');
  return lines.filter((line) => line.includes(scratch));
}

describe('npm run demo', () => {
  test(
    '-- --once plays commit, sync, drift, heal, bad commit and revert, and leaves nothing behind',
    async () => {
      const demo = startDemo('--once');
      const code = await demo.ended;
      const steps = [...demo.output().matchAll(/^ {2}([✓✗]) (.{16}) .* +(\d+ ms|[\d.]+ s)$/gm)].map(
        ([, mark, name = '']) => `${mark} ${name.trim()}`,
      );
      expect({ code, steps, output: code === 0 ? '' : demo.output() }).toEqual({
        code: 0,
        output: '',
        steps: [
          '✓ control plane',
          '✓ install',
          '✓ Git server',
          '✓ manifest repo',
          '✓ synth server',
          '✓ operator',
          '✓ application',
          '✓ commit',
          '✓ sync',
          '✓ healthy',
          '✓ drift',
          '✓ heal',
          '✓ bad commit',
          '✓ refused',
          '✓ last good stays',
          '✓ revert',
        ],
      });
      expect(demo.output()).toMatch(/^ +lib\/web-service\.ts:\d+:\d+: InvalidValue \.spec\.replicas: /m);
      expect({ files: leftFiles(), processes: leftProcesses() }).toEqual({ files: [], processes: [] });
    },
    timeout,
  );

  test(
    'says what to try, and Ctrl-C stops everything',
    async () => {
      const demo = startDemo();
      await printed(demo, 'Ctrl-C stops everything');
      expect(demo.output()).toMatch(/export KUBECONFIG=\S+\n/);
      expect(demo.output()).toMatch(/git clone http:\/\/127\.0\.0\.1:\d+\/manifests\.git \S+\/manifests && cd \S+\/manifests\n/);
      // A terminal sends SIGINT to the whole foreground process group.
      process.kill(-(demo.process.pid ?? 0), 'SIGINT');
      // npm itself ends by the signal; the demo goes on until it has cleaned up.
      await demo.ended;
      expect(demo.output()).toMatch(/stopping\n$/);
      expect({ files: leftFiles(), processes: leftProcesses() }).toEqual({ files: [], processes: [] });
    },
    timeout,
  );

  test('an unknown flag is answered with the usage', async () => {
    const demo = startDemo('--twice');
    expect(await demo.ended).toBe(2);
    expect(demo.output()).toContain('usage: npm run demo');
  });
});
