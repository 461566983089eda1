// Bundles the app from files of the commit alone: every import goes through our own resolution, nothing is read from disk.
import { posix } from 'node:path';
import esbuild, { type Loader, type Message, type Plugin } from 'esbuild';
import type { Finding } from '../../model/finding.ts';
import { AuthorMistake, mistake } from './author-mistake.ts';
import { codeFrame } from './code-frame.ts';
import type { CommitFiles } from './commit-files.ts';
import type { AppProject } from './project.ts';
import type { ProvidedPackages } from './provided-packages.ts';
import { resolveImport } from './resolve-import.ts';

/** A bundled app. */
export interface Bundle {
  readonly code: string;
  /** JSON of the source map; sources are paths of the commit. */
  readonly map: string;
  /** Characters put in front of the first line of a file, to be taken off again from columns. */
  readonly shifts: ReadonlyMap<string, number>;
  /** Files made by `cdk8s import`. */
  readonly generated: ReadonlySet<string>;
  /** True when the code waits for something, so that its end may come before it is done. */
  readonly asynchronous: boolean;
}

/** Root of the commit as the app sees it. */
export const commitRoot = '/repo';

const textExtensions = new Set([
  '.yaml',
  '.yml',
  '.txt',
  '.md',
  '.sh',
  '.conf',
  '.ini',
  '.toml',
  '.tpl',
  '.tmpl',
  '.sql',
  '.properties',
  '.pem',
  '.crt',
  '.html',
  '.css',
  '.csv',
  '.xml',
  '.env',
  '.lua',
  '.py',
]);
const scriptLoaders: Readonly<Record<string, Loader>> = {
  '.ts': 'ts',
  '.mts': 'ts',
  '.cts': 'ts',
  '.tsx': 'tsx',
  '.js': 'jsx',
  '.jsx': 'jsx',
  '.mjs': 'jsx',
  '.cjs': 'jsx',
  '.json': 'json',
};
const banner = '__setpoint.run(function(require,module,exports){';
const asyncBanner = '__setpoint.run(async function(require,module,exports){';

/** Bundles an app. Throws an AuthorMistake with everything esbuild and resolution have to say. */
export async function bundleApp(files: CommitFiles, project: AppProject, provided: ProvidedPackages): Promise<Bundle> {
  const seen: Sources = { shifts: new Map(), generated: new Set(), asynchronous: false };
  const plugin = commitPlugin(files, project, provided, seen);
  const result = (await build(project, plugin, 'cjs')) ?? (await build(project, plugin, 'esm'));
  if (result === undefined) throw new Error('the bundler made nothing');
  const findings = result.errors.map((message) => toFinding(message, seen, files));
  if (findings.length > 0) throw new AuthorMistake(...findings);
  const [code, map] = ['.js', '.map'].map((ending) => result.outputFiles?.find((file) => file.path.endsWith(ending))?.text ?? '');
  return { code: code ?? '', map: map ?? '', shifts: seen.shifts, generated: seen.generated, asynchronous: seen.asynchronous };
}

type Result = Pick<esbuild.BuildResult, 'errors' | 'outputFiles'>;
interface Sources {
  readonly shifts: Map<string, number>;
  readonly generated: Set<string>;
  asynchronous: boolean;
}

/** Undefined when the code awaits at its top level, which only the other format can do. */
async function build(project: AppProject, plugin: Plugin, format: 'cjs' | 'esm'): Promise<Result | undefined> {
  const options: esbuild.BuildOptions = {
    entryPoints: [`commit:${project.entry}`],
    absWorkingDir: '/',
    outfile: '/app.js',
    bundle: true,
    write: false,
    format,
    platform: 'node',
    target: 'es2024',
    sourcemap: 'external',
    sourcesContent: false,
    sourceRoot: '',
    treeShaking: true,
    // apps use the names of classes as ids of constructs
    keepNames: true,
    charset: 'utf8',
    logLevel: 'silent',
    logLimit: 0,
    tsconfigRaw: { compilerOptions: project.compilerOptions.emit },
    define: {
      'import.meta.url': '__setpoint_url',
      'import.meta.dirname': '__dirname',
      'import.meta.filename': '__filename',
      'process.env.NODE_ENV': 'undefined',
    },
    banner: { js: format === 'cjs' ? banner : asyncBanner },
    footer: { js: '})' },
    plugins: [plugin],
  };
  try {
    const { errors, outputFiles } = await esbuild.build(options);
    return { errors, outputFiles };
  } catch (error) {
    const errors = (error as { readonly errors?: readonly Message[] }).errors;
    if (errors === undefined) throw error;
    if (format === 'cjs' && errors.some((message) => /top-level await/i.test(message.text))) return undefined;
    return { errors: [...errors], outputFiles: [] };
  }
}

function commitPlugin(files: CommitFiles, project: AppProject, provided: ProvidedPackages, seen: Sources): Plugin {
  const modules = new Set(provided.modules);
  const context = { files, options: project.compilerOptions, provided, modules };
  return {
    name: 'commit',
    setup(plugins) {
      plugins.onResolve({ filter: /.*/ }, ({ kind, path, importer, namespace }) => {
        if (kind === 'entry-point') return { path: project.entry, namespace: 'commit' };
        if (namespace === 'provided') return { path, external: true };
        if (namespace !== 'commit') return { errors: [{ text: `unexpected import of ${path}` }] };
        const resolved = resolveImport(context, path, importer);
        switch (resolved.kind) {
          case 'file':
            return { path: resolved.path, namespace: 'commit' };
          case 'provided':
            return { path: resolved.name, namespace: 'provided' };
          case 'empty':
            return { path, namespace: 'empty' };
          case 'denied':
            return { errors: [{ text: resolved.finding.message, detail: resolved.finding }] };
        }
      });
      plugins.onLoad({ filter: /.*/, namespace: 'provided' }, ({ path }) => ({
        contents: `module.exports=require(${JSON.stringify(path)})`,
        loader: 'js',
      }));
      plugins.onLoad({ filter: /.*/, namespace: 'empty' }, () => ({ contents: '', loader: 'js' }));
      plugins.onLoad({ filter: /.*/, namespace: 'commit' }, ({ path, with: attributes }) =>
        load(files, path, attributes, path === project.entry, seen),
      );
      plugins.onLoad({ filter: /.*/ }, ({ path }) => ({ errors: [{ text: `${path} is not a file of the commit` }] }));
    },
  };
}

function load(
  files: CommitFiles,
  path: string,
  attributes: Readonly<Record<string, string>>,
  isEntry: boolean,
  seen: Sources,
): esbuild.OnLoadResult {
  try {
    const content = files.tryReadText(path);
    if (content === undefined) return { errors: [{ text: `${path} is not a file of the commit` }] };
    const extension = posix.extname(path).toLowerCase();
    const loader = attributes['type'] === 'text' ? 'text' : scriptLoaders[extension];
    if (loader === undefined || loader === 'text') {
      if (loader === 'text' || textExtensions.has(extension) || extension === '') return { contents: content, loader: 'text' };
      return {
        errors: [
          {
            text: `files ending in ${extension} cannot be imported`,
            detail: mistake('ImportDenied', `${path}: files ending in ${extension} cannot be imported`, {
              hint: 'read it with fs.readFileSync',
            }),
          },
        ],
      };
    }
    if (loader === 'json') return { contents: content, loader };
    return { contents: prepareScript(content, path, isEntry, seen), loader };
  } catch (error) {
    if (error instanceof AuthorMistake) return { errors: error.findings.map((finding) => ({ text: finding.message, detail: finding })) };
    throw error;
  }
}

/** Gives a file its own `__dirname`, keeps esbuild from looking for its source map, and notes what matters later. Lines never move. */
function prepareScript(content: string, path: string, isEntry: boolean, seen: Sources): string {
  let text = content.replace(/^#!/, '//').replace(/sourceMappingURL=/g, 'sourceMappingURL~');
  if (isEntry) text = text.replace(/require\.main\s*===?\s*module/g, (match) => 'true'.padEnd(match.length));
  if (/\b(await|async|then)\b|\bset(Timeout|Interval|Immediate)\b/.test(text)) seen.asynchronous = true;
  if (text.startsWith('// generated by cdk8s')) seen.generated.add(path);
  if (!/__dirname|__filename|import\.meta/.test(text)) return text;
  const file = `${commitRoot}/${path}`;
  const names = { __dirname: posix.dirname(file), __filename: file, __setpoint_url: `file://${encodeURI(file)}` };
  const prologue = `var ${Object.entries(names)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(',')};`;
  seen.shifts.set(path, prologue.length);
  return prologue + text;
}

function toFinding(message: Message, seen: Sources, files: CommitFiles): Finding {
  const { location } = message;
  const detail = message.detail as Finding | undefined;
  const base = detail ?? mistake('TypeScriptSyntax', lowerFirst(message.text));
  const notes = message.notes.map((note) => note.location?.suggestion || note.text).filter((text) => text !== '');
  const hint = base.hint ?? (notes.length > 0 ? notes.join('; ').slice(0, 300) : undefined);
  const finding: Finding = { ...base, ...(hint === undefined ? {} : { hint }) };
  if (location === null || finding.position !== undefined) return finding;
  const file = location.file.replace(/^commit:/, '');
  const shift = location.line === 1 ? (seen.shifts.get(file) ?? 0) : 0;
  // esbuild counts columns in bytes from 0
  const column = Math.max(0, Buffer.from(location.lineText).subarray(0, location.column).toString('utf8').length - shift);
  const position = { file, line: location.line, column: column + 1 };
  const frame = codeFrame(files.knownText(file), position);
  return { ...finding, position, ...(frame === undefined ? {} : { codeFrame: frame }) };
}

function lowerFirst(text: string): string {
  return /^[A-Z][a-z]/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text;
}
