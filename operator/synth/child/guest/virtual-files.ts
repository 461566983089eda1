// Files as the app sees them: those of the commit, read-only behind the host, and what the app itself has written, in memory.
import { Buffer } from 'buffer';
import path from 'path-browserify';
import { askHost } from './host.ts';
import { currentFolder } from './process.ts';

/** What a path is. */
export type NodeKind = 'file' | 'folder' | 'symlink' | 'none';
/** Content of a written file; a function makes it when somebody reads it. */
export type WrittenContent = Buffer | string | (() => string);

/** A file the app has written. */
export interface WrittenFile {
  readonly content: WrittenContent;
}

const written = new Map<string, WrittenFile>();
const madeFolders = new Set<string>(['/tmp']);
const removed = new Set<string>();

/** The absolute form of whatever an app may pass as a path. */
export function absolutePath(given: unknown): string {
  if (typeof given === 'object' && given !== null && 'href' in given) {
    return decodeURIComponent(String((given as { pathname?: unknown }).pathname));
  }
  if (typeof given !== 'string' && !(given instanceof Uint8Array)) {
    throw Object.assign(new TypeError('The "path" argument must be of type string'), { code: 'ERR_INVALID_ARG_TYPE' });
  }
  return path.resolve(currentFolder(), typeof given === 'string' ? given : Buffer.from(given).toString());
}

/** What is at an absolute path. */
export function kindOf(file: string): NodeKind {
  if (written.has(file)) return 'file';
  if (madeFolders.has(file)) return 'folder';
  if (removed.has(file)) return 'none';
  if (file === '/' || file === currentFolder()) return 'folder';
  const kind = askHost('stat', file) as NodeKind;
  return kind === 'none' && hasWrittenBelow(file) ? 'folder' : kind;
}

/** The content of a file, as text or, for 'latin1', one character per byte. Throws ENOENT and EISDIR like Node. */
export function readContent(file: string, call: string, mode: 'utf8' | 'latin1'): string {
  const own = written.get(file);
  if (own !== undefined) {
    const content = typeof own.content === 'function' ? own.content() : own.content;
    if (typeof content !== 'string') return content.toString(mode);
    return mode === 'utf8' ? content : Buffer.from(content, 'utf8').toString('latin1');
  }
  const kind = kindOf(file);
  if (kind === 'none') throw fileError('ENOENT', 'no such file or directory', call, file);
  if (kind === 'folder') throw fileError('EISDIR', 'illegal operation on a directory', 'read', file);
  return askHost('read', file, mode);
}

/** Size of a file in bytes. */
export function sizeOf(file: string): number {
  return readContent(file, 'stat', 'latin1').length;
}

/** Names and kinds of what is in a folder, sorted. */
export function listFolder(folder: string, call: string): [string, NodeKind][] {
  const kind = kindOf(folder);
  if (kind === 'none') throw fileError('ENOENT', 'no such file or directory', call, folder);
  if (kind !== 'folder') throw fileError('ENOTDIR', 'not a directory', call, folder);
  const names = new Map(removed.has(folder) ? [] : (JSON.parse(askHost('list', folder)) as [string, NodeKind][]));
  const prefix = folder === '/' ? '/' : `${folder}/`;
  for (const name of names.keys()) if (removed.has(prefix + name)) names.delete(name);
  for (const file of [...written.keys(), ...madeFolders]) {
    if (!file.startsWith(prefix)) continue;
    const [name = '', ...rest] = file.slice(prefix.length).split('/');
    if (name !== '') names.set(name, rest.length > 0 || madeFolders.has(file) ? 'folder' : 'file');
  }
  return [...names].sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0));
}

/** Writes a file into memory; the commit itself never changes. */
export function writeFile(file: string, content: WrittenContent): void {
  const parent = path.dirname(file);
  if (kindOf(parent) !== 'folder') throw fileError('ENOENT', 'no such file or directory', 'open', file);
  if (kindOf(file) === 'folder') throw fileError('EISDIR', 'illegal operation on a directory', 'open', file);
  removed.delete(file);
  written.set(file, { content });
}

/** Puts a file where cdk8s writes its output, without asking what the commit has there. */
export function placeFile(file: string, content: WrittenContent): void {
  for (let at = path.dirname(file); at !== '/' && !madeFolders.has(at); at = path.dirname(at)) madeFolders.add(at);
  removed.delete(file);
  written.set(file, { content });
}

/** Makes a folder and those above it. */
export function makeFolder(folder: string): void {
  for (let at = folder; at !== '/' && kindOf(at) !== 'folder'; at = path.dirname(at)) {
    if (kindOf(at) === 'file') throw fileError('EEXIST', 'file already exists', 'mkdir', folder);
    removed.delete(at);
    madeFolders.add(at);
  }
}

/** Forgets a file or folder. */
export function removePath(file: string): void {
  const prefix = `${file}/`;
  for (const name of written.keys()) if (name === file || name.startsWith(prefix)) written.delete(name);
  for (const name of madeFolders) if (name === file || name.startsWith(prefix)) madeFolders.delete(name);
  removed.add(file);
}

/** Files the app has written, with their absolute paths. */
export function writtenFiles(): ReadonlyMap<string, WrittenFile> {
  return written;
}

/** An error with the text and code of Node's own. */
export function fileError(code: string, text: string, call: string, file: string): Error {
  return Object.assign(new Error(`${code}: ${text}, ${call} '${file}'`), { code, syscall: call, path: file, errno: -2 });
}

function hasWrittenBelow(folder: string): boolean {
  const prefix = `${folder}/`;
  for (const name of written.keys()) if (name.startsWith(prefix)) return true;
  for (const name of madeFolders) if (name.startsWith(prefix)) return true;
  return false;
}
