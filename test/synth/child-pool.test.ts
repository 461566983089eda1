// Children come and go: ready ahead of time, used once, gone with whoever started them.
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, jest, test } from '@jest/globals';
import { createLocalSynthesizer } from '../../operator/synth/local-synthesizer.ts';
import { appWith, names, synthesize } from './support.ts';

// a busy machine starts processes slowly
jest.setTimeout(60_000);

interface RunningProcess {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

function processes(): RunningProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
        const [state = '', parent = ''] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ');
        return state === 'Z' ? [] : [{ pid: Number(name), parent: Number(parent), command }];
      } catch {
        return [];
      }
    });
}

/** All processes below one. */
function below(pid: number): RunningProcess[] {
  const all = processes();
  const find = (parent: number): RunningProcess[] =>
    all.filter((entry) => entry.parent === parent).flatMap((entry) => [entry, ...find(entry.pid)]);
  return find(pid);
}

async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`${what} did not happen within 20 s`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const onLinux = process.platform === 'linux' ? describe : describe.skip;

onLinux('children', () => {
  // Jest runs several files in one process: what another file has left running is not counted here.
  let earlier: ReadonlySet<number> = new Set();
  const own = (): RunningProcess[] => below(process.pid).filter(({ pid }) => !earlier.has(pid));
  const children = (): RunningProcess[] => {
    const all = own().filter(({ command }) => /child\.cjs/.test(command) && !/unshare/.test(command));
    const pids = new Set(all.map(({ pid }) => pid));
    // A child that starts the bundler is there twice for a moment: what it has forked looks like it until it has become the bundler.
    return all.filter(({ parent }) => !pids.has(parent));
  };

  beforeEach(() => {
    earlier = new Set();
    earlier = new Set(own().map(({ pid }) => pid));
  });

  test('are ready before they are needed, used once, and replaced', async () => {
    const synthesizer = createLocalSynthesizer({ spares: 1, refillMilliseconds: 0 });
    try {
      await synthesizer.ready();
      const [first] = children();
      expect(first).toBeDefined();
      const result = await synthesize(synthesizer, { files: { 'main.ts': appWith(`configMap('c', {});`) } });
      expect(names(result)).toEqual(['ConfigMap c']);
      await until(() => children().every(({ pid }) => pid !== first?.pid), 'the end of the used child');
      await until(() => children().length === 1, 'a new spare');
    } finally {
      await synthesizer.close();
    }
    expect(own().filter(({ command }) => /synth-[0-9a-f]{24}/.test(command))).toEqual([]);
  });

  test('work at most so many at a time, the others wait their turn', async () => {
    const synthesizer = createLocalSynthesizer({ spares: 0, concurrency: 2 });
    try {
      await synthesizer.ready();
      let most = 0;
      const watch = setInterval(() => {
        most = Math.max(most, children().length);
      }, 5);
      await Promise.all(
        Array.from({ length: 5 }, (_, index) => synthesize(synthesizer, { files: { 'main.ts': appWith(`configMap('c${index}', {});`) } })),
      );
      clearInterval(watch);
      expect(most).toBeGreaterThan(0);
      expect(most).toBeLessThanOrEqual(2);
    } finally {
      await synthesizer.close();
    }
  });

  test('one that waits for its turn can be called off', async () => {
    const synthesizer = createLocalSynthesizer({ spares: 0, concurrency: 1, limits: { milliseconds: 2_000 } });
    try {
      const endless = synthesize(synthesizer, { files: { 'main.ts': 'while (true) {}' } });
      const aborted = new AbortController();
      const snapshot = {
        revision: { sha: '1'.repeat(40), author: '', authorEmail: '', committer: '', date: '', subject: '', parents: [] },
        ref: '',
        entries: new Map(),
        read: async () => Buffer.from(''),
      };
      const waiting = synthesizer.synthesize({ snapshot, path: '.' }, aborted.signal);
      setTimeout(() => aborted.abort(new Error('called off')), 100);
      await expect(waiting).rejects.toThrow('called off');
      expect((await endless).findings.map(({ code }) => code)).toEqual(['SynthTimeout']);
    } finally {
      await synthesizer.close();
    }
  });

  test('end when their parent is killed, idle or busy', async () => {
    const program = path.join(import.meta.dirname, 'fixtures', 'hold-children.ts');
    const parent = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program], { stdio: ['ignore', 'pipe', 'inherit'] });
    await new Promise((resolve) => parent.stdout.once('data', resolve));
    const started = below(parent.pid as number);
    expect(started.filter(({ command }) => /child\.cjs/.test(command)).length).toBeGreaterThanOrEqual(2);
    process.kill(parent.pid as number, 'SIGKILL');
    const alive = (): RunningProcess[] =>
      processes().filter(({ pid, command }) => started.some((old) => old.pid === pid && old.command === command));
    await until(() => alive().length === 0, 'the end of all children');
  });
});
