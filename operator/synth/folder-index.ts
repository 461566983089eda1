// Folders of a commit, found in its sorted list of paths without building a tree.
import type { Snapshot } from '../model/snapshot.ts';
import type { FolderEntry } from './messages.ts';

const sortedPaths = new WeakMap<Snapshot['entries'], readonly string[]>();

function pathsOf(entries: Snapshot['entries']): readonly string[] {
  let paths = sortedPaths.get(entries);
  if (paths === undefined) {
    paths = [...entries.keys()].sort();
    sortedPaths.set(entries, paths);
  }
  return paths;
}

/** Names and kinds directly in a folder ('' for the root), sorted; undefined when nothing is below it. */
export function listFolder(snapshot: Pick<Snapshot, 'entries'>, folder: string): FolderEntry[] | undefined {
  const paths = pathsOf(snapshot.entries);
  const prefix = folder === '' ? '' : `${folder}/`;
  const found: FolderEntry[] = [];
  for (let index = lowerBound(paths, prefix); paths[index]?.startsWith(prefix); ) {
    const path = paths[index] as string;
    const rest = path.slice(prefix.length);
    const slash = rest.indexOf('/');
    if (slash < 0) {
      found.push([rest, snapshot.entries.get(path)?.kind ?? 'file']);
      index++;
    } else {
      const name = rest.slice(0, slash);
      found.push([name, 'folder']);
      // '0' is the character after '/': everything in the folder lies before it
      index = lowerBound(paths, `${prefix}${name}0`, index + 1);
    }
  }
  if (found.length === 0) return undefined;
  return found.sort(([left], [right]) => (left < right ? -1 : 1));
}

function lowerBound(paths: readonly string[], value: string, from = 0): number {
  let [low, high] = [from, paths.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((paths[middle] as string) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
