// A commit as people know it. How it is fetched is the source stage's matter.

/** A commit of the manifest repo. */
export interface Revision {
  /** Full object id in lower-case hex. */
  readonly sha: string;
  readonly author: string;
  readonly authorEmail: string;
  readonly committer: string;
  /** RFC 3339, UTC: when the author wrote it. */
  readonly date: string;
  /** First line of the message. */
  readonly subject: string;
  readonly parents: readonly string[];
}

/** The first 8 characters of a commit id. */
export function shortSha(sha: string): string {
  return sha.slice(0, 8);
}
