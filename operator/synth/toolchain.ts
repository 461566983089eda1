// Builds what synth children need into one folder: program, library snapshot, bundler and isolated-vm. Made once per content, never from a user's files.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  chmodSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Plugin } from 'esbuild';
import { OperatorError } from '../model/error.ts';
import { providedBuiltIns } from './child/provided-packages.ts';

/** A folder a child can be started from. */
export interface Toolchain {
  readonly folder: string;
  /** Name of everything that can change what a synth gives: equal key, equal output. */
  readonly key: string;
}

const root = path.resolve(import.meta.dirname, '..', '..');
const childFolder = path.join(import.meta.dirname, 'child');
const require = createRequire(import.meta.url);
const providedPackages = ['cdk8s', 'cdk8s-plus-28', 'constructs', '@setpoint/constructs'];
const toolPackages = ['esbuild', 'isolated-vm', 'yaml', '@jridgewell/trace-mapping', 'buffer', 'path-browserify', 'acorn'];
const keptDays = 7;

/** The toolchain of this version of the code, built when it is not there yet. Throws OperatorError `SynthUnavailable`. */
export async function prepareToolchain(wantedFolder?: string): Promise<Toolchain> {
  const key = toolchainKey();
  const cacheFolder = chooseCacheFolder(wantedFolder);
  const folder = path.join(cacheFolder, `synth-${key}`);
  try {
    if (!existsSync(path.join(folder, 'complete'))) await buildOnce(cacheFolder, folder, key);
    keepToolchain(folder);
    return { folder, key };
  } catch (error) {
    throw new OperatorError(`prepare the synth toolchain in ${folder}: ${error instanceof Error ? error.message : String(error)}`, {
      code: 'SynthUnavailable',
      stage: 'synth',
      fate: 'transient',
      hint: 'the cache folder must be writable',
      cause: error,
    });
  }
}

/** Notes that a toolchain is still in use: one that is not for a week is removed when another version is built. */
export function keepToolchain(folder: string): void {
  try {
    utimesSync(folder, new Date(), new Date());
  } catch {
    // a folder that cannot be touched cannot be removed by us either
  }
}

/**
 * A folder only its owner writes to. For root it must be one that other users can read, since children run as one of them:
 * a wanted folder that is not is passed over.
 */
function chooseCacheFolder(wanted: string | undefined): string {
  const uid = process.getuid?.() ?? -1;
  const own = uid === 0 ? '/var/cache/setpoint' : path.join(homedir(), '.cache', 'setpoint');
  const candidates = [...(wanted === undefined ? [] : [wanted]), own, path.join(tmpdir(), `setpoint-${uid}`)];
  const usable = candidates.filter((candidate) => isUsable(candidate, uid));
  const readable = uid === 0 ? usable.filter(readableByOthers) : usable;
  return readable[0] ?? usable[0] ?? own;
}

function isUsable(folder: string, uid: number): boolean {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o755 });
    accessSync(folder, constants.W_OK);
    const status = statSync(folder);
    return (uid < 0 || status.uid === uid) && (status.mode & 0o022) === 0;
  } catch {
    return false;
  }
}

/** True when a user without any rights of its own can read a file or list a folder. */
export function readableByOthers(file: string): boolean {
  const status = statSync(file);
  const needed = status.isDirectory() ? 0o005 : 0o004;
  if ((status.mode & needed) !== needed) return false;
  for (let at = path.dirname(file); ; at = path.dirname(at)) {
    if ((statSync(at).mode & 0o001) === 0) return false;
    if (at === path.dirname(at)) return true;
  }
}

function toolchainKey(): string {
  const hash = createHash('sha256').update(`${process.version} ${process.platform} ${process.arch}\n`);
  for (const name of [...providedPackages, ...toolPackages]) hash.update(`${name} ${versionOf(name)}\n`);
  for (const file of [...sourceFiles(import.meta.dirname), ...sourceFiles(path.join(root, 'constructs'))]) {
    hash
      .update(`${path.relative(root, file)}\n`)
      .update(readFileSync(file))
      .update('\n');
  }
  return hash.digest('hex').slice(0, 24);
}

function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(
      (entry) =>
        entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.d.ts') && !entry.parentPath.includes('node_modules'),
    )
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
}

function packageFolder(name: string): string {
  return path.dirname(require.resolve(`${name}/package.json`));
}

function versionOf(name: string): string {
  return (JSON.parse(readFileSync(path.join(packageFolder(name), 'package.json'), 'utf8')) as { version: string }).version;
}

/** Builds under way in this process: whoever wants the same waits for it. */
const builds = new Map<string, Promise<void>>();

async function buildOnce(cacheFolder: string, folder: string, key: string): Promise<void> {
  let build = builds.get(folder);
  if (build === undefined) {
    build = buildInto(cacheFolder, folder, key).finally(() => builds.delete(folder));
    builds.set(folder, build);
  }
  await build;
}

async function buildInto(cacheFolder: string, folder: string, key: string): Promise<void> {
  const target = mkdtempSync(path.join(cacheFolder, `building-${key}-`));
  chmodSync(target, 0o755);
  try {
    const modules = providedModules();
    writeFileSync(path.join(target, 'provided.json'), JSON.stringify({ modules, versions: providedVersions() }));
    copyNativeParts(target);
    const esbuild = await import('esbuild');
    await bundlePrograms(esbuild, target);
    await bundleLibraries(esbuild, target, modules);
    // its process would stay, as large as a child
    await esbuild.stop();
    const program = [path.join(target, 'make-snapshot.cjs'), path.join(target, 'libraries.js'), path.join(target, 'libraries.snapshot')];
    await promisify(execFile)(process.execPath, ['--no-node-snapshot', ...program], { env: {} });
    writeFileSync(path.join(target, 'complete'), '');
    for (const name of readdirSync(target)) chmodSync(path.join(target, name), name === 'esbuild' ? 0o755 : 0o644);
    moveInto(target, folder);
  } finally {
    rmSync(target, { recursive: true, force: true });
    removeOld(cacheFolder);
  }
}

/** Another process may have been faster: then its folder is as good. */
function moveInto(target: string, folder: string): void {
  try {
    renameSync(target, folder);
  } catch (error) {
    if (!existsSync(path.join(folder, 'complete'))) throw error;
  }
}

function removeOld(cacheFolder: string): void {
  for (const name of readdirSync(cacheFolder)) {
    if (!/^(synth|building)-[0-9a-f]{24}/.test(name)) continue;
    const folder = path.join(cacheFolder, name);
    const age = Date.now() - (statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age > keptDays * 86_400_000) rmSync(folder, { recursive: true, force: true });
  }
}

function copyNativeParts(target: string): void {
  const platform = `${process.platform}-${process.arch}`;
  const esbuildBinary = createRequire(require.resolve('esbuild/package.json')).resolve(`@esbuild/${platform}/bin/esbuild`);
  copyFileSync(esbuildBinary, path.join(target, 'esbuild'), constants.COPYFILE_FICLONE);
  const findNative = createRequire(require.resolve('isolated-vm/package.json'))('node-gyp-build') as { path(folder: string): string };
  copyFileSync(findNative.path(packageFolder('isolated-vm')), path.join(target, 'isolated-vm.node'));
}

type Bundler = Pick<typeof import('esbuild'), 'build'>;

/** The child's programs as single files: they start faster, and can be read where the project cannot. */
async function bundlePrograms(esbuild: Bundler, target: string): Promise<void> {
  const native: Plugin = {
    name: 'native',
    setup(plugins) {
      plugins.onResolve({ filter: /^isolated-vm$/ }, ({ path: name }) => ({ path: name, namespace: 'native' }));
      plugins.onLoad({ filter: /.*/, namespace: 'native' }, () => ({
        contents: `module.exports = require(require('node:path').join(__dirname, 'isolated-vm.node')).ivm`,
      }));
    },
  };
  await esbuild.build({
    entryPoints: { child: path.join(childFolder, 'main.ts'), 'make-snapshot': path.join(childFolder, 'make-snapshot.ts') },
    outdir: target,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node24',
    logLevel: 'silent',
    banner: { js: `process.env.TZ='UTC';process.env.ESBUILD_BINARY_PATH=require('node:path').join(__dirname,'esbuild');` },
    supported: { 'top-level-await': true },
    plugins: [native],
  });
}

/** The script of the snapshot: our sandbox and the provided packages, their built-ins replaced by the sandbox's own. */
async function bundleLibraries(esbuild: Bundler, target: string, modules: readonly string[]): Promise<void> {
  const guestFolder = path.join(childFolder, 'guest');
  const builtInPattern = new RegExp(`^(node:)?(${[...providedBuiltIns].filter((name) => name !== 'buffer').join('|')})$`);
  const sandbox: Plugin = {
    name: 'sandbox',
    setup(plugins) {
      plugins.onResolve({ filter: builtInPattern }, ({ path: name }) => ({ path: name.replace(/^node:/, ''), namespace: 'built-in' }));
      plugins.onResolve({ filter: /^node:buffer$/ }, () => ({ path: 'buffer', namespace: 'built-in' }));
      plugins.onLoad({ filter: /[/\\]guest[/\\]provided\.ts$/ }, () => ({
        contents: providedTable(modules),
        resolveDir: root,
        loader: 'js',
      }));
      plugins.onLoad({ filter: /.*/, namespace: 'built-in' }, ({ path: name }) => ({
        contents: `module.exports = require('./node-modules.ts').builtIns[${JSON.stringify(name)}]`,
        resolveDir: guestFolder,
        loader: 'js',
      }));
    },
  };
  await esbuild.build({
    entryPoints: [path.join(guestFolder, 'library.ts')],
    outfile: path.join(target, 'libraries.js'),
    bundle: true,
    format: 'iife',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    conditions: ['import', 'default'],
    target: 'es2024',
    logLevel: 'silent',
    keepNames: true,
    define: { __dirname: '"/node_modules/cdk8s/lib"', __filename: '"/node_modules/cdk8s/lib/index.js"' },
    plugins: [sandbox],
  });
}

function providedTable(modules: readonly string[]): string {
  const lines = modules.map((name) => `  ${JSON.stringify(name)}: () => require(${JSON.stringify(name)}),`);
  return `export const modules = {\n${lines.join('\n')}\n};\nexport const packageVersions = ${JSON.stringify(providedVersions())};\n`;
}

function providedVersions(): Record<string, string> {
  return Object.fromEntries(providedPackages.map((name) => [name, versionOf(name)]));
}

/** Each package by its name, and the modules below its `lib` that apps import directly. */
function providedModules(): string[] {
  return providedPackages.flatMap((name) => {
    const folder = packageFolder(name);
    const hasExports = 'exports' in (JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as object);
    if (hasExports) return [name];
    const deep = readdirSync(path.join(folder, 'lib'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.js'))
      .map((file) => `${name}/lib/${file.replace(/(\/index)?\.js$/, '')}`)
      .filter((file) => !file.endsWith('/index'));
    return [name, ...deep.sort()];
  });
}
