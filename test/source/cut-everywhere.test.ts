// Every answer of a Git server, cut at every byte: never an empty or partial commit, and after that it works again.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Snapshot } from '../../operator/model/snapshot.ts';
import { errorOf, type GitWorld, gitWorld, text } from './git-world.ts';
import { type AnswerName, type ReplayServer, type Spoil, startReplayServer } from './replay-server.ts';

const transient = new Set(['FetchFailed', 'ObjectCorrupt', 'RepositoryUnreachable']);
const eager = { burst: 100_000, firstRetryMilliseconds: 600_000 };
const signal = AbortSignal.timeout(600_000);
let world: GitWorld;
let replay: ReplayServer;

beforeEach(async () => {
  world = await gitWorld();
});
afterEach(async () => {
  await replay.close();
  await world.close();
});

/** All files of a snapshot with their content. */
async function contentOf(snapshot: Snapshot): Promise<Record<string, string>> {
  const pairs = await Promise.all([...snapshot.entries.keys()].map(async (path) => [path, text(await snapshot.read(path))]));
  return Object.fromEntries(pairs);
}

function everySpoil(name: AnswerName): Spoil[] {
  const { length } = replay.recorded.get(name) ?? { length: 0 };
  return Array.from({ length }, (_, bytes) => bytes).flatMap((bytes) => [
    { answer: name, how: 'broken', bytes } as const,
    { answer: name, how: 'short', bytes } as const,
  ]);
}

describe.each([1, 2] as const)('protocol version %i', (version) => {
  const names: readonly AnswerName[] = version === 2 ? ['advertisement', 'ls-refs', 'fetch'] : ['advertisement', 'fetch'];
  const first = { 'apps/a.ts': 'one', 'apps/b.ts': 'same', 'c.json': '{}' };

  test('G5 G6 a first answer cut at any byte is an error, never an empty or partial commit', async () => {
    await world.repo.commitFiles('First', first);
    await world.repo.push();
    replay = await startReplayServer(world.url, version);
    const url = `${replay.url}/app.git`;
    await world.snapshot({ url });
    replay.replay();
    let cuts = 0;
    for (const spoil of names.flatMap(everySpoil)) {
      replay.spoil = spoil;
      const error = await errorOf(world.snapshot({ url }));
      if (!transient.has(error.code)) throw new Error(`${JSON.stringify(spoil)} gave ${error.code}: ${error.message}`);
      cuts += 1;
    }
    replay.spoil = undefined;
    expect(await contentOf(await world.snapshot({ url }))).toEqual(first);
    expect(cuts).toBeGreaterThan(600);
  }, 120_000);

  test('G5 G6 an update cut at any byte keeps the last good commit, and the next whole answer is taken', async () => {
    await world.repo.commitFiles('First', first);
    await world.repo.push();
    replay = await startReplayServer(world.url, version);
    const spec = world.spec({ url: `${replay.url}/app.git` });
    const pool = world.pool({ looks: eager });
    const good = await pool.snapshot(spec, signal);
    await world.repo.commitFiles('Second', { 'apps/a.ts': 'two' });
    await world.repo.push();
    const recorder = world.pool({ looks: eager });
    // the same conversation, recorded: another pool that knows the first commit gets the answers this one would get
    replay.replay();
    await recorder.snapshot(spec, signal);
    replay.record();
    recorder.look({ spec });
    await recorder.snapshot(spec, signal);
    replay.replay();
    for (const spoil of (version === 2 ? (['ls-refs', 'fetch'] as const) : names).flatMap(everySpoil)) {
      replay.spoil = spoil;
      pool.look({ spec });
      const error = await errorOf(pool.snapshot(spec, signal));
      if (!transient.has(error.code)) throw new Error(`${JSON.stringify(spoil)} gave ${error.code}: ${error.message}`);
      expect(pool.lastGood(spec)).toBe(good);
    }
    expect(await contentOf(good)).toEqual(first);
    replay.spoil = undefined;
    replay.record();
    pool.look({ spec });
    expect(await contentOf(await pool.snapshot(spec, signal))).toEqual({ ...first, 'apps/a.ts': 'two' });
  }, 120_000);

  test('G6 G7 any one byte of the pack spoiled is an error, never other content', async () => {
    await world.repo.commitFiles('First', first);
    await world.repo.push();
    replay = await startReplayServer(world.url, version);
    const url = `${replay.url}/app.git`;
    await world.snapshot({ url });
    replay.replay();
    const whole = replay.recorded.get('fetch') ?? Buffer.alloc(0);
    const start = whole.indexOf('PACK');
    for (let at = start; at < whole.length - 4; at += 1) {
      const spoiled = Buffer.from(whole);
      spoiled[at] = (spoiled[at] ?? 0) ^ 0x55;
      replay.replace('fetch', spoiled);
      const error = await errorOf(world.snapshot({ url }));
      if (!transient.has(error.code)) throw new Error(`byte ${at} gave ${error.code}: ${error.message}`);
    }
    replay.replace('fetch', whole);
    expect(await contentOf(await world.snapshot({ url }))).toEqual(first);
  }, 120_000);
});
