// What a commit may hold, against a real Git server: hostile trees, limits, submodules, large file pointers.
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { runGit } from '../../dev/run-git.ts';
import type { SourceLimits } from '../../operator/source/limits.ts';
import { packObject, readObject } from '../../operator/source/objects/git-object.ts';
import { errorOf, type GitWorld, gitWorld, text } from './git-world.ts';

jest.setTimeout(60_000);

let world: GitWorld;
beforeAll(async () => {
  world = await gitWorld();
  await world.repo.commitFiles('First', { 'a.ts': 'a', 'empty.txt': '', 'deep/er/still/b.ts': 'b' });
  await world.repo.push();
});
afterAll(() => world.close());

const inServer = (...args: string[]) => runGit(args, { directory: world.server.repositoryPath('app.git') });

/** Writes a commit with a tree of raw bytes straight into the server's repository, as no git command would. */
async function pushRawTree(branch: string, tree: Buffer): Promise<void> {
  const { writeFileSync } = await import('node:fs');
  const file = `${world.directory}/tree`;
  writeFileSync(file, tree);
  const id = await inServer('hash-object', '-t', 'tree', '-w', '--literally', file);
  const who = { GIT_AUTHOR_NAME: 'M', GIT_AUTHOR_EMAIL: 'm@x', GIT_COMMITTER_NAME: 'M', GIT_COMMITTER_EMAIL: 'm@x' };
  const commit = await runGit(['commit-tree', '-m', 'raw', id], { directory: world.server.repositoryPath('app.git'), env: who });
  await inServer('update-ref', `refs/heads/${branch}`, commit);
}

async function rawEntry(mode: string, name: string, content = 'x'): Promise<Buffer> {
  const { writeFileSync } = await import('node:fs');
  writeFileSync(`${world.directory}/blob`, content);
  const id = await inServer('hash-object', '-w', `${world.directory}/blob`);
  return Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(id, 'hex')]);
}

describe('hostile trees', () => {
  test.each([['..'], ['.git'], ['__proto__'], ['a\\b']])(
    'G11 a commit with a file named %j is refused whole and says which',
    async (name) => {
      const branch = `evil-${Buffer.from(name).toString('hex')}`;
      await pushRawTree(branch, await rawEntry('100644', name));
      const error = await errorOf(world.snapshot({ ref: branch }));
      expect([error.code, error.fate]).toEqual(['UnsafePath', 'terminal']);
      expect(error.message).toContain(JSON.stringify(name));
    },
  );

  test('G11 files named like members of every object are ordinary files', async () => {
    await world.repo.switch('members');
    await world.repo.commitFiles('Members', { constructor: 'c', 'toString/valueOf': 'v' });
    await world.repo.push();
    const snapshot = await world.snapshot({ ref: 'members' });
    expect(text(await snapshot.read('constructor'))).toBe('c');
    expect((await errorOf(snapshot.read('hasOwnProperty'))).code).toBe('FetchFailed');
    await world.repo.switch('main');
  });

  test('G9 folders that contain one another many times over end at the limit, though they hold no file', async () => {
    let id = (await inServer('hash-object', '-t', 'tree', '-w', '/dev/null')).trim();
    let tree = Buffer.alloc(0);
    for (let level = 0; level < 30; level += 1) {
      tree = Buffer.concat(['a', 'b', 'c'].map((name) => Buffer.concat([Buffer.from(`40000 ${name}\0`), Buffer.from(id, 'hex')])));
      const { writeFileSync } = await import('node:fs');
      writeFileSync(`${world.directory}/tree`, tree);
      id = await inServer('hash-object', '-t', 'tree', '-w', `${world.directory}/tree`);
    }
    await pushRawTree('tree-bomb', tree);
    const error = await errorOf(world.snapshot({ ref: 'tree-bomb' }, { limits: { files: 10_000 } }));
    expect(error.code).toBe('RepoTooLarge');
  });

  test('G12 a submodule is listed, never fetched, and cannot be read', async () => {
    await pushRawTree('submodule', Buffer.concat([Buffer.from('160000 vendored\0'), Buffer.alloc(20, 7)]));
    const snapshot = await world.snapshot({ ref: 'submodule' });
    expect(snapshot.entries.get('vendored')).toEqual({ kind: 'submodule', oid: '07'.repeat(20) });
    expect((await errorOf(snapshot.read('vendored'))).message).toContain('vendored');
  });

  test('G10 a symbolic link out of the commit is listed as one and gives its own text, nothing it points to', async () => {
    await pushRawTree('symlink', await rawEntry('120000', 'link', '/etc/passwd'));
    const snapshot = await world.snapshot({ ref: 'symlink' });
    expect(snapshot.entries.get('link')?.kind).toBe('symlink');
    expect(text(await snapshot.read('link'))).toBe('/etc/passwd');
  });

  test('G13 a large file pointer is given as it stands in Git, to be told by who reads it', async () => {
    const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'a'.repeat(64)}\nsize 12345\n`;
    await pushRawTree('lfs', await rawEntry('100644', 'chart.tgz', pointer));
    expect(text(await (await world.snapshot({ ref: 'lfs' })).read('chart.tgz'))).toBe(pointer);
  });
});

describe('limits', () => {
  test.each<[string, Partial<SourceLimits>]>([
    ['files and folders', { files: 2 }],
    ['depth', { depth: 2 }],
    ['length of a path', { pathLength: 10 }],
    ['objects', { objects: 3 }],
    ['bytes of the transfer', { packBytes: 100 }],
    ['bytes of an object', { objectBytes: 50 }],
    ['bytes in all', { inflatedBytes: 200 }],
  ])('G9 %s: over it is RepoTooLarge, and other repositories do not notice', async (_, limits) => {
    const error = await errorOf(world.snapshot({}, { limits }));
    expect([error.code, error.fate]).toEqual(['RepoTooLarge', 'terminal']);
    expect((await world.snapshot()).entries.size).toBe(3);
  });

  test('G9 bytes of the ref list: over it is RepoTooLarge', async () => {
    expect((await errorOf(world.snapshot({}, { limits: { advertisementBytes: 20 } }))).code).toBe('RepoTooLarge');
  });
});

describe('objects', () => {
  test.each(['ls-refs', 'fetch'] as const)('G5 an answer to %s that goes on after its end is refused', async (name) => {
    const { startReplayServer } = await import('./replay-server.ts');
    const replay = await startReplayServer(world.url, 2);
    try {
      await world.snapshot({ url: `${replay.url}/app.git` });
      replay.replay();
      replay.replace(name, Buffer.concat([replay.recorded.get(name) ?? Buffer.alloc(0), Buffer.from('0000')]));
      const error = await errorOf(world.snapshot({ url: `${replay.url}/app.git` }));
      expect([error.code, error.message]).toEqual(['FetchFailed', expect.stringContaining('goes on after its end')]);
    } finally {
      await replay.close();
    }
  });

  test('G7 bytes that changed in memory are noticed when a file is read', async () => {
    const snapshot = await world.snapshot();
    expect(text(await snapshot.read('empty.txt'))).toBe('');
    const object = packObject('blob', Buffer.from('b'));
    expect(() => readObject(object, snapshot.entries.get('a.ts')?.oid ?? '')).toThrow('its bytes do not match its id');
  });

  test('G7 a server that gives another commit than was asked for is refused', async () => {
    const { startReplayServer } = await import('./replay-server.ts');
    const replay = await startReplayServer(world.url, 2);
    try {
      await world.snapshot({ url: `${replay.url}/app.git` });
      replay.replay();
      const listing = replay.recorded.get('ls-refs')?.toString() ?? '';
      const [oid = ''] = /(?<=^.{4})[0-9a-f]{40}/.exec(listing) ?? [];
      replay.replace('ls-refs', Buffer.from(listing.replace(oid, 'ab'.repeat(20))));
      const error = await errorOf(world.snapshot({ url: `${replay.url}/app.git` }));
      expect([error.code, error.message]).toEqual(['FetchFailed', expect.stringContaining('ab'.repeat(20))]);
    } finally {
      await replay.close();
    }
  });
});
