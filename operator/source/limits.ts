// The numbers that bound one repository: bytes, objects, paths, history. No behaviour.

const mebibyte = 1024 * 1024;

/** What one repository may cost. Going over a limit is `RepoTooLarge`; other repositories do not notice. */
export interface SourceLimits {
  /** Bytes of one ref advertisement. */
  readonly advertisementBytes: number;
  /** Bytes of one pack as it comes over the network. */
  readonly packBytes: number;
  /** Objects in one pack. */
  readonly objects: number;
  /** Bytes of one object after inflation. */
  readonly objectBytes: number;
  /** Bytes of all objects of one pack after inflation. */
  readonly inflatedBytes: number;
  /** Files and folders in a commit. */
  readonly files: number;
  /** Nested folders in a commit. */
  readonly depth: number;
  /** Characters of a path. */
  readonly pathLength: number;
  /** Commits read to find out how two commits are related. */
  readonly historyCommits: number;
}

/** Generous for a manifest repo, small for a machine. */
export const defaultLimits: SourceLimits = {
  advertisementBytes: 32 * mebibyte,
  packBytes: 256 * mebibyte,
  objects: 500_000,
  objectBytes: 64 * mebibyte,
  inflatedBytes: 1024 * mebibyte,
  files: 100_000,
  depth: 64,
  pathLength: 1024,
  historyCommits: 2000,
};
