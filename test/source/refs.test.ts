// Branches, tags, commits and versions that come, go and move on a real Git server.
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { eventually } from '../support/eventually.ts';
import { errorOf, type GitWorld, gitWorld, text } from './git-world.ts';

jest.setTimeout(60_000);

const signal = AbortSignal.timeout(300_000);
const longInterval = 600_000;
let world: GitWorld;
let first: string;

beforeEach(async () => {
  world = await gitWorld();
  first = await world.repo.commitFiles('First', { 'a.ts': 'one' });
  await world.repo.push();
});
afterEach(() => world.close());

/** Protocol version 1 and no favours, as older servers are. */
function oldServer(config: Readonly<Record<string, string>> = {}): Promise<GitWorld> {
  return gitWorld({
    config: { 'uploadpack.allowAnySHA1InWant': 'false', 'uploadpack.allowFilter': 'false', ...config },
    intercept: (request, _, next) => {
      delete request.headers['git-protocol'];
      next();
    },
  });
}

describe('what spec.source.ref may name', () => {
  test('an annotated tag, a tag of a tag, a version range, a full ref, a commit', async () => {
    await world.repo.tag('v1.0.0', { message: 'one' });
    await world.repo.tag('nested', { message: 'tag of a tag', commit: 'v1.0.0' });
    const second = await world.repo.commitFiles('Second', { 'a.ts': 'two' });
    await world.repo.tag('v1.1.0');
    await world.repo.git('push', '-q', 'origin', '--all');
    await world.repo.git('push', '-q', 'origin', '--tags');
    const shaOf = async (ref: string | undefined) => (await world.snapshot({ ...(ref === undefined ? {} : { ref }) })).revision.sha;
    expect(await shaOf('v1.0.0')).toBe(first);
    expect(await shaOf('nested')).toBe(first);
    expect(await shaOf('^1.0.0')).toBe(second);
    expect(await shaOf('refs/tags/v1.0.0')).toBe(first);
    expect(await shaOf('HEAD')).toBe(second);
    expect(await shaOf(first.toUpperCase())).toBe(first);
  });

  test("nothing: the remote's HEAD; when that names no commit, other refs still work", async () => {
    const { ref: _, ...withoutRef } = world.spec();
    expect((await world.pool().snapshot(withoutRef, signal)).ref).toBe('refs/heads/main');
    await world.repo.git('push', '-q', 'origin', 'HEAD:refs/heads/other');
    const { runGit } = await import('../../dev/run-git.ts');
    await runGit(['symbolic-ref', 'HEAD', 'refs/heads/gone'], { directory: world.server.repositoryPath('app.git') });
    const error = await errorOf(world.pool().snapshot(withoutRef, signal));
    expect([error.code, error.message]).toEqual(['RefNotFound', expect.stringContaining('it names refs/heads/gone')]);
    expect((await world.snapshot({ ref: 'main' })).revision.sha).toBe(first);
  });

  test('G4 a misspelled branch is an error that lists what is there', async () => {
    const error = await errorOf(world.snapshot({ ref: 'mian' }));
    expect([error.code, error.fate, error.hint]).toEqual(['RefNotFound', 'terminal', 'there is "main"']);
  });

  test('G22 a ref that looks like an option is refused before anything is sent', async () => {
    expect((await errorOf(world.snapshot({ ref: '--upload-pack=touch /tmp/x' }))).code).toBe('RefNotFound');
    expect(world.server.requests.filter(({ path }) => path.startsWith('/app.git')).length).toBe(0);
  });

  test('a repository without commits is RefNotFound, one with SHA-256 ids is refused with a reason', async () => {
    const empty = await world.server.createRepository('empty.git');
    expect((await errorOf(world.snapshot({ url: empty }))).hint).toBe('push a first commit');
    const sha256 = await world.server.createRepository('sha256.git', { objectFormat: 'sha256' });
    expect((await errorOf(world.snapshot({ url: sha256 }))).message).toContain('sha256');
  });
});

describe('G3 a branch that is deleted', () => {
  test('is RefNotFound; the last good commit stays; it goes on when the branch is back', async () => {
    const pool = world.pool();
    const spec = world.spec({ ref: 'live' });
    await world.repo.git('push', '-q', 'origin', 'HEAD:refs/heads/live');
    let changes = 0;
    pool.subscribe(spec, longInterval, () => {
      changes += 1;
    });
    const good = await pool.snapshot(spec, signal);
    await world.repo.git('push', '-q', 'origin', ':refs/heads/live');
    pool.look({ spec });
    expect((await errorOf(pool.snapshot(spec, signal))).code).toBe('RefNotFound');
    expect(pool.lastGood(spec)).toBe(good);
    expect(text(await good.read('a.ts'))).toBe('one');
    await world.repo.git('push', '-q', 'origin', 'HEAD:refs/heads/live');
    pool.look({ spec });
    expect((await pool.snapshot(spec, signal)).revision.sha).toBe(first);
    expect(changes).toBe(3);
  });
});

describe('G1 G2 rewritten history', () => {
  test('G1 a force push is followed and reported once, with both commits', async () => {
    const second = await world.repo.commitFiles('Second', { 'a.ts': 'two' });
    await world.repo.push();
    const pool = world.pool();
    await pool.snapshot(world.spec(), signal);
    await world.repo.reset(first);
    const other = await world.repo.commitFiles('Other', { 'a.ts': 'other' });
    await world.repo.forcePush();
    pool.look({ spec: world.spec() });
    const snapshot = await pool.snapshot(world.spec(), signal);
    expect([snapshot.revision.sha, text(await snapshot.read('a.ts'))]).toEqual([other, 'other']);
    expect(pool.takeRewrite(world.spec())).toEqual({ from: second, to: other });
    expect(pool.takeRewrite(world.spec())).toBeUndefined();
  });

  test.each(['version 2', 'version 1'])('G1 several commits pushed at once, merges among them, are no rewrite (%s)', async (version) => {
    const place = version === 'version 2' ? world : await oldServer();
    try {
      if (place !== world) {
        await place.repo.commitFiles('First', { 'a.ts': 'one' });
        await place.repo.push();
      }
      const pool = place.pool();
      await pool.snapshot(place.spec({ requireFastForward: true }), signal);
      await place.repo.switch('side');
      await place.repo.commitFiles('Side', { 'side.ts': 's' });
      await place.repo.switch('main');
      await place.repo.commitFiles('Beside', { 'main.ts': 'm' });
      await place.repo.git('-c', 'user.name=M', '-c', 'user.email=m@x', 'merge', '-q', '--no-ff', '-m', 'Merge', 'side');
      for (let index = 0; index < 60; index += 1) await place.repo.commit(`Commit ${index}`, { allowEmpty: true });
      await place.repo.push();
      pool.look({ spec: place.spec() });
      const snapshot = await pool.snapshot(place.spec({ requireFastForward: true }), signal);
      expect(snapshot.revision.sha).toBe(await place.repo.head());
      await pool.snapshot(place.spec(), signal);
      expect(pool.takeRewrite(place.spec())).toBeUndefined();
    } finally {
      if (place !== world) await place.close();
    }
  });

  test('G1 with requireFastForward the earlier commit stays and the error says what happened, until a commit on top of it comes', async () => {
    const second = await world.repo.commitFiles('Second', { 'a.ts': 'two' });
    await world.repo.push();
    const pool = world.pool();
    const strict = world.spec({ requireFastForward: true });
    const good = await pool.snapshot(strict, signal);
    await pool.snapshot(world.spec(), signal);
    await world.repo.reset(first);
    const other = await world.repo.commitFiles('Other', { 'a.ts': 'other' });
    await world.repo.forcePush();
    pool.look({ spec: strict });
    const error = await errorOf(pool.snapshot(strict, signal));
    expect([error.code, error.message]).toEqual([
      'NotFastForward',
      expect.stringContaining(`from ${second.slice(0, 8)} to ${other.slice(0, 8)}`),
    ]);
    expect(pool.lastGood(strict)).toBe(good);
    // who does not ask for it shares the poll and follows
    expect((await pool.snapshot(world.spec(), signal)).revision.sha).toBe(other);
    const asked = world.server.requests.length;
    pool.look({ spec: strict });
    expect((await errorOf(pool.snapshot(strict, signal))).code).toBe('NotFastForward');
    expect(world.server.requests.length - asked).toBe(1);
    await world.repo.reset(second);
    const third = await world.repo.commitFiles('Third', { 'a.ts': 'three' });
    await world.repo.forcePush();
    pool.look({ spec: strict });
    expect((await pool.snapshot(strict, signal)).revision.sha).toBe(third);
  });

  test('G2 a history without a common commit is followed and reported', async () => {
    const pool = world.pool();
    await pool.snapshot(world.spec(), signal);
    await world.repo.git('checkout', '-q', '--orphan', 'fresh');
    const root = await world.repo.commitFiles('Root', { 'new.ts': 'new' });
    await world.repo.git('push', '-q', '--force', 'origin', 'HEAD:main');
    pool.look({ spec: world.spec() });
    expect((await pool.snapshot(world.spec(), signal)).revision.sha).toBe(root);
    expect(pool.takeRewrite(world.spec())).toEqual({ from: first, to: root });
  });

  test('G4 a tag that was moved is reported, even forwards', async () => {
    await world.repo.tag('live');
    await world.repo.push('live');
    const pool = world.pool();
    const spec = world.spec({ ref: 'live' });
    await pool.snapshot(spec, signal);
    const second = await world.repo.commitFiles('Second', { 'a.ts': 'two' });
    await world.repo.git('tag', '-f', 'live');
    await world.repo.forcePush('live');
    pool.look({ spec });
    expect((await pool.snapshot(spec, signal)).revision.sha).toBe(second);
    expect(pool.takeRewrite(spec)).toEqual({ from: first, to: second });
  });
});

describe('G20 a commit that is no longer the head of anything', () => {
  test('is fetched by its id where the server allows it, and never asked for again', async () => {
    await world.repo.commitFiles('Second', { 'a.ts': 'two' });
    await world.repo.push();
    const pool = world.pool();
    const spec = world.spec({ ref: first });
    expect(text(await (await pool.snapshot(spec, signal)).read('a.ts'))).toBe('one');
    const asked = world.server.requests.length;
    pool.look({ spec });
    await pool.snapshot(spec, signal);
    expect(world.server.requests.length).toBe(asked);
  });

  test('is found in the history of the branches where the server refuses ids', async () => {
    let refusals = 0;
    const strict = await gitWorld({
      intercept: (request, response, next) => {
        delete request.headers['git-protocol'];
        if (request.method !== 'POST' || refusals === 0) return next();
        refusals -= 1;
        const line = 'ERR upload-pack: not our ref';
        response.setHeader('content-type', 'application/x-git-upload-pack-result');
        response.end(`${(line.length + 4).toString(16).padStart(4, '0')}${line}`);
      },
    });
    try {
      const wanted = await strict.repo.commitFiles('First', { 'a.ts': 'one' });
      await strict.repo.commitFiles('Second', { 'a.ts': 'two' });
      await strict.repo.push();
      refusals = 1;
      expect(text(await (await strict.snapshot({ ref: wanted })).read('a.ts'))).toBe('one');
      refusals = 1;
      expect((await errorOf(strict.snapshot({ ref: wanted }, { limits: { objects: 3 } }))).code).toBe('RepoTooLarge');
      refusals = 1;
      const error = await errorOf(strict.snapshot({ ref: 'ab'.repeat(20) }));
      expect([error.code, error.message]).toEqual(['RefNotFound', expect.stringContaining('no branch or tag holds this commit')]);
    } finally {
      await strict.close();
    }
  });

  test('and that nobody has is RefNotFound', async () => {
    expect((await errorOf(world.snapshot({ ref: 'ab'.repeat(20) }))).code).toBe('RefNotFound');
  });
});

describe('G24 replicas that disagree', () => {
  /** A server whose requests go to one of two repositories. */
  async function twoReplicas(): Promise<{
    world: GitWorld;
    show: (replica: 'app.git' | 'lagging.git' | 'alternate' | readonly string[]) => void;
  }> {
    let shown: string | readonly string[] = 'app.git';
    let turn = -1;
    const place = await gitWorld({
      intercept: (request, _, next) => {
        if (request.method === 'POST') turn += 1;
        const both = shown === 'alternate' ? [turn % 2 === 0 ? 'app.git' : 'lagging.git'] : [shown].flat();
        const replica = both[Math.min(Math.max(turn, 0), both.length - 1)] ?? 'app.git';
        if (request.url?.startsWith('/app.git') === true) request.url = request.url.replace('/app.git', `/${replica}`);
        next();
      },
    });
    await place.server.createRepository('lagging.git');
    await place.repo.git('remote', 'add', 'lagging', place.server.repositoryPath('lagging.git'));
    return {
      world: place,
      show: (replica) => {
        shown = replica;
        turn = -1;
      },
    };
  }

  test('after a restart an older answer is not followed either, and a commit that comes after is, at once', async () => {
    const { world: place, show } = await twoReplicas();
    try {
      await place.repo.commitFiles('First', { 'a.ts': 'one' });
      await place.repo.push();
      await place.repo.git('push', '-q', 'lagging', 'main');
      const second = await place.repo.commitFiles('Second', { 'a.ts': 'two' });
      await place.repo.push();
      show('lagging.git');
      const spec = { ...place.spec(), followedBefore: second };
      const pool = place.pool();
      pool.subscribe(spec, longInterval, () => undefined);
      expect((await errorOf(pool.snapshot(spec, signal))).message).toMatch(/does not come after .*, the commit followed before$/);
      show('app.git');
      const third = await place.repo.commitFiles('Third', { 'a.ts': 'three' });
      await place.repo.push();
      await eventually(async () => expect((await pool.snapshot(spec, signal)).revision.sha).toBe(third));
    } finally {
      await place.close();
    }
  });

  test('a branch that was moved back while nobody looked is followed when it stays there', async () => {
    const head = await world.repo.commitFiles('Second', { 'a.ts': 'two' });
    const spec = { ...world.spec(), followedBefore: head };
    const pool = world.pool();
    pool.subscribe(spec, longInterval, () => undefined);
    await eventually(async () => expect((await pool.snapshot(spec, signal)).revision.sha).toBe(first), { timeout: 30_000 });
  });

  test('an older answer is not followed, however often the replicas take turns', async () => {
    const { world: place, show } = await twoReplicas();
    try {
      await place.repo.commitFiles('First', { 'a.ts': 'one' });
      await place.repo.git('push', '-q', 'lagging', 'main');
      await place.repo.push();
      const pool = place.pool({ looks: { confirmMilliseconds: 0, burst: 1000 } });
      const seen: string[] = [];
      pool.subscribe(place.spec(), longInterval, () => seen.push(pool.lastGood(place.spec())?.revision.sha ?? ''));
      const older = (await pool.snapshot(place.spec(), signal)).revision.sha;
      const newer = await place.repo.commitFiles('Second', { 'a.ts': 'two' });
      await place.repo.push();
      pool.look({ spec: place.spec() });
      await pool.snapshot(place.spec(), signal);
      show('alternate');
      for (let look = 0; look < 20; look += 1) {
        pool.look({ spec: place.spec() });
        expect((await pool.snapshot(place.spec(), signal)).revision.sha).toBe(newer);
      }
      expect(seen).toEqual([older, newer]);
    } finally {
      await place.close();
    }
  });

  test('a real way back (a force push to an earlier commit) is followed once it is confirmed', async () => {
    const pool = world.pool({ looks: { confirmMilliseconds: 300, confirmLooks: 3 } });
    pool.subscribe(world.spec(), longInterval, () => undefined);
    await pool.snapshot(world.spec(), signal);
    const second = await world.repo.commitFiles('Second', { 'a.ts': 'two' });
    await world.repo.push();
    pool.look({ spec: world.spec() });
    await pool.snapshot(world.spec(), signal);
    await world.repo.reset(first);
    await world.repo.forcePush();
    pool.look({ spec: world.spec() });
    expect((await pool.snapshot(world.spec(), signal)).revision.sha).toBe(second);
    await eventually(async () => expect((await pool.snapshot(world.spec(), signal)).revision.sha).toBe(first));
    expect(pool.takeRewrite(world.spec())).toEqual({ from: second, to: first });
  });

  test('a webhook that comes before the replica has the commit is followed up soon', async () => {
    const { world: place, show } = await twoReplicas();
    try {
      await place.repo.commitFiles('First', { 'a.ts': 'one' });
      await place.repo.git('push', '-q', 'lagging', 'main');
      await place.repo.push();
      show('lagging.git');
      const pool = place.pool({ looks: { followUpMilliseconds: [300, 600] } });
      pool.subscribe(place.spec(), longInterval, () => undefined);
      await pool.snapshot(place.spec(), signal);
      const second = await place.repo.commitFiles('Second', { 'a.ts': 'two' });
      pool.look({ url: place.url });
      await pool.snapshot(place.spec(), signal);
      await place.repo.git('push', '-q', 'lagging', 'main');
      await eventually(async () => expect((await pool.snapshot(place.spec(), signal)).revision.sha).toBe(second));
    } finally {
      await place.close();
    }
  });

  test('a replica that names a commit which another refuses is asked again, without a failure', async () => {
    const { world: place, show } = await twoReplicas();
    try {
      await place.repo.commitFiles('First', { 'a.ts': 'one' });
      await place.repo.git('push', '-q', 'lagging', 'main');
      await place.repo.push();
      const pool = place.pool();
      const failures: unknown[] = [];
      pool.subscribe(place.spec(), longInterval, () => failures.push(pool.lastGood(place.spec())?.revision.subject));
      await pool.snapshot(place.spec(), signal);
      await place.repo.commitFiles('Second', { 'a.ts': 'two' });
      await place.repo.push();
      // refs from one replica, the fetch from the other; the next time from the first
      show(['app.git', 'lagging.git', 'app.git']);
      pool.look({ spec: place.spec() });
      expect((await pool.snapshot(place.spec(), signal)).revision.subject).toBe('Second');
      expect(failures).toEqual(['First', 'Second']);
    } finally {
      await place.close();
    }
  });
});

describe('one poll for all', () => {
  test('many subscribers of one source cost one look each interval, and the shortest interval counts', async () => {
    const pool = world.pool({ random: () => 0.5 });
    const subscriptions = Array.from({ length: 50 }, (_, index) =>
      pool.subscribe(world.spec(), index === 7 ? 200 : longInterval, () => undefined),
    );
    await Promise.all(Array.from({ length: 50 }, () => pool.snapshot(world.spec(), signal)));
    const posts = () => world.server.requests.filter(({ method }) => method === 'POST').length;
    expect(posts()).toBe(2);
    await eventually(() => expect(posts()).toBeGreaterThanOrEqual(4));
    subscriptions[7]?.close();
    for (const subscription of subscriptions) subscription.close();
  });

  test('looks asked for while one is running become one more look', async () => {
    const pool = world.pool();
    pool.subscribe(world.spec(), longInterval, () => undefined);
    await pool.snapshot(world.spec(), signal);
    const before = world.server.requests.length;
    for (let index = 0; index < 100; index += 1) pool.look({ url: world.url });
    await pool.snapshot(world.spec(), signal);
    expect(world.server.requests.length - before).toBeLessThanOrEqual(2);
  });
});
