// Reads one Git tree object and refuses names that no client should accept. One level: walking down is tree-walk.ts.
import { sourceError } from '../errors.ts';

/** Kind of an entry by its mode; other modes are refused. */
export type TreeEntryKind = 'tree' | 'file' | 'executable' | 'symlink' | 'submodule';

/** One entry of a tree. */
export interface TreeEntry {
  readonly name: string;
  readonly kind: TreeEntryKind;
  readonly oid: string;
}

const kindOfMode: ReadonlyMap<string, TreeEntryKind> = new Map([
  ['40000', 'tree'],
  ['100644', 'file'],
  // written by very old Git: group-writable
  ['100664', 'file'],
  ['100755', 'executable'],
  ['120000', 'symlink'],
  ['160000', 'submodule'],
]);
const space = 0x20;
const idLength = 20;

/**
 * The entries of a tree in Git's order: by bytes, folders as if their name ended in `/`.
 * `where` names the folder for people.
 * Throws `ObjectCorrupt` for a tree Git would not have written, `UnsafePath` for a refused name.
 */
export function parseTree(content: Buffer, where: string): readonly TreeEntry[] {
  const entries: TreeEntry[] = [];
  const folded = new Map<string, string>();
  let previous: Buffer | undefined;
  for (let cursor = 0; cursor < content.length; ) {
    const nameStart = content.indexOf(space, cursor) + 1;
    const nameEnd = nameStart === 0 ? -1 : content.indexOf(0, nameStart);
    const end = nameEnd + 1 + idLength;
    const kind = kindOfMode.get(content.toString('latin1', cursor, Math.max(cursor, nameStart - 1)));
    if (nameEnd < 0 || end > content.length || kind === undefined) throw malformed(where, 'an entry is not valid');
    const nameBytes = content.subarray(nameStart, nameEnd);
    const name = nameBytes.toString('utf8');
    const refusal = refusedName(name) ?? collision(folded, name);
    if (refusal !== undefined) throw unsafe(where, name, refusal);
    const key = kind === 'tree' ? Buffer.concat([nameBytes, Buffer.from('/')]) : nameBytes;
    if (previous !== undefined && Buffer.compare(previous, key) >= 0) throw malformed(where, 'its entries are not in order');
    previous = key;
    entries.push({ name, kind, oid: content.toString('hex', nameEnd + 1, end) });
    cursor = end;
  }
  return entries;
}

/** Characters that HFS+ ignores when it compares names. */
const ignoredByHfs = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g;

/** Why a name is refused, or undefined. What would be `.git` or lead out of its folder on any file system is refused on all. */
export function refusedName(name: string): string | undefined {
  if (name === '') return 'an empty name';
  if (name === '.' || name === '..') return 'a name that leads out of its folder';
  if (/[/\\]/.test(name)) return 'a name that holds a path separator';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u001f\u007f\ufffd]/.test(name)) return 'a name with control characters or bytes that are not UTF-8';
  if (name === '__proto__') return 'a name that means something else in JavaScript';
  const plain = name.replace(ignoredByHfs, '');
  const trimmed = (plain.split(':')[0] ?? '').toLowerCase().replace(/[. ]+$/, '');
  if (trimmed === '.git' || /^\.?git~\d+$/.test(trimmed) || plain === '.' || plain === '..')
    return "a name that some file systems take for Git's own folder";
  return undefined;
}

/** Two names that one file system keeps apart and another does not would give a laptop other files than the cluster. */
function collision(folded: Map<string, string>, name: string): string | undefined {
  const key = name.normalize('NFC').toLowerCase();
  const other = folded.get(key);
  folded.set(key, name);
  return other === undefined ? undefined : `a name that many file systems take for "${other}"`;
}

function malformed(where: string, what: string): Error {
  return sourceError('ObjectCorrupt', `read folder ${where} of the commit: the tree object is not valid: ${what}`, {
    hint: 'run git fsck on the repository',
  });
}

function unsafe(where: string, name: string, refusal: string): Error {
  return sourceError('UnsafePath', `read folder ${where} of the commit: it holds ${JSON.stringify(name)}, ${refusal}`, {
    hint: 'rename or remove it and commit',
  });
}
