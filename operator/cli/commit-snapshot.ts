// One commit of the local repository as a Snapshot, read straight out of its Git objects. The work tree is neither read nor changed.
import fs from 'node:fs';
import path from 'node:path';
import { OperatorError } from '../model/error.ts';
import type { EntryKind, Snapshot, SnapshotEntry } from '../model/snapshot.ts';
import type { LocalSnapshot } from './folder-snapshot.ts';
import { findWorkTree } from './git-folder.ts';
import { usageError } from './run-command.ts';

type Git = typeof import('isomorphic-git').default;

/** A repository and the objects already read from it. */
interface Repository {
  readonly git: Git;
  readonly fs: typeof fs;
  readonly gitdir: string;
  readonly cache: object;
}

/**
 * The snapshot of a commit and the place of `folder` in it. `revision` is a branch, a tag, a full or shortened commit id, HEAD, or one of these
 * followed by `~N` or `^`. The folder need not exist in the work tree.
 */
export async function commitSnapshot(folder: string, revision: string): Promise<LocalSnapshot> {
  const workTree = findWorkTree(folder);
  if (workTree === undefined)
    throw usageError(
      `read revision ${revision}: ${folder} is in no Git repository`,
      'leave out --revision to render the files as they are',
    );
  const { default: git } = await import('isomorphic-git');
  const repository: Repository = { git, fs, gitdir: workTree.commondir, cache: {} };
  const oid = await resolveRevision(repository, workTree.gitdir, revision);
  const within = path.relative(workTree.root, path.resolve(folder)).replaceAll(path.sep, '/');
  return { snapshot: await readSnapshot(repository, oid, revision), path: within === '' ? '.' : within, root: workTree.root };
}

async function resolveRevision(repository: Repository, headGitdir: string, revision: string): Promise<string> {
  const [, base = revision, steps = ''] = /^(.+?)((?:~\d*|\^)*)$/.exec(revision) ?? [];
  let oid = await tryResolve(repository, headGitdir, base);
  for (const [step] of steps.matchAll(/~\d*|\^/g)) {
    const generations = step === '^' || step === '~' ? 1 : Number(step.slice(1));
    for (let generation = 0; generation < generations && oid !== undefined; generation += 1) {
      oid = (await repository.git.readCommit({ ...repository, oid })).commit.parent[0];
    }
  }
  if (oid !== undefined) return oid;
  throw new OperatorError(`read revision ${revision}: the local repository has no such branch, tag or commit`, {
    code: 'RefNotFound',
    stage: 'source',
    fate: 'terminal',
    hint: 'fetch it first, or check the name with git log',
  });
}

/** The commit a name stands for. HEAD is the work tree's own, the branch it names is shared. */
async function tryResolve(repository: Repository, headGitdir: string, name: string): Promise<string | undefined> {
  const { git, gitdir } = repository;
  try {
    const ref = name === 'HEAD' ? await git.resolveRef({ fs, gitdir: headGitdir, ref: name, depth: 2 }) : name;
    const found = await git.resolveRef({ fs, gitdir, ref }).catch(() => git.expandOid({ fs, gitdir, oid: ref }));
    return (await git.readCommit({ ...repository, oid: found })).oid;
  } catch (error) {
    if (error instanceof Error && /^(NotFoundError|AmbiguousError|ObjectTypeError)$/.test(error.name)) return undefined;
    throw error;
  }
}

async function readSnapshot(repository: Repository, oid: string, ref: string): Promise<Snapshot> {
  const { commit } = await repository.git.readCommit({ ...repository, oid });
  const entries = new Map<string, SnapshotEntry>();
  await listTree(repository, commit.tree, '', entries);
  return {
    revision: {
      sha: oid,
      author: commit.author.name,
      authorEmail: commit.author.email,
      committer: commit.committer.name,
      date: new Date(commit.author.timestamp * 1000).toISOString(),
      subject: commit.message.split('\n', 1)[0] ?? '',
      parents: commit.parent,
    },
    ref,
    entries: new Map([...entries].sort(([left], [right]) => (left < right ? -1 : 1))),
    read: async (file) => {
      const entry = entries.get(file);
      if (entry === undefined)
        throw new OperatorError(`read ${file} of ${oid}: no such file`, { code: 'Internal', stage: 'source', fate: 'terminal' });
      return (await repository.git.readBlob({ ...repository, oid: entry.oid })).blob;
    },
  };
}

const kinds: Readonly<Record<string, EntryKind>> = { '100644': 'file', '100755': 'executable', '120000': 'symlink', '160000': 'submodule' };

async function listTree(repository: Repository, oid: string, below: string, entries: Map<string, SnapshotEntry>): Promise<void> {
  const { tree } = await repository.git.readTree({ ...repository, oid });
  for (const entry of tree) {
    const file = below === '' ? entry.path : `${below}/${entry.path}`;
    if (entry.type === 'tree') await listTree(repository, entry.oid, file, entries);
    else entries.set(file, { oid: entry.oid, kind: kinds[entry.mode.padStart(6, '0')] ?? 'file' });
  }
}
