// From the ref a user wrote to a commit id: branch, tag, full ref, commit, semver range, remote's HEAD. Pure; asks no server.
import semver from 'semver';
import { sourceError } from './errors.ts';
import type { AdvertisedRef, RefList } from './protocol/advertisement.ts';

/** What a ref could mean, and which refs the server must list to decide. */
export type RefQuestion =
  | { readonly kind: 'commit'; readonly oid: string }
  | { readonly kind: 'names'; readonly names: readonly string[]; readonly range: string | undefined; readonly prefixes: readonly string[] };

/** What a ref means now. */
export interface ResolvedRef {
  /** `refs/heads/main`; of a pinned commit its id. */
  readonly name: string;
  /** What to ask the server for: a commit or an annotated tag. */
  readonly want: string;
  /** The commit, when it is known without fetching. */
  readonly commit: string | undefined;
}

const commitPattern = /^[0-9a-f]{40}$/i;

/** Reads `spec.source.ref`. Throws `RefNotFound` for what can be no ref. */
export function readRef(ref: string | undefined, url: string): RefQuestion {
  if (ref === undefined || ref === 'HEAD') return { kind: 'names', names: ['HEAD'], range: undefined, prefixes: ['HEAD'] };
  if (commitPattern.test(ref)) return { kind: 'commit', oid: ref.toLowerCase() };
  const range = ref.trim() === '' || semver.validRange(ref) === null ? undefined : ref;
  if (!isRefName(ref)) {
    if (range !== undefined) return { kind: 'names', names: [], range, prefixes: ['refs/tags/'] };
    throw sourceError('RefNotFound', `resolve ${JSON.stringify(ref.slice(0, 200))} of ${url}: it can be no branch, tag or commit`, {
      hint: 'set spec.source.ref to a branch, a tag, a full commit id, or a semver range over tags',
    });
  }
  if (ref.startsWith('refs/')) return { kind: 'names', names: [ref], range: undefined, prefixes: [ref] };
  const names = [`refs/heads/${ref}`, `refs/tags/${ref}`];
  return { kind: 'names', names, range, prefixes: range === undefined ? names : [`refs/heads/${ref}`, 'refs/tags/'] };
}

/** The rules of git check-ref-format, and no dash in front. */
function isRefName(ref: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  const forbidden = /[\u0000-\u0020\u007f~^:?*[\\]|\.\.|@\{|\/\/|^[-/]|[/.]$|(?:^|\/)\.|\.lock(?:\/|$)|^@$/;
  return ref.length > 0 && ref.length <= 1000 && !forbidden.test(ref);
}

/** Picks what the question means among the server's refs; undefined when there is none. A branch goes before a tag, a name before a range. */
export function chooseRef(question: RefQuestion, list: RefList): ResolvedRef | undefined {
  if (question.kind === 'commit') return { name: question.oid, want: question.oid, commit: undefined };
  for (const name of question.names) {
    const ref = list.refs.get(name);
    if (ref !== undefined) return resolved(ref);
  }
  return question.range === undefined ? undefined : highestTag(question.range, list);
}

function highestTag(range: string, list: RefList): ResolvedRef | undefined {
  let best: { readonly version: semver.SemVer; readonly ref: AdvertisedRef } | undefined;
  for (const ref of list.refs.values()) {
    const version = ref.name.startsWith('refs/tags/') ? semver.parse(ref.name.slice('refs/tags/'.length)) : null;
    if (version === null || !semver.satisfies(version, range)) continue;
    const order = best === undefined ? 1 : semver.compareBuild(version, best.version) || (ref.name < best.ref.name ? -1 : 1);
    if (order > 0) best = { version, ref };
  }
  return best === undefined ? undefined : resolved(best.ref);
}

function resolved(ref: AdvertisedRef): ResolvedRef {
  return { name: ref.target ?? ref.name, want: ref.oid, commit: ref.peeled ?? (ref.name.startsWith('refs/tags/') ? undefined : ref.oid) };
}

/** The error for a ref that is not there, with the names that come closest. `list` holds all branches and tags. */
export function refNotFound(ref: string | undefined, url: string, list: RefList): Error {
  const names = [...list.refs.keys()].flatMap((name) => /^refs\/(?:heads|tags)\/(.+)$/.exec(name)?.[1] ?? []);
  const what = `resolve ${ref ?? "the remote's HEAD"} of ${url}`;
  if (names.length === 0)
    return sourceError('RefNotFound', `${what}: the repository has no commits on any branch`, { hint: 'push a first commit' });
  if (ref === undefined || ref === 'HEAD') {
    const target = list.unbornHead === undefined ? '' : ` (it names ${list.unbornHead})`;
    return sourceError('RefNotFound', `${what}: HEAD leads to no commit${target}`, {
      hint: `set spec.source.ref, for instance to ${closest('main', names)}`,
    });
  }
  if (/^[0-9a-f]{7,39}$/i.test(ref)) {
    return sourceError('RefNotFound', `${what}: there is no such branch or tag`, { hint: 'of a commit give the full id of 40 characters' });
  }
  return sourceError('RefNotFound', `${what}: there is no such branch, tag or version`, { hint: `there is ${closest(ref, names)}` });
}

/** Up to three names, nearest first. */
function closest(wanted: string, names: readonly string[]): string {
  const ranked = names.slice(0, 1000).map((name) => ({ name, distance: editDistance(wanted.slice(0, 100), name.slice(0, 100)) }));
  ranked.sort((left, right) => left.distance - right.distance || (left.name < right.name ? -1 : 1));
  return ranked
    .slice(0, 3)
    .map(({ name }) => JSON.stringify(name))
    .join(', ');
}

function editDistance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= right.length; j += 1) {
      const replace = (row[j - 1] ?? 0) + (left[i - 1] === right[j - 1] ? 0 : 1);
      next.push(Math.min(replace, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[right.length] ?? 0;
}
