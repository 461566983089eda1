// What the isolate may ask: files of the commit, hashes, URLs. Strings in, a string out; nothing thrown crosses the border.
import { createHash, createHmac } from 'node:crypto';
import { posix } from 'node:path';
import { AuthorMistake } from './author-mistake.ts';
import { commitRoot } from './bundle.ts';
import type { CommitFiles, PathKind } from './commit-files.ts';

type Operation = (first: string, second: string, third: string) => string;

const digests = new Set(['md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512']);

/** The function given to the isolate. Answers `+text`, or `-` and JSON of a refusal. */
export function createHostCall(files: CommitFiles): (...parameters: unknown[]) => string {
  const operations: Readonly<Record<string, Operation>> = { ...fileOperations(files), ...hashOperations, ...urlOperations };
  return (...parameters) => {
    const [operation = '', first = '', second = '', third = ''] = parameters.map(String);
    try {
      if (!Object.hasOwn(operations, operation)) throw new Error(`no such operation: ${operation}`);
      return `+${operations[operation]?.(first, second, third)}`;
    } catch (error) {
      return `-${JSON.stringify(describe(error))}`;
    }
  };
}

function describe(error: unknown): object {
  if (error instanceof AuthorMistake) {
    const [finding] = error.findings;
    return { code: finding?.code, message: finding?.message, hint: finding?.hint, errno: 'EACCES' };
  }
  return {
    code: 'SynthFailed',
    message: error instanceof Error ? error.message : String(error),
    errno: (error as NodeJS.ErrnoException).code,
  };
}

const isolateKinds: Readonly<Record<PathKind, string>> = {
  file: 'file',
  executable: 'file',
  folder: 'folder',
  symlink: 'symlink',
  submodule: 'folder',
  none: 'none',
};

function fileOperations(files: CommitFiles): Record<string, Operation> {
  return {
    stat: (file) => {
      const path = inCommit(file);
      return path === undefined ? (commitRoot.startsWith(file) ? 'folder' : 'none') : isolateKinds[files.probeAny(path)];
    },
    list: (folder) => {
      const path = inCommit(folder);
      const entries = path === undefined ? [] : (files.list(path) ?? []);
      return JSON.stringify(entries.map(([name, kind]) => [name, isolateKinds[kind]]));
    },
    read: (file, mode) => {
      const path = inCommit(file);
      const content = path === undefined ? undefined : files.tryRead(path);
      if (content === undefined) throw Object.assign(new Error(`ENOENT: no such file or directory, open '${file}'`), { code: 'ENOENT' });
      return content.toString(mode === 'utf8' ? 'utf8' : 'latin1');
    },
  };
}

/** The path within the commit; undefined for what lies outside. */
function inCommit(file: string): string | undefined {
  const path = posix.normalize(file).replace(/\/$/, '');
  if (path === commitRoot) return '';
  return path.startsWith(`${commitRoot}/`) ? path.slice(commitRoot.length + 1) : undefined;
}

const hashOperations: Record<string, Operation> = {
  hash: (kind, data) => {
    const [encoding, algorithm] = algorithmOf(kind);
    return createHash(algorithm).update(data, encoding).digest('hex');
  },
  hmac: (kind, data, key) => {
    const [encoding, algorithm] = algorithmOf(kind);
    return createHmac(algorithm, Buffer.from(key, 'latin1')).update(data, encoding).digest('hex');
  },
};

function algorithmOf(kind: string): ['utf8' | 'latin1', string] {
  const [encoding = '', algorithm = ''] = kind.split(':');
  const plain = algorithm.toLowerCase().replace('-', '');
  if (!digests.has(plain)) throw new Error(`the digest ${algorithm} is not supported`);
  return [encoding === 'latin1' ? 'latin1' : 'utf8', plain];
}

const urlParts = ['href', 'origin', 'protocol', 'username', 'password', 'host', 'hostname', 'port', 'pathname', 'search', 'hash'] as const;

function describeUrl(url: URL): string {
  return JSON.stringify(Object.fromEntries(urlParts.map((part) => [part, url[part]])));
}

const urlOperations: Record<string, Operation> = {
  url: (input, base) => describeUrl(base === '' ? new URL(input) : new URL(input, base)),
  'url-can-parse': (input, base) => String(base === '' ? URL.canParse(input) : URL.canParse(input, base)),
  'url-set': (href, part, value) => {
    const url = new URL(href);
    if (part !== 'origin' && urlParts.some((known) => known === part)) Object.assign(url, { [part]: value });
    return describeUrl(url);
  },
  'query-parse': (text) => JSON.stringify([...new URLSearchParams(text)]),
  'query-format': (pairs) => new URLSearchParams(JSON.parse(pairs) as [string, string][]).toString(),
};
