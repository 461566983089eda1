// isomorphic-git over objects in memory: reads commits, peels tags, tells ancestry. Sees only objects that were verified before.
import { deflateSync } from 'node:zlib';
import git, { type FsClient } from 'isomorphic-git';
import { OperatorError } from '../../model/error.ts';
import type { Revision } from '../../model/revision.ts';
import { sourceError } from '../errors.ts';
import { type ObjectMap, readObject } from './git-object.ts';

/** A commit and the tree it holds. */
export interface CommitInfo {
  readonly revision: Revision;
  readonly tree: string;
}

const gitdir = '/';
const subjectLength = 500;

/**
 * The commit an id stands for: the commit itself, or what an annotated tag finally points to.
 * Throws `RefNotFound` when it is a tree or a file, `ObjectCorrupt` when it cannot be read.
 */
export async function readCommit(objects: ObjectMap, oid: string, name: string): Promise<CommitInfo> {
  try {
    const { oid: sha, commit } = await git.readCommit({ fs: objectView(objects), gitdir, oid });
    const date = new Date(commit.author.timestamp * 1000);
    return {
      tree: commit.tree,
      revision: {
        sha,
        author: oneLine(commit.author.name),
        authorEmail: oneLine(commit.author.email),
        committer: oneLine(commit.committer.name),
        date: (Number.isNaN(date.getTime()) ? new Date(0) : date).toISOString(),
        subject: oneLine(commit.message.split('\n', 1)[0] ?? ''),
        parents: commit.parent,
      },
    };
  } catch (error) {
    if (error instanceof OperatorError) throw error;
    if (error instanceof git.Errors.ObjectTypeError) {
      throw sourceError('RefNotFound', `read ${name}: ${oid} is not a commit`, {
        hint: 'set spec.source.ref to a branch, tag or commit',
        cause: error,
      });
    }
    throw sourceError('ObjectCorrupt', `read ${name}: commit ${oid} cannot be read`, {
      hint: 'run git fsck on the repository',
      cause: error,
    });
  }
}

/** How a commit is related to an earlier one, as far as the objects tell. */
export async function isAncestor(
  objects: ObjectMap,
  shallow: readonly string[],
  ancestor: string,
  oid: string,
  commits: number,
): Promise<boolean> {
  return await git.isDescendent({ fs: objectView(objects, shallow), gitdir, oid, ancestor, depth: commits });
}

function oneLine(text: string): string {
  return text
    .replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .trim()
    .slice(0, subjectLength);
}

/** What isomorphic-git takes for a bare repository of loose objects; it hashes each once more as it reads. Nothing can be written. */
function objectView(objects: ObjectMap, shallow: readonly string[] = []): FsClient {
  const readFile = async (path: string, options?: unknown): Promise<Buffer | string> => {
    const oid = /\/objects\/([0-9a-f]{2})\/([0-9a-f]{38})$/.exec(path)?.slice(1).join('') ?? '';
    const object = objects.get(oid);
    if (object !== undefined) {
      const content = readObject(object, oid);
      return deflateSync(Buffer.concat([Buffer.from(`${object.type} ${content.length}\0`), content]), { level: 0 });
    }
    if (path.endsWith('/shallow') && shallow.length > 0) {
      const text = `${shallow.join('\n')}\n`;
      return options === undefined ? Buffer.from(text) : text;
    }
    throw noSuchFile(path);
  };
  const absent = async (path: string): Promise<never> => {
    throw noSuchFile(path);
  };
  const readOnly = async (path: string): Promise<never> => {
    throw new Error(`write ${path}: objects in memory are read-only`);
  };
  return {
    promises: {
      ...{ readFile, readdir: absent, stat: absent, lstat: absent, readlink: absent },
      ...{ writeFile: readOnly, mkdir: readOnly, rmdir: readOnly, unlink: readOnly, symlink: readOnly },
    },
  };
}

function noSuchFile(path: string): Error {
  return Object.assign(new Error(`no ${path}`), { code: 'ENOENT' });
}
