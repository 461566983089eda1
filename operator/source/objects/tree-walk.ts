// From a tree id to every path of the commit. Subtrees that did not change since the commit before are not parsed again.
import type { SnapshotEntry } from '../../model/snapshot.ts';
import { sourceError } from '../errors.ts';
import type { SourceLimits } from '../limits.ts';
import { type GitObject, type ObjectMap, readObject } from './git-object.ts';
import { parseTree, type TreeEntry } from './tree.ts';

/** One commit's content: paths, the objects they need, and the folders as they were parsed. */
export interface CommitContent {
  readonly entries: ReadonlyMap<string, SnapshotEntry>;
  /** Exactly the trees and files of this commit, so that whatever else there was can be forgotten. */
  readonly objects: Map<string, GitObject>;
  readonly trees: ReadonlyMap<string, readonly TreeEntry[]>;
}

/** Where objects are looked for: what just came, then what is held from before. */
export type ObjectLookup = (oid: string) => GitObject | undefined;

/** An object that the server owes us is not there. */
export class MissingObject extends Error {
  readonly oid: string;

  constructor(oid: string) {
    super(`object ${oid} is missing`);
    this.oid = oid;
  }
}

/**
 * Walks a commit's tree.
 * Guarantees: every file of `entries` is in `objects`; paths are in the order of their bytes.
 * Throws MissingObject, OperatorError.
 */
export function walkTree(root: string, lookup: ObjectLookup, known: CommitContent['trees'], limits: SourceLimits): CommitContent {
  const entries = new Map<string, SnapshotEntry>();
  const objects = new Map<string, GitObject>();
  const trees = new Map<string, readonly TreeEntry[]>();
  let visited = 0;

  const need = (oid: string, isTree: boolean, path: string): GitObject => {
    const object = lookup(oid);
    if (object === undefined) throw new MissingObject(oid);
    if ((object.type === 'tree') !== isTree || (!isTree && object.type !== 'blob')) {
      throw sourceError('ObjectCorrupt', `read ${path} of the commit: object ${oid} is a ${object.type}`, {
        hint: 'run git fsck on the repository',
      });
    }
    objects.set(oid, object);
    return object;
  };
  const walk = (oid: string, prefix: string, depth: number): void => {
    if (depth > limits.depth) throw tooLarge(`folders nested deeper than ${limits.depth}`);
    const tree = need(oid, true, prefix);
    const listing = trees.get(oid) ?? known.get(oid) ?? parseTree(readObject(tree, oid), prefix === '' ? '/' : prefix);
    trees.set(oid, listing);
    for (const { name, kind, oid: child } of listing) {
      const path = prefix + name;
      // folders count too: a tree that names one other tree many times, over many levels, holds no file at all
      visited += 1;
      if (visited > limits.files) throw tooLarge(`more than ${limits.files} files and folders`);
      if (path.length > limits.pathLength) throw tooLarge(`a path of more than ${limits.pathLength} characters`);
      if (kind === 'tree') {
        walk(child, `${path}/`, depth + 1);
        continue;
      }
      if (kind !== 'submodule') need(child, false, path);
      entries.set(path, { oid: child, kind });
    }
  };
  walk(root, '', 1);
  return { entries, objects, trees };
}

function tooLarge(what: string): Error {
  return sourceError('RepoTooLarge', `read the commit: it holds ${what}`, { hint: 'use a smaller manifest repo, or raise the limit' });
}

/** Objects by id from several maps, first come first served. */
export function lookupIn(...maps: readonly ObjectMap[]): ObjectLookup {
  return (oid) => {
    for (const map of maps) {
      const object = map.get(oid);
      if (object !== undefined) return object;
    }
    return undefined;
  };
}
