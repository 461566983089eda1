// Snapshots of folders and commits on this machine, made with the real git.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { commitSnapshot } from '../../operator/cli/commit-snapshot.ts';
import { folderSnapshot, type LocalSnapshot } from '../../operator/cli/folder-snapshot.ts';
import { formatCodeFrame } from '../../operator/cli/synthesize-folder.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'setpoint-cli-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function write(files: Readonly<Record<string, string>>): void {
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), text);
  }
}

function git(...command: string[]): string {
  const identity = [
    '-c',
    'user.name=Ada',
    '-c',
    'user.email=ada@example.com',
    '-c',
    'init.defaultBranch=main',
    '-c',
    'commit.gpgsign=false',
  ];
  return execFileSync('git', [...identity, ...command], { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
}

function names({ snapshot }: LocalSnapshot): string[] {
  return [...snapshot.entries.keys()];
}

async function textOf({ snapshot }: LocalSnapshot, file: string): Promise<string> {
  return Buffer.from(await snapshot.read(file)).toString('utf8');
}

describe('a folder without a repository', () => {
  test('is a snapshot of its own, without node_modules and dist', async () => {
    write({ 'app/main.ts': 'a', 'app/lib/web.ts': 'b', 'app/node_modules/x/index.js': 'c', 'app/dist/out.yaml': 'd', 'other/file': 'e' });
    const local = await folderSnapshot(path.join(root, 'app'));
    expect({ names: names(local), path: local.path, root: local.root }).toEqual({
      names: ['lib/web.ts', 'main.ts'],
      path: '.',
      root: path.join(root, 'app'),
    });
  });

  test('that does not exist is an error that names it', async () => {
    await expect(folderSnapshot(path.join(root, 'nothing'))).rejects.toThrow(
      `read folder ${path.join(root, 'nothing')}: there is no such folder`,
    );
  });
});

describe('a folder within a work tree', () => {
  beforeEach(() => {
    write({
      '.gitignore': 'secret.txt\n/build/\n*.log\n',
      'apps/web/main.ts': 'committed',
      'apps/web/.gitignore': '!keep.log\n',
      'lib/web.ts': 'shared',
      'dist/tracked.yaml': 'tracked though in dist',
    });
    git('init', '-q');
    git('add', '-f', '.');
    git('commit', '-q', '-m', 'first\n\nbody');
    write({
      'apps/web/main.ts': 'edited',
      'apps/web/new.ts': 'untracked',
      'apps/web/keep.log': 'un-ignored',
      'apps/web/other.log': 'ignored',
      'secret.txt': 'ignored',
      'build/out.js': 'ignored',
      'node_modules/x/index.js': 'skipped',
      'dist/untracked.yaml': 'skipped',
    });
    rmSync(path.join(root, 'lib/web.ts'));
    write({ 'lib/web/index.ts': 'moved' });
    symlinkSync('main.ts', path.join(root, 'apps/web/link.ts'));
  });

  test('shows what a commit of everything would hold: tracked and untracked files as they are on disk, ignored and deleted ones not', async () => {
    const local = await folderSnapshot(path.join(root, 'apps/web'));
    expect(names(local)).toEqual([
      '.gitignore',
      'apps/web/.gitignore',
      'apps/web/keep.log',
      'apps/web/link.ts',
      'apps/web/main.ts',
      'apps/web/new.ts',
      'dist/tracked.yaml',
      'lib/web/index.ts',
    ]);
    expect([local.path, local.root, await textOf(local, 'apps/web/main.ts')]).toEqual(['apps/web', root, 'edited']);
    git('add', '.');
    const committed = git('ls-files', '--', '.', ':!dist').split('\n');
    expect(names(local).filter((name) => !name.startsWith('dist/'))).toEqual(committed.filter((name) => !name.startsWith('node_modules/')));
  });

  test('gives every file the object id that Git would', async () => {
    const { snapshot } = await folderSnapshot(root);
    for (const [file, { oid, kind }] of snapshot.entries) {
      if (kind === 'file') expect([file, oid]).toEqual([file, git('hash-object', '--', file)]);
    }
    expect(snapshot.entries.get('apps/web/link.ts')).toMatchObject({ kind: 'symlink' });
  });

  test('works in a linked work tree', async () => {
    git('worktree', 'add', '-q', path.join(root, 'linked'));
    const linked = path.join(root, 'linked');
    expect(names(await folderSnapshot(linked))).toEqual([
      '.gitignore',
      'apps/web/.gitignore',
      'apps/web/main.ts',
      'dist/tracked.yaml',
      'lib/web.ts',
    ]);
    expect((await commitSnapshot(linked, 'HEAD')).snapshot.revision.subject).toBe('first');
    expect(names(await folderSnapshot(root))).toContain('linked');
  });
});

describe('a commit', () => {
  let first: string;
  beforeEach(() => {
    write({ 'apps/web/main.ts': 'one', 'lib/web.ts': 'shared' });
    git('init', '-q');
    git('add', '.');
    git('commit', '-q', '-m', 'first\n\nbody');
    first = git('rev-parse', 'HEAD');
    git('tag', '-a', 'v1', '-m', 'one');
    write({ 'apps/web/main.ts': 'two' });
    git('commit', '-q', '-am', 'second');
    git('gc', '-q');
    rmSync(path.join(root, 'apps'), { recursive: true });
  });

  test.each(['HEAD~1', 'HEAD^', 'main~', 'v1'])('is found as %s and read without touching the work tree', async (name) => {
    const local = await commitSnapshot(path.join(root, 'apps/web'), name);
    expect(local.snapshot.revision).toMatchObject({
      sha: first,
      author: 'Ada',
      authorEmail: 'ada@example.com',
      subject: 'first',
      parents: [],
    });
    expect([names(local), local.path, await textOf(local, 'apps/web/main.ts')]).toEqual([
      ['apps/web/main.ts', 'lib/web.ts'],
      'apps/web',
      'one',
    ]);
    expect(git('status', '--short')).toBe('D apps/web/main.ts');
  });

  test('is found by the first characters of its id', async () => {
    expect((await commitSnapshot(root, first.slice(0, 8))).snapshot.revision.sha).toBe(first);
  });

  test.each(['nothing', 'HEAD~9', 'ffffffff'])('that does not exist (%s) is an error with the next step', async (name) => {
    await expect(commitSnapshot(root, name)).rejects.toMatchObject({
      code: 'RefNotFound',
      message: `read revision ${name}: the local repository has no such branch, tag or commit`,
    });
  });

  test('outside a repository is an error with the next step', async () => {
    rmSync(path.join(root, '.git'), { recursive: true });
    await expect(commitSnapshot(root, 'HEAD')).rejects.toMatchObject({
      code: 'InvalidConfiguration',
      hint: 'leave out --revision to render the files as they are',
    });
  });
});

describe('code frames', () => {
  const source = 'const a = 1;\n\nfunction web() {\n\tthrow new Error("x");\n}\n';

  test('show the lines around with a caret, tabs kept so that it lines up', () => {
    expect(formatCodeFrame(source, { file: 'a.ts', line: 4, column: 8 })).toBe(
      '  2 |\n  3 | function web() {\n> 4 | \tthrow new Error("x");\n    | \t      ^\n  5 | }',
    );
  });

  test('are left out for a line that is not there', () => {
    expect(formatCodeFrame(source, { file: 'a.ts', line: 40, column: 1 })).toBeUndefined();
  });
});
