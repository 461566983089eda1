// The files of one commit, read straight out of Git objects. No checkout, no working tree.
import type { Revision } from './revision.ts';

/** Kind of a tree entry. Symbolic links and submodules are listed, never followed. */
export type EntryKind = 'file' | 'executable' | 'symlink' | 'submodule';

/** One path of the commit. */
export interface SnapshotEntry {
  /** Object id of the blob: equal id, equal bytes. */
  readonly oid: string;
  readonly kind: EntryKind;
}

/** One commit of a manifest repo and lazy access to its files. */
export interface Snapshot {
  readonly revision: Revision;
  /** The name that was asked for and what it resolved to, e.g. `refs/heads/main`. */
  readonly ref: string;
  /** Every path of the commit, `/` separated, relative to the repo's root, sorted. */
  readonly entries: ReadonlyMap<string, SnapshotEntry>;
  /** Bytes of a file. Throws OperatorError when the object is missing, corrupt or over the limit. */
  read(path: string): Promise<Uint8Array>;
}
