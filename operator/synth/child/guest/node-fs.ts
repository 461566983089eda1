// `fs` of the isolate in its three styles (sync, callback, promise), over virtual-files.ts. No streams, watchers or descriptors.
import { Buffer } from 'buffer';
import path from 'path-browserify';
import { fixedInstant } from './globals.ts';
import { notHermetic } from './host.ts';
import {
  absolutePath,
  fileError,
  kindOf,
  listFolder,
  makeFolder,
  type NodeKind,
  readContent,
  removePath,
  sizeOf,
  writeFile,
} from './virtual-files.ts';

type Options = {
  readonly encoding?: string | null;
  readonly recursive?: boolean;
  readonly withFileTypes?: boolean;
  readonly force?: boolean;
};
type OptionsOrEncoding = Options | string | null | undefined;

function encodingOf(options: OptionsOrEncoding): string | undefined {
  return (typeof options === 'string' ? options : options?.encoding) ?? undefined;
}

function readFileSync(file: unknown, options?: OptionsOrEncoding): string | Buffer {
  const target = absolutePath(file);
  const encoding = encodingOf(options)?.toLowerCase();
  if (encoding === 'utf8' || encoding === 'utf-8') return readContent(target, 'open', 'utf8');
  const bytes = Buffer.from(readContent(target, 'open', 'latin1'), 'latin1');
  return encoding === undefined || encoding === 'buffer' ? bytes : bytes.toString(encoding as 'hex');
}

function writeFileSync(file: unknown, data: unknown, options?: OptionsOrEncoding): void {
  const encoding = encodingOf(options);
  const content =
    typeof data === 'string'
      ? encoding === undefined || /^utf-?8$/i.test(encoding)
        ? data
        : Buffer.from(data, encoding as 'hex')
      : data instanceof Uint8Array
        ? Buffer.from(data)
        : String(data);
  writeFile(absolutePath(file), content);
}

function appendFileSync(file: unknown, data: unknown): void {
  const target = absolutePath(file);
  const before = kindOf(target) === 'none' ? '' : readContent(target, 'open', 'utf8');
  writeFile(target, before + (data instanceof Uint8Array ? Buffer.from(data).toString() : String(data)));
}

class Stats {
  readonly mode: number;
  readonly size: number;
  readonly #kind: NodeKind;
  readonly mtime = new Date(fixedInstant);
  readonly ctime = new Date(fixedInstant);
  readonly birthtime = new Date(fixedInstant);
  readonly mtimeMs = fixedInstant;
  constructor(kind: NodeKind, size: number) {
    this.#kind = kind;
    this.size = size;
    this.mode = kind === 'folder' ? 0o40755 : 0o100644;
  }
  isFile = (): boolean => this.#kind === 'file';
  isDirectory = (): boolean => this.#kind === 'folder';
  isSymbolicLink = (): boolean => this.#kind === 'symlink';
  isFIFO = (): boolean => false;
  isSocket = (): boolean => false;
}

function statSync(file: unknown, options?: { readonly throwIfNoEntry?: boolean }): Stats | undefined {
  const target = absolutePath(file);
  const kind = kindOf(target);
  if (kind !== 'none') return new Stats(kind, kind === 'file' ? sizeOf(target) : 0);
  if (options?.throwIfNoEntry === false) return undefined;
  throw fileError('ENOENT', 'no such file or directory', 'stat', target);
}

class Entry {
  readonly name: string;
  readonly parentPath: string;
  readonly path: string;
  readonly #kind: NodeKind;
  constructor(name: string, parentPath: string, kind: NodeKind) {
    this.name = name;
    this.parentPath = parentPath;
    this.path = parentPath;
    this.#kind = kind;
  }
  isFile = (): boolean => this.#kind === 'file';
  isDirectory = (): boolean => this.#kind === 'folder';
  isSymbolicLink = (): boolean => this.#kind === 'symlink';
}

function readdirSync(folder: unknown, options?: OptionsOrEncoding): (string | Entry)[] {
  const root = absolutePath(folder);
  const { recursive = false, withFileTypes = false } = typeof options === 'object' && options !== null ? options : {};
  const found: (string | Entry)[] = [];
  const visit = (at: string, prefix: string): void => {
    for (const [name, kind] of listFolder(at, 'scandir')) {
      found.push(withFileTypes ? new Entry(name, at, kind) : prefix + name);
      if (recursive && kind === 'folder') visit(path.join(at, name), `${prefix}${name}/`);
    }
  };
  visit(root, '');
  return found;
}

function existsSync(file: unknown): boolean {
  try {
    return kindOf(absolutePath(file)) !== 'none';
  } catch {
    return false;
  }
}

function accessSync(file: unknown): void {
  const target = absolutePath(file);
  if (kindOf(target) === 'none') throw fileError('ENOENT', 'no such file or directory', 'access', target);
}

function mkdirSync(folder: unknown, options?: Options | number): string | undefined {
  const target = absolutePath(folder);
  const recursive = typeof options === 'object' && options.recursive === true;
  if (!recursive && kindOf(target) !== 'none') throw fileError('EEXIST', 'file already exists', 'mkdir', target);
  if (!recursive && kindOf(path.dirname(target)) !== 'folder') throw fileError('ENOENT', 'no such file or directory', 'mkdir', target);
  makeFolder(target);
  return recursive ? target : undefined;
}

let temporaryFolders = 0;

function mkdtempSync(prefix: unknown): string {
  const folder = `${absolutePath(prefix)}${String(++temporaryFolders).padStart(6, '0')}`;
  makeFolder(folder);
  return folder;
}

function rmSync(file: unknown, options?: Options): void {
  const target = absolutePath(file);
  if (kindOf(target) !== 'none') removePath(target);
  else if (options?.force !== true) throw fileError('ENOENT', 'no such file or directory', 'rm', target);
}

function copyFileSync(from: unknown, to: unknown): void {
  writeFile(absolutePath(to), Buffer.from(readContent(absolutePath(from), 'copyfile', 'latin1'), 'latin1'));
}

function renameSync(from: unknown, to: unknown): void {
  copyFileSync(from, to);
  removePath(absolutePath(from));
}

function realpathSync(file: unknown): string {
  accessSync(file);
  return absolutePath(file);
}

const synchronous = {
  readFile: readFileSync,
  writeFile: writeFileSync,
  appendFile: appendFileSync,
  stat: statSync,
  lstat: statSync,
  readdir: readdirSync,
  access: accessSync,
  mkdir: mkdirSync,
  mkdtemp: mkdtempSync,
  rm: rmSync,
  rmdir: rmSync,
  unlink: rmSync,
  copyFile: copyFileSync,
  rename: renameSync,
  realpath: realpathSync,
};
type AnyCall = (...parameters: unknown[]) => unknown;
const calls = Object.entries(synchronous) as unknown as [string, AnyCall][];

/** `fs/promises`. */
export const promises: Record<string, unknown> = Object.fromEntries(
  calls.map(([name, call]) => [name, async (...parameters: unknown[]) => call(...parameters)]),
);

function withCallback(call: AnyCall): AnyCall {
  return (...parameters) => {
    const callback = parameters.pop() as (error: unknown, value?: unknown) => void;
    if (typeof callback !== 'function') throw new TypeError('The "cb" argument must be of type function');
    void Promise.resolve()
      .then(() => call(...parameters))
      .then((value) => callback(null, value), callback);
  };
}

function refuse(name: string): AnyCall {
  return () => {
    throw notHermetic(`fs.${name}`, 'read files with fs.readFileSync and folders with fs.readdirSync');
  };
}

const refused = ['createReadStream', 'createWriteStream', 'open', 'openSync', 'watch', 'watchFile', 'symlink', 'symlinkSync', 'linkSync'];

/** `fs`. */
export const fs: Record<string, unknown> = {
  ...Object.fromEntries(calls.map(([name, call]) => [name, withCallback(call)])),
  ...Object.fromEntries(calls.map(([name, call]) => [`${name}Sync`, call])),
  ...Object.fromEntries(refused.map((name) => [name, refuse(name)])),
  existsSync,
  chmodSync() {},
  promises,
  constants: { F_OK: 0, R_OK: 4, W_OK: 2, X_OK: 1 },
  Stats,
  Dirent: Entry,
};
