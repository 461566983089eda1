// Files of the commit, asked from the parent one by one, and the record of what the result depends on. There is no disk behind them.
import { frameTypes } from '../frames.ts';
import type { FolderEntry } from '../messages.ts';
import { AuthorMistake, mistake } from './author-mistake.ts';
import { receiveFrame, sendFrame } from './channel.ts';

/** What a path of the commit is. Paths are relative to the root of the repo, '' for the root itself. */
export type PathKind = FolderEntry[1] | 'none';

const lfsHeader = 'version https://git-lfs.github.com/spec/';

/** The files of one commit. */
export class CommitFiles {
  readonly #folders = new Map<string, ReadonlyMap<string, PathKind> | undefined>();
  readonly #contents = new Map<string, Buffer>();
  readonly #read = new Set<string>();
  readonly #limits: { readonly inputBytes: number; readonly inputFiles: number };
  #bytes = 0;

  constructor(limits: { readonly inputBytes: number; readonly inputFiles: number }) {
    this.#limits = limits;
  }

  /** Every path the result depends on so far, sorted; folders that were listed end with `/`. */
  filesRead(): string[] {
    return [...this.#read].sort();
  }

  /** What is at a path, without a record. A path below a symbolic link or submodule is that link or submodule. */
  kindOf(path: string): PathKind {
    if (path === '') return 'folder';
    const slash = path.lastIndexOf('/');
    const parent = slash < 0 ? '' : path.slice(0, slash);
    const names = this.#namesIn(parent);
    if (names !== undefined) return names.get(path.slice(slash + 1)) ?? 'none';
    const above = parent === '' ? 'none' : this.kindOf(parent);
    return above === 'symlink' || above === 'submodule' ? above : 'none';
  }

  /** What is at a path; the result depends on it being that. */
  probe(path: string): PathKind {
    this.#read.add(path);
    return this.kindOf(path);
  }

  /** Like probe, for code that can tell a missing path from a folder. */
  probeAny(path: string): PathKind {
    const kind = this.probe(path);
    if (kind === 'folder' || kind === 'none') this.#read.add(path === '' ? './' : `${path}/`);
    return kind;
  }

  /** Entries of a folder; the result depends on their names. Undefined when there is no such folder. */
  list(folder: string): FolderEntry[] | undefined {
    this.#read.add(folder === '' ? './' : `${folder}/`);
    const names = this.#namesIn(folder);
    return names && ([...names] as FolderEntry[]);
  }

  /** Names in a folder for a hint: no record, since they change no object. */
  namesFor(folder: string): string[] {
    return [...(this.#namesIn(folder)?.keys() ?? [])];
  }

  /** The bytes of a file, or undefined. Throws an AuthorMistake for what is not a plain file. */
  tryRead(path: string): Buffer | undefined {
    const kind = this.probe(path);
    if (kind === 'none' || kind === 'folder') return undefined;
    if (kind === 'symlink' || kind === 'submodule') throw new AuthorMistake(linkDenied(path, kind));
    let content = this.#contents.get(path);
    if (content === undefined) {
      content = this.#fetch(path);
      this.#contents.set(path, content);
    }
    if (content.length < 1024 && content.toString('latin1', 0, lfsHeader.length) === lfsHeader) throw new AuthorMistake(lfsPointer(path));
    return content;
  }

  /** The text of a file, or undefined. */
  tryReadText(path: string): string | undefined {
    return this.tryRead(path)
      ?.toString('utf8')
      .replace(/^\ufeff/, '');
  }

  /** Text of a file that was read before; for code frames. */
  knownText(path: string): string | undefined {
    return this.#contents.get(path)?.toString('utf8');
  }

  #fetch(path: string): Buffer {
    if (this.#contents.size >= this.#limits.inputFiles) throw tooMuchInput(`${this.#limits.inputFiles} files`, path);
    const content = ask(frameTypes.read, path);
    this.#bytes += content.length;
    if (this.#bytes > this.#limits.inputBytes) throw tooMuchInput(`${this.#limits.inputBytes} bytes`, path);
    return content;
  }

  #namesIn(folder: string): ReadonlyMap<string, PathKind> | undefined {
    if (this.#folders.has(folder)) return this.#folders.get(folder);
    const entries = JSON.parse(ask(frameTypes.list, folder).toString('utf8')) as FolderEntry[] | null;
    const names = entries === null ? undefined : new Map<string, PathKind>(entries);
    this.#folders.set(folder, names);
    return names;
  }
}

function ask(type: typeof frameTypes.list | typeof frameTypes.read, path: string): Buffer {
  sendFrame(type, path);
  const frame = receiveFrame();
  if (frame?.type === frameTypes.answer) return frame.payload;
  throw new Error(`the operator did not answer for ${path}`);
}

/** A symbolic link or submodule where a file was expected. */
export function linkDenied(path: string, kind: 'symlink' | 'submodule') {
  const what = kind === 'symlink' ? 'a symbolic link' : 'inside a Git submodule';
  return mistake('ImportDenied', `${path} is ${what}, which is never followed`, { hint: 'commit the file itself' });
}

function lfsPointer(path: string) {
  return mistake('LfsPointer', `${path} is a Git LFS pointer, not its content`, {
    hint: 'keep files that the app reads out of Git LFS',
    position: { file: path, line: 1, column: 1 },
  });
}

function tooMuchInput(limit: string, path: string): AuthorMistake {
  return new AuthorMistake(
    mistake('NotHermetic', `the app reads more than ${limit} of the commit`, {
      hint: `the last one was ${path}; read less, or split the app`,
    }),
  );
}
