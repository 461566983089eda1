// Snapshots and following, against a real Git server. Faults are in the files beside this one.
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { eventually } from '../support/eventually.ts';
import { type GitWorld, gitWorld, text } from './git-world.ts';

jest.setTimeout(60_000);

const signal = AbortSignal.timeout(120_000);
const longInterval = 600_000;
let world: GitWorld;

beforeEach(async () => {
  world = await gitWorld();
});
afterEach(() => world.close());

describe('a snapshot', () => {
  test('holds every path of the commit in the order of its bytes, with its kind and content', async () => {
    await world.repo.git('config', 'core.symlinks', 'true');
    const { symlinkSync } = await import('node:fs');
    world.repo.write({ 'a.ts': 'dot', 'a/b.ts': 'slash', 'a-b.ts': 'dash', 'run.sh': '#!/bin/sh\n', 'ünï.txt': 'ü' });
    world.repo.makeExecutable('run.sh');
    symlinkSync('../../etc/passwd', `${world.repo.directory}/link`);
    const sha = await world.repo.commit('First\n\nwith a body', { date: '2026-01-31T12:00:00+02:00' });
    await world.repo.push();
    const snapshot = await world.snapshot();
    expect([...snapshot.entries].map(([path, { kind }]) => `${path} ${kind}`)).toEqual([
      'a-b.ts file',
      'a.ts file',
      'a/b.ts file',
      'link symlink',
      'run.sh executable',
      'ünï.txt file',
    ]);
    expect(text(await snapshot.read('a/b.ts'))).toBe('slash');
    expect(snapshot.ref).toBe('refs/heads/main');
    expect(snapshot.revision).toEqual({
      sha,
      author: 'Ada Author',
      authorEmail: 'ada@example.com',
      committer: 'Ada Author',
      date: '2026-01-31T10:00:00.000Z',
      subject: 'First',
      parents: [],
    });
  });

  test('that is in use stays whole while newer commits come', async () => {
    await world.repo.commitFiles('First', { 'a.ts': 'one', 'b.ts': 'same' });
    await world.repo.push();
    const pool = world.pool();
    const first = await pool.snapshot(world.spec(), signal);
    await world.repo.commitFiles('Second', { 'a.ts': 'two' });
    await world.repo.push();
    pool.look({ spec: world.spec() });
    const second = await pool.snapshot(world.spec(), signal);
    expect([text(await first.read('a.ts')), text(await second.read('a.ts')), text(await second.read('b.ts'))]).toEqual([
      'one',
      'two',
      'same',
    ]);
  });
});

describe('following', () => {
  test('calls back when the branch moved and the interval has passed', async () => {
    await world.repo.commitFiles('First', { 'a.ts': 'one' });
    await world.repo.push();
    const pool = world.pool();
    let changes = 0;
    pool.subscribe(world.spec(), 100, () => {
      changes += 1;
    });
    await eventually(() => expect(changes).toBe(1));
    const second = await world.repo.commitFiles('Second', { 'a.ts': 'two' });
    await world.repo.push();
    await eventually(() => expect(changes).toBe(2));
    expect((await pool.snapshot(world.spec(), signal)).revision.sha).toBe(second);
  });

  test('looks at once when asked by an address spelled in another way', async () => {
    await world.repo.commitFiles('First', { 'a.ts': 'one' });
    await world.repo.push();
    const pool = world.pool();
    let changes = 0;
    pool.subscribe(world.spec(), longInterval, () => {
      changes += 1;
    });
    await eventually(() => expect(changes).toBe(1));
    await world.repo.commitFiles('Second', { 'a.ts': 'two' });
    await world.repo.push();
    expect(pool.look({ url: `${world.url.replace(/\.git$/, '')}/` })).toBe(1);
    await eventually(() => expect(changes).toBe(2));
    expect(pool.look({ url: `${world.url}x` })).toBe(0);
  });
});
