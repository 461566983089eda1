// The compiler options of the commit's tsconfig.json that change what code does or where imports lead. Everything else is ignored.
import { posix } from 'node:path';
import type { CommitFiles } from './commit-files.ts';

/** What matters of a tsconfig. */
export interface CompilerOptions {
  /** Given to esbuild as they are. */
  readonly emit: Readonly<Record<string, unknown>>;
  /** Folder that bare imports are looked for in, relative to the repo. */
  readonly baseUrl?: string;
  readonly paths: readonly PathMapping[];
  /** Relative to the repo. */
  readonly outDir?: string;
  readonly rootDir?: string;
}

/** `"@lib/*": ["../lib/*"]`, targets relative to the repo. */
export interface PathMapping {
  readonly prefix: string;
  readonly suffix: string;
  readonly wildcard: boolean;
  readonly targets: readonly string[];
}

const emitOptions = [
  'target',
  'experimentalDecorators',
  'useDefineForClassFields',
  'jsx',
  'jsxFactory',
  'jsxFragmentFactory',
  'alwaysStrict',
  'strict',
];
const deepestExtends = 10;
const noOptions: CompilerOptions = { emit: {}, paths: [] };

/** Options of the nearest tsconfig.json at or above a folder, or of the named one. What it extends is followed within the commit. */
export function readCompilerOptions(files: CommitFiles, folder: string, named: string | undefined): CompilerOptions {
  if (named !== undefined) return readOptions(files, posix.normalize(posix.join(folder, named)), 0) ?? noOptions;
  for (let at = folder; ; at = posix.dirname(at)) {
    const options = readOptions(files, at === '.' || at === '' ? 'tsconfig.json' : `${at}/tsconfig.json`, 0);
    if (options !== undefined || at === '.' || at === '') return options ?? noOptions;
  }
}

function readOptions(files: CommitFiles, path: string, depth: number): CompilerOptions | undefined {
  if (depth > deepestExtends || path.startsWith('..')) return undefined;
  const text = files.tryReadText(path);
  if (text === undefined) return undefined;
  const config = parseJsonWithComments(text) as
    | { readonly extends?: unknown; readonly compilerOptions?: Record<string, unknown> }
    | undefined;
  const bases = [config?.extends].flat().filter((base): base is string => typeof base === 'string' && base.startsWith('.'));
  const folder = posix.dirname(path);
  let options = noOptions;
  for (const base of bases) {
    const target = posix.normalize(posix.join(folder, base));
    const inherited = readOptions(files, target.endsWith('.json') ? target : `${target}.json`, depth + 1);
    options = mergeOptions(options, inherited ?? noOptions);
  }
  return mergeOptions(options, ownOptions(config?.compilerOptions ?? {}, folder));
}

function mergeOptions(base: CompilerOptions, own: CompilerOptions): CompilerOptions {
  return { ...base, ...own, emit: { ...base.emit, ...own.emit }, paths: own.paths.length > 0 ? own.paths : base.paths };
}

function ownOptions(options: Readonly<Record<string, unknown>>, folder: string): CompilerOptions {
  const emit = Object.fromEntries(emitOptions.filter((name) => name in options).map((name) => [name, options[name]]));
  const inRepo = (name: string): string | undefined => {
    const value = options[name];
    return typeof value === 'string' ? posix.normalize(posix.join(folder, value)).replace(/\/$/, '') : undefined;
  };
  const [baseUrl, outDir, rootDir] = ['baseUrl', 'outDir', 'rootDir'].map(inRepo);
  return {
    emit,
    paths: pathMappings(options['paths'], baseUrl ?? folder),
    ...(baseUrl === undefined ? {} : { baseUrl }),
    ...(outDir === undefined ? {} : { outDir }),
    ...(rootDir === undefined ? {} : { rootDir }),
  };
}

function pathMappings(paths: unknown, base: string): PathMapping[] {
  if (typeof paths !== 'object' || paths === null) return [];
  return Object.entries(paths as Record<string, unknown>).map(([pattern, given]) => {
    const [prefix = '', ...rest] = pattern.split('*');
    const targets = [given].flat().filter((target): target is string => typeof target === 'string');
    return {
      prefix,
      suffix: rest.join('*'),
      wildcard: rest.length > 0,
      targets: targets.map((target) => posix.normalize(posix.join(base, target))),
    };
  });
}

/** Where `paths` and `baseUrl` lead an import, best match first; relative to the repo. */
export function mappedImports(options: CompilerOptions, name: string): string[] {
  const matches = options.paths
    .filter((mapping) =>
      mapping.wildcard
        ? name.startsWith(mapping.prefix) && name.endsWith(mapping.suffix) && name.length >= mapping.prefix.length + mapping.suffix.length
        : name === mapping.prefix,
    )
    .sort((left, right) => Number(left.wildcard) - Number(right.wildcard) || right.prefix.length - left.prefix.length);
  const mapped = matches.flatMap((mapping) => {
    const middle = name.slice(mapping.prefix.length, name.length - mapping.suffix.length);
    return mapping.targets.map((target) => (mapping.wildcard ? target.replace('*', () => middle) : target));
  });
  return options.baseUrl === undefined ? mapped : [...mapped, posix.join(options.baseUrl, name)];
}

/** JSON as TypeScript's own configuration allows it: comments and trailing commas. Undefined when it is not even that. */
export function parseJsonWithComments(text: string): unknown {
  const plain = text
    .replace(/("(?:[^"\\]|\\.)*")|\/\/[^\n]*|\/\*[\s\S]*?\*\//g, (_, string) => string ?? '')
    .replace(/("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])/g, (_, string) => string ?? '');
  try {
    return JSON.parse(plain);
  } catch {
    return undefined;
  }
}
