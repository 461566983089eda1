// The files of a folder or of the Git work tree around it as a Snapshot, so that synth sees what a commit of them would hold. Nothing is written.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { OperatorError } from '../model/error.ts';
import type { Revision } from '../model/revision.ts';
import type { Snapshot, SnapshotEntry } from '../model/snapshot.ts';
import { findWorkTree, type WorkTree } from './git-folder.ts';

/** A snapshot and where in it the folder that was asked for lies. */
export interface LocalSnapshot {
  readonly snapshot: Snapshot;
  /** The folder within the snapshot; '.' for its root. */
  readonly path: string;
  /** Absolute path of the snapshot's root on this machine, for printing positions that an editor can open. */
  readonly root: string;
}

const skipped = new Set(['.git', 'node_modules', 'dist']);

/**
 * The snapshot of the work tree around `folder`: files that Git tracks and untracked files it does not ignore, as they are on disk now.
 * Without a repository: the folder itself.
 */
export async function folderSnapshot(folder: string): Promise<LocalSnapshot> {
  const absolute = path.resolve(folder);
  if (!fs.existsSync(absolute) || !fs.statSync(absolute).isDirectory()) {
    throw new OperatorError(`read folder ${folder}: there is no such folder`, {
      code: 'InvalidConfiguration',
      stage: 'source',
      fate: 'terminal',
    });
  }
  const workTree = findWorkTree(absolute);
  const root = workTree?.root ?? absolute;
  const files = workTree === undefined ? await walk(root, async () => false) : await workTreeFiles(workTree);
  const entries = new Map<string, SnapshotEntry>();
  for (const file of files.sort()) entries.set(file, entryOf(path.join(root, file)));
  const read = async (file: string): Promise<Uint8Array> => fs.readFileSync(path.join(root, file));
  const within = path.relative(root, absolute).replaceAll(path.sep, '/');
  return { snapshot: { revision: notCommitted, ref: 'work tree', entries, read }, path: within === '' ? '.' : within, root };
}

/** The revision of files that are no commit yet. */
const notCommitted: Revision = {
  sha: '0'.repeat(40),
  author: '',
  authorEmail: '',
  committer: '',
  date: '1970-01-01T00:00:00Z',
  subject: 'not committed yet',
  parents: [],
};

async function workTreeFiles({ root, gitdir, commondir }: WorkTree): Promise<string[]> {
  const { default: git } = await import('isomorphic-git');
  const index = await git.listFiles({ fs, dir: root, gitdir });
  const tracked = new Set(index.filter((file) => isEntry(path.join(root, file))));
  const ignored = (name: string): Promise<boolean> => git.isIgnored({ fs, dir: root, gitdir: commondir, filepath: name });
  const trackedFolders = new Set(index.flatMap(foldersOf));
  // What is tracked below a folder counts whatever the ignore files say, so that only the other folders are asked about.
  const prune = async (folder: string): Promise<boolean> => !trackedFolders.has(folder) && (await ignored(folder));
  const untracked: string[] = [];
  for (const file of await walk(root, prune)) if (!tracked.has(file) && !(await ignored(file))) untracked.push(file);
  return [...tracked, ...untracked];
}

/** `a/` and `a/b/` of `a/b/c`. */
function foldersOf(file: string): string[] {
  return file
    .split('/')
    .slice(0, -1)
    .map((_, depth, parts) => `${parts.slice(0, depth + 1).join('/')}/`);
}

/** True for what Git stores under one path: a file, a link, or the folder of a nested repository. */
function isEntry(file: string): boolean {
  const status = fs.lstatSync(file, { throwIfNoEntry: false });
  return status !== undefined && (!status.isDirectory() || fs.existsSync(path.join(file, '.git')));
}

/** Paths of all files below a folder, links and nested repositories included but not followed. `prune` leaves out whole folders. */
async function walk(root: string, prune: (folder: string) => Promise<boolean>, below = ''): Promise<string[]> {
  const files: string[] = [];
  for (const entry of fs.readdirSync(path.join(root, below), { withFileTypes: true })) {
    const name = below === '' ? entry.name : `${below}/${entry.name}`;
    if (skipped.has(entry.name)) continue;
    if (entry.isFile() || entry.isSymbolicLink() || (entry.isDirectory() && isEntry(path.join(root, name)))) files.push(name);
    else if (entry.isDirectory() && !(await prune(`${name}/`))) files.push(...(await walk(root, prune, name)));
  }
  return files;
}

/** The entry of a path. Its object id is worked out when somebody asks for it: most files of a large repository are never read. */
function entryOf(file: string): SnapshotEntry {
  const status = fs.lstatSync(file);
  const kind = status.isDirectory() ? 'submodule' : status.isSymbolicLink() ? 'symlink' : status.mode & 0o100 ? 'executable' : 'file';
  let oid: string | undefined;
  return {
    kind,
    get oid() {
      oid ??=
        kind === 'submodule' ? '0'.repeat(40) : blobId(kind === 'symlink' ? Buffer.from(fs.readlinkSync(file)) : fs.readFileSync(file));
      return oid;
    },
  };
}

function blobId(bytes: Uint8Array): string {
  return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
}
