// Finds out what a folder of the commit is: a cdk8s app with an entry file, or plain manifests. Reads cdk8s.yaml, package.json and tsconfig.json.
import { posix } from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import type { SourcePosition } from '../../model/manifest.ts';
import { type AppCommand, parseAppCommand } from './app-command.ts';
import { AuthorMistake, mistake, nearest } from './author-mistake.ts';
import { type CommitFiles, linkDenied } from './commit-files.ts';
import { type CompilerOptions, parseJsonWithComments, readCompilerOptions } from './tsconfig.ts';

/** A cdk8s app, ready to be bundled. */
export interface AppProject {
  readonly kind: 'app';
  /** Folder the app runs in, relative to the repo, '' for the root. */
  readonly folder: string;
  /** The file that is run, relative to the repo. */
  readonly entry: string;
  readonly parameters: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly compilerOptions: CompilerOptions;
  /** Folder cdk8s writes to, relative to `folder`. */
  readonly output: string;
}

/** A folder of manifests. */
export interface ManifestProject {
  readonly kind: 'manifests';
  readonly folder: string;
}

const defaultEntries = ['main.ts', 'index.ts', 'main.js', 'index.js', 'main.mts', 'main.mjs', 'src/main.ts', 'src/index.ts'];
const configName = 'cdk8s.yaml';

/** What the folder is. Throws an AuthorMistake when it is nothing that can be synthesized. */
export function findProject(files: CommitFiles, path: string, entry: string | undefined): AppProject | ManifestProject {
  const folder = path === '.' ? '' : path;
  requireFolder(files, folder);
  const config = readConfig(files, folder);
  const output = config?.output ?? 'dist';
  if (entry !== undefined) return appAt(files, folder, entryFile(files, folder, entry), output);
  if (config?.app !== undefined) return appOfCommand(files, folder, config.app, output);
  for (const name of defaultEntries) {
    const file = join(folder, name);
    if (files.probe(file) === 'file' || files.probe(file) === 'executable') return appAt(files, folder, file, output);
  }
  if (config !== undefined) {
    throw new AuthorMistake(
      mistake('InvalidCdk8sYaml', `${join(folder, configName)} has no app command and there is no ${defaultEntries[0]}`, {
        hint: 'add  app: npx ts-node main.ts',
        position: { file: join(folder, configName), line: 1, column: 1 },
      }),
    );
  }
  return { kind: 'manifests', folder };
}

function requireFolder(files: CommitFiles, folder: string): void {
  const kind = files.kindOf(folder);
  if (kind === 'folder') return;
  files.probeAny(folder);
  if (kind === 'symlink' || kind === 'submodule') throw new AuthorMistake(linkDenied(folder, kind));
  const parent = posix.dirname(folder) === '.' ? '' : posix.dirname(folder);
  const meant = nearest(posix.basename(folder), files.namesFor(parent));
  const what = kind === 'none' ? 'does not exist in the commit' : 'is a file, not a folder';
  throw new AuthorMistake(
    mistake('PathNotFound', `the folder ${folder} ${what}`, {
      hint: meant === undefined ? 'correct spec.source.path' : `did you mean ${join(parent, meant)}?`,
    }),
  );
}

interface Config {
  readonly app?: { readonly command: string; readonly position: SourcePosition };
  readonly output?: string;
}

function readConfig(files: CommitFiles, folder: string): Config | undefined {
  const file = join(folder, configName);
  const text = files.tryReadText(file);
  if (text === undefined) return undefined;
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const positionAt = (offset: number): SourcePosition => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const [problem] = document.errors;
  if (problem !== undefined) {
    const message = `${file} is not valid YAML: ${problem.message.split(/ at line |\n/)[0]}`;
    throw new AuthorMistake(mistake('InvalidCdk8sYaml', message, { position: positionAt(problem.pos[0]) }));
  }
  const content: unknown = document.toJS({ maxAliasCount: 10 });
  if (content === null || content === undefined) return {};
  if (typeof content !== 'object' || Array.isArray(content)) {
    throw new AuthorMistake(mistake('InvalidCdk8sYaml', `${file} is not a mapping`, { position: { file, line: 1, column: 1 } }));
  }
  const { app, output } = content as { readonly app?: unknown; readonly output?: unknown };
  const node = document.get('app', true) as { readonly range?: readonly [number, number, number] | null } | undefined;
  const position = positionAt(node?.range?.[0] ?? 0);
  if (app !== undefined && app !== null && typeof app !== 'string') {
    throw new AuthorMistake(
      mistake('InvalidCdk8sYaml', `${file}: app is not a text`, { position, hint: 'write  app: npx ts-node main.ts' }),
    );
  }
  return {
    ...(typeof app === 'string' && app.trim() !== '' ? { app: { command: app, position } } : {}),
    ...(typeof output === 'string' && output !== '' ? { output } : {}),
  };
}

function appOfCommand(files: CommitFiles, folder: string, app: { command: string; position: SourcePosition }, output: string): AppProject {
  const result = parseAppCommand(app.command, (name) => scriptOf(files, folder, name));
  if ('problem' in result) {
    throw new AuthorMistake(
      mistake('InvalidCdk8sYaml', `the app command ${JSON.stringify(app.command)} is not understood: ${result.problem}`, {
        hint: 'write  app: npx ts-node main.ts , or set spec.source.entry',
        position: app.position,
      }),
    );
  }
  const compilerOptions = readCompilerOptions(files, folder, result.tsconfig);
  const entry = sourceOf(files, folder, result.script, compilerOptions);
  if (entry === undefined) {
    const named = posix.normalize(join(folder, result.script));
    throw new AuthorMistake(entryNotFound(files, named, `named by ${posix.join(folder, configName)}`, app.position));
  }
  return { ...project(folder, entry, compilerOptions, output), ...commandParts(result) };
}

function commandParts({ parameters, environment }: AppCommand): Pick<AppProject, 'parameters' | 'environment'> {
  return { parameters, environment };
}

function appAt(files: CommitFiles, folder: string, entry: string, output: string): AppProject {
  return project(folder, entry, readCompilerOptions(files, posix.dirname(entry), undefined), output);
}

function project(folder: string, entry: string, compilerOptions: CompilerOptions, output: string): AppProject {
  return { kind: 'app', folder, entry, parameters: [], environment: {}, compilerOptions, output };
}

function entryFile(files: CommitFiles, folder: string, entry: string): string {
  const named = posix.normalize(join(folder, entry));
  const found = named.startsWith('..') ? undefined : sourceOf(files, folder, entry, readCompilerOptions(files, folder, undefined));
  if (found !== undefined) return found;
  throw new AuthorMistake(entryNotFound(files, named, 'named by spec.source.entry', undefined));
}

function entryNotFound(files: CommitFiles, named: string, by: string, position: SourcePosition | undefined) {
  const parent = posix.dirname(named) === '.' ? '' : posix.dirname(named);
  const meant = named.startsWith('..') ? undefined : nearest(posix.basename(named), files.namesFor(parent));
  return mistake('EntryNotFound', `the entry file ${named}, ${by}, does not exist`, {
    ...(meant === undefined ? {} : { hint: `did you mean ${join(parent, meant)}?` }),
    ...(position === undefined ? {} : { position }),
  });
}

/** The file a command means: as named, without extension, or the TypeScript a named JavaScript file would be compiled from. */
function sourceOf(files: CommitFiles, folder: string, script: string, options: CompilerOptions): string | undefined {
  const named = posix.normalize(join(folder, script));
  if (named.startsWith('..')) return undefined;
  const { outDir, rootDir = folder } = options;
  const compiledFrom = [named];
  if (outDir !== undefined && named.startsWith(`${outDir}/`))
    compiledFrom.push(join(rootDir === '.' ? '' : rootDir, named.slice(outDir.length + 1)));
  const withoutFolder = posix.join(folder, script.replace(/^(\.\/)?(dist|lib|build|out)\//, ''));
  compiledFrom.push(withoutFolder, join(folder, posix.join('src', posix.relative(folder, withoutFolder))));
  for (const candidate of compiledFrom.flatMap(sourceNames)) {
    const kind = files.probe(candidate);
    if (kind === 'file' || kind === 'executable') return candidate;
    if (kind === 'symlink' || kind === 'submodule') throw new AuthorMistake(linkDenied(candidate, kind));
  }
  return undefined;
}

function sourceNames(file: string): string[] {
  const typescript = file.replace(/\.([cm]?)js$/, '.$1ts');
  if (typescript !== file) return [file, typescript];
  return /\.[cm]?tsx?$/.test(file) ? [file] : [file, `${file}.ts`, `${file}.js`, `${file}/index.ts`, `${file}/index.js`];
}

/** A script of the nearest package.json at or above a folder. */
function scriptOf(files: CommitFiles, folder: string, name: string): string | undefined {
  for (let at = folder; ; at = posix.dirname(at) === '.' ? '' : posix.dirname(at)) {
    const text = files.tryReadText(join(at, 'package.json'));
    if (text !== undefined) {
      const content = parseJsonWithComments(text) as { readonly scripts?: Readonly<Record<string, unknown>> } | undefined;
      const script = Object.hasOwn(content?.scripts ?? {}, name) ? content?.scripts?.[name] : undefined;
      return typeof script === 'string' ? script : undefined;
    }
    if (at === '') return undefined;
  }
}

function join(folder: string, name: string): string {
  return folder === '' ? name : posix.join(folder, name);
}
