// Finds the Git work tree around a folder and its folder of Git data, linked work trees included. Reads no objects.
import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';

/** A Git work tree on this machine. */
export interface WorkTree {
  /** Root of the work tree, absolute. */
  readonly root: string;
  /** Git data of this work tree: HEAD and index. */
  readonly gitdir: string;
  /** Git data shared by all linked work trees: objects and branches. Equal to `gitdir` in an ordinary clone. */
  readonly commondir: string;
}

/** The Git work tree that encloses a folder, which need not exist itself. Undefined when there is none. */
export function findWorkTree(folder: string): WorkTree | undefined {
  for (let root = path.resolve(folder); ; root = path.dirname(root)) {
    const dotGit = path.join(root, '.git');
    if (existsSync(dotGit)) return workTreeAt(root, dotGit);
    if (root === path.dirname(root)) return undefined;
  }
}

function workTreeAt(root: string, dotGit: string): WorkTree {
  const gitdir = statSync(dotGit).isDirectory()
    ? dotGit
    : path.resolve(
        root,
        readFileSync(dotGit, 'utf8')
          .replace(/^gitdir:\s*/, '')
          .trim(),
      );
  const pointer = path.join(gitdir, 'commondir');
  const commondir = existsSync(pointer) ? path.resolve(gitdir, readFileSync(pointer, 'utf8').trim()) : gitdir;
  return { root, gitdir, commondir };
}
