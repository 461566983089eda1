// Where an import of the app leads: a file of the commit, a provided package, a Node built-in, or a finding. Denies everything else.
import { isBuiltin } from 'node:module';
import { posix } from 'node:path';
import type { Finding } from '../../model/finding.ts';
import { AuthorMistake, mistake, nearest } from './author-mistake.ts';
import { type CommitFiles, linkDenied } from './commit-files.ts';
import { describeProvided, ignoredPackages, type ProvidedPackages, providedBuiltIns } from './provided-packages.ts';
import { type CompilerOptions, mappedImports, parseJsonWithComments } from './tsconfig.ts';

/** Result of a resolution. */
export type ResolvedImport =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'provided'; readonly name: string }
  | { readonly kind: 'empty' }
  | { readonly kind: 'denied'; readonly finding: Finding };

/** What resolution looks at. */
export interface ImportContext {
  readonly files: CommitFiles;
  readonly options: CompilerOptions;
  readonly provided: ProvidedPackages;
  readonly modules: ReadonlySet<string>;
}

const extensions = ['.ts', '.tsx', '.mts', '.cts', '.js', '.jsx', '.mjs', '.cjs', '.json'];

/** Resolves one import of a file of the commit. */
export function resolveImport(context: ImportContext, given: string, importer: string): ResolvedImport {
  const name = given.replace(/[?#].*$/, (query, offset) => (offset === 0 ? query : ''));
  try {
    if (/^\.{1,2}(\/|$)/.test(name)) return relativeImport(context, name, importer);
    if (name.startsWith('/') || /^(file|data|https?):/i.test(name)) {
      return denied(
        'ImportDenied',
        `the import ${JSON.stringify(given)} is an absolute path or URL`,
        'import files of the repository by a relative path',
      );
    }
    const builtIn = name.replace(/^node:/, '');
    if (providedBuiltIns.has(builtIn)) return { kind: 'provided', name: builtIn };
    if (ignoredPackages.has(name)) return { kind: 'empty' };
    const module = name.replace(/(\.js|\/index(\.js)?)$/, '');
    for (const candidate of [name, module]) if (context.modules.has(candidate)) return { kind: 'provided', name: candidate };
    return mappedImport(context, name) ?? workspaceImport(context, name, importer) ?? notProvided(context, name, builtIn);
  } catch (error) {
    if (error instanceof AuthorMistake && error.findings[0] !== undefined) return { kind: 'denied', finding: error.findings[0] };
    throw error;
  }
}

function relativeImport(context: ImportContext, name: string, importer: string): ResolvedImport {
  const target = posix.normalize(posix.join(posix.dirname(importer), name)).replace(/\/$/, '');
  if (target.startsWith('..')) {
    return denied('ImportDenied', `the import ${JSON.stringify(name)} leads out of the repository`, 'move the file into the repository');
  }
  const path = findFile(context.files, target === '.' ? '' : target, name.endsWith('/') || name.endsWith('.'));
  if (path !== undefined) return { kind: 'file', path };
  const folder = posix.dirname(target) === '.' ? '' : posix.dirname(target);
  const names = context.files.namesFor(folder).map((known) => known.replace(/(\.d)?\.[cm]?[jt]sx?$/, ''));
  const meant = nearest(posix.basename(target).replace(/\.[cm]?[jt]sx?$/, ''), new Set(names));
  const prefix = name.slice(0, name.lastIndexOf('/') + 1);
  const hint = meant === undefined ? 'is the file committed?' : `did you mean "${prefix}${meant}"?`;
  return denied('ImportNotFound', `the import ${JSON.stringify(name)} leads to no file of the commit`, hint);
}

function mappedImport({ files, options }: ImportContext, name: string): ResolvedImport | undefined {
  for (const target of mappedImports(options, name)) {
    const path = target.startsWith('..') ? undefined : findFile(files, target, false);
    if (path !== undefined) return { kind: 'file', path };
  }
  return undefined;
}

/** The file an import without or with another extension means. Each probe is recorded, so that a file added later is noticed. */
function findFile(files: CommitFiles, target: string, onlyFolder: boolean): string | undefined {
  const compiled = /\.([cm]?)(js|jsx)$/.exec(target);
  const sources =
    compiled === null ? [] : [`${target.slice(0, -compiled[0].length)}.${compiled[1]}ts`, `${target.slice(0, -compiled[0].length)}.tsx`];
  const asFile = onlyFolder || target === '' ? [] : [target, ...sources, ...extensions.map((extension) => target + extension)];
  for (const candidate of asFile) {
    const kind = files.probe(candidate);
    if (kind === 'file' || kind === 'executable') return candidate;
    if (kind === 'symlink' || kind === 'submodule') throw new AuthorMistake(linkDenied(candidate, kind));
  }
  return files.kindOf(target) === 'folder' ? findInFolder(files, target) : recordMissing(files, target);
}

function findInFolder(files: CommitFiles, folder: string): string | undefined {
  const main = mainOf(files, folder);
  if (main !== undefined) {
    const path = findFile(files, posix.join(folder, main), false);
    if (path !== undefined) return path;
  }
  for (const extension of extensions) {
    const candidate = posix.join(folder, `index${extension}`);
    const kind = files.probe(candidate);
    if (kind === 'file' || kind === 'executable') return candidate;
  }
  return undefined;
}

function mainOf(files: CommitFiles, folder: string): string | undefined {
  const content = packageJson(files, folder);
  const main = exportsEntry(content?.['exports'], '.') ?? content?.['module'] ?? content?.['main'];
  return typeof main === 'string' && !posix.normalize(main).startsWith('..') ? main : undefined;
}

function packageJson(files: CommitFiles, folder: string): Record<string, unknown> | undefined {
  const text = files.tryReadText(posix.join(folder, 'package.json'));
  const content = text === undefined ? undefined : parseJsonWithComments(text);
  return typeof content === 'object' && content !== null ? (content as Record<string, unknown>) : undefined;
}

/** The target of one subpath of `exports`; conditions in the order an import would try them. */
function exportsEntry(given: unknown, subpath: string): string | undefined {
  if (typeof given === 'string') return subpath === '.' ? given : undefined;
  if (typeof given !== 'object' || given === null) return undefined;
  const table = given as Record<string, unknown>;
  if (Object.keys(table).some((key) => key.startsWith('.'))) return exportsTarget(table[subpath]);
  return subpath === '.' ? exportsTarget(table) : undefined;
}

function exportsTarget(given: unknown): string | undefined {
  if (typeof given === 'string') return given;
  if (typeof given !== 'object' || given === null) return undefined;
  for (const condition of ['node', 'import', 'require', 'default']) {
    const target = exportsTarget((given as Record<string, unknown>)[condition]);
    if (target !== undefined) return target;
  }
  return undefined;
}

function recordMissing(files: CommitFiles, folder: string): undefined {
  if (folder !== '') files.probe(`${folder}/index.ts`);
  return undefined;
}

/** A package of the same repository, found through `workspaces` of a package.json above the importer. */
function workspaceImport(context: ImportContext, name: string, importer: string): ResolvedImport | undefined {
  const parts = name.split('/');
  const packageName = name.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? '');
  const subpath = name.slice(packageName.length + 1);
  for (let at = posix.dirname(importer); ; at = posix.dirname(at)) {
    const root = at === '.' ? '' : at;
    const folder = workspaceFolders(context.files, root).find(
      (candidate) => packageJson(context.files, candidate)?.['name'] === packageName,
    );
    if (folder !== undefined) {
      const exported = subpath === '' ? undefined : exportsEntry(packageJson(context.files, folder)?.['exports'], `./${subpath}`);
      const path =
        subpath === '' ? findInFolder(context.files, folder) : findFile(context.files, posix.join(folder, exported ?? subpath), false);
      return path === undefined
        ? denied('ImportNotFound', `the import ${JSON.stringify(name)} leads to no file of the workspace ${folder}`)
        : { kind: 'file', path };
    }
    if (root === '') return undefined;
  }
}

function workspaceFolders(files: CommitFiles, root: string): string[] {
  const given = packageJson(files, root)?.['workspaces'];
  const patterns = Array.isArray(given)
    ? given
    : Array.isArray((given as { packages?: unknown })?.packages)
      ? (given as { packages: unknown[] }).packages
      : [];
  return patterns
    .filter((pattern): pattern is string => typeof pattern === 'string')
    .flatMap((pattern) => {
      const plain = pattern.replace(/^\.\//, '').replace(/\/$/, '');
      if (!plain.endsWith('/*')) return [posix.join(root, plain)];
      const parent = posix.join(root, plain.slice(0, -2));
      return (files.list(parent) ?? []).filter(([, kind]) => kind === 'folder').map(([name]) => posix.join(parent, name));
    });
}

function notProvided({ provided }: ImportContext, name: string, builtIn: string): ResolvedImport {
  if (isBuiltin(name)) {
    const available = [...providedBuiltIns].filter((known) => !known.includes('/')).join(', ');
    return denied('NotHermetic', `node:${builtIn} is not available during synth`, `available are ${available}`);
  }
  if (name.startsWith('#')) {
    return denied('ImportNotFound', `the subpath import ${JSON.stringify(name)} is not followed`, 'import the file by a relative path');
  }
  const packageName = name.startsWith('@') ? name.split('/').slice(0, 2).join('/') : (name.split('/')[0] ?? name);
  const ownVersion = Object.keys(provided.versions).find((known) => /^cdk8s-plus-\d+$/.test(known));
  const isOtherPlus = /^cdk8s-plus-\d+$/.test(packageName) && packageName !== ownVersion;
  const isDeep = packageName in provided.versions;
  const finding = mistake(
    'PackageNotProvided',
    isDeep ? `${packageName} has no module ${JSON.stringify(name)}` : `the package ${JSON.stringify(packageName)} is not provided`,
    {
      hint: isOtherPlus
        ? `import ${ownVersion} instead`
        : `provided are ${describeProvided(provided)}; commit other code as files of the repository`,
    },
  );
  return { kind: 'denied', finding };
}

function denied(code: Finding['code'], message: string, hint?: string): ResolvedImport {
  return { kind: 'denied', finding: mistake(code, message, hint === undefined ? {} : { hint }) };
}
