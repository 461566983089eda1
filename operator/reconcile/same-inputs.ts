// Whether two commits are the same to one synth result: only what the result depends on is compared. Pure.
import type { Snapshot, SnapshotEntry } from '../model/snapshot.ts';

type Entries = Snapshot['entries'];

/**
 * True when every path a result was made from is the same in both commits: files by their object id, listed folders (`lib/`) by the names
 * in them, probes that found nothing by still finding nothing.
 */
export function sameInputs(paths: readonly string[], before: Entries, after: Entries): boolean {
  if (before === after) return true;
  const folders = paths.filter(isFolder);
  for (const path of paths) {
    if (!isFolder(path) && !sameEntry(before.get(path), after.get(path))) return false;
  }
  if (folders.length === 0) return true;
  const namesBefore = namesIn(folders, before);
  const namesAfter = namesIn(folders, after);
  return folders.every((folder) => namesBefore.get(folder) === namesAfter.get(folder));
}

function isFolder(path: string): boolean {
  return path.endsWith('/');
}

function sameEntry(left: SnapshotEntry | undefined, right: SnapshotEntry | undefined): boolean {
  return left?.oid === right?.oid && left?.kind === right?.kind;
}

/** The names of each folder's children as one text, from one walk over the sorted paths. `/` and `./` are the root. */
function namesIn(folders: readonly string[], entries: Entries): ReadonlyMap<string, string> {
  const wanted = new Map(
    folders.map((folder) => [folder === './' || folder === '/' ? '' : folder, { asked: folder, names: new Set<string>() }]),
  );
  for (const path of entries.keys()) {
    for (let slash = path.lastIndexOf('/'), end = path.length; end > 0; end = slash, slash = path.lastIndexOf('/', slash - 1)) {
      wanted.get(path.slice(0, slash + 1))?.names.add(path.slice(slash + 1, end) + (end === path.length ? '' : '/'));
      if (slash < 0) break;
    }
  }
  return new Map([...wanted.values()].map(({ asked, names }) => [asked, [...names].sort().join('\n')]));
}
