// Builds a Go program once into a cache folder, whoever asks how often at the same time. Knows nothing of Kubernetes.
import { execFile, spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { lockFile } from './file-lock.ts';

const run = promisify(execFile);

export interface GoBuild {
  /** Folder with go.mod, go.sum and the main package. */
  readonly source: string;
  /** Folder that keeps finished builds, one subfolder each. */
  readonly cache: string;
  /** Name of the binary. */
  readonly name: string;
  /** Further names under which the binary can be called (symbolic links beside it). */
  readonly aliases?: readonly string[];
  readonly ldflags?: string;
  /** What a person should know about how long it takes. */
  readonly expectation?: string;
  /** What a user can do who has no suitable Go. */
  readonly withoutGo?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly report?: (line: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * Returns the folder that holds the finished binary, and builds it first when there is none for these sources and this Go version.
 *
 * Guarantees: the folder is complete or absent, never half; several processes may build at once, and one of them may die.
 * Without Go a build of the same sources by any Go version is used.
 * @throws with `withoutGo` in its text when Go is missing or too old and nothing is cached.
 */
export async function buildGoProgram(build: GoBuild): Promise<string> {
  const hash = hashSources(build);
  const version = await goVersion(build).catch((error: unknown) => {
    const cached = listDirectory(build.cache).find((entry) => entry.startsWith(`${hash}-`));
    if (cached) return cached.slice(hash.length + 1);
    throw error;
  });
  const finished = join(build.cache, `${hash}-${version}`);
  if (existsSync(finished)) return finished;
  const lock = await lockFile(
    join(build.cache, `.lock-${hash}-${version}`),
    (holder) => build.report?.(`process ${holder.pid} is building ${build.name} already; waiting for it`),
    build.signal,
  );
  try {
    if (!existsSync(finished)) await buildInto(build, finished, version);
    return finished;
  } finally {
    lock.release();
  }
}

async function buildInto(build: GoBuild, finished: string, version: string): Promise<void> {
  // Whoever holds the lock is alone with these sources, so unfinished folders are those of dead builders.
  const prefix = `.building-${basename(finished)}-`;
  for (const entry of listDirectory(build.cache)) {
    if (entry.startsWith(prefix)) rmSync(join(build.cache, entry), { recursive: true, force: true });
  }
  const draft = join(build.cache, prefix + randomUUID());
  mkdirSync(draft, { recursive: true });
  try {
    await compile(build, join(draft, build.name), version);
    for (const alias of build.aliases ?? []) symlinkSync(build.name, join(draft, alias));
    renameSync(draft, finished);
  } catch (error) {
    if (!existsSync(finished)) throw error;
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

async function compile(build: GoBuild, output: string, version: string): Promise<void> {
  const began = Date.now();
  const elapsed = () => formatDuration(Date.now() - began);
  build.report?.(`building ${build.name} with ${version}${build.expectation ? ` (${build.expectation})` : ''}`);
  const args = [
    'build',
    '-v',
    '-p',
    '2',
    '-trimpath',
    '-mod=readonly',
    '-buildvcs=false',
    '-ldflags',
    build.ldflags ?? '-s -w',
    '-o',
    output,
    '.',
  ];
  const go = spawn('go', args, {
    cwd: build.source,
    env: goEnvironment(build),
    stdio: ['ignore', 'ignore', 'pipe'],
    ...(build.signal ? { signal: build.signal } : {}),
  });
  const tail: string[] = [];
  let packages = 0;
  let downloads = 0;
  createInterface({ input: go.stderr }).on('line', (line) => {
    if (line.startsWith('go: downloading ')) downloads++;
    else if (/^[\w.~-]+(\/[\w.~-]+)*$/.test(line)) packages++;
    else tail.push(line);
    if (tail.length > 30) tail.shift();
  });
  const ticker = setInterval(() => {
    const doing = packages === 0 ? `${downloads} modules downloaded` : `${packages} packages compiled`;
    build.report?.(`building ${build.name}: ${doing}, ${elapsed()} elapsed`);
  }, 10_000);
  try {
    const code = await new Promise<number | null>((resolve, reject) => go.once('error', reject).once('close', resolve));
    const said = tail.join('\n');
    if (code !== 0 && /requires go >=|invalid go version|download go1\./.test(said))
      throw unsuitableGo(build, `go does not work here: ${said}`);
    if (code !== 0) throw new Error(`build ${build.name} in ${build.source}: go ended with code ${code}\n${said}`);
    build.report?.(`built ${build.name} in ${elapsed()}`);
  } finally {
    clearInterval(ticker);
  }
}

/** Runs inside the source folder, where a Go that is too old brings the one go.mod asks for, if it may. */
async function goVersion(build: GoBuild): Promise<string> {
  try {
    const { stdout } = await run('go', ['env', 'GOVERSION'], { cwd: build.source, env: goEnvironment(build) });
    return stdout.trim().replaceAll(/[^\w.-]/g, '_');
  } catch (error) {
    const { code, stderr } = error as { code?: string | number; stderr?: string };
    throw unsuitableGo(
      build,
      code === 'ENOENT' ? 'no Go was found on the PATH' : `go does not work here: ${stderr?.trim() || String(error)}`,
    );
  }
}

function unsuitableGo({ name, source, withoutGo }: GoBuild, reason: string): Error {
  const needed = /^go (\S+)$/m.exec(readFileSync(join(source, 'go.mod'), 'utf8'))?.[1] ?? '?';
  return new Error(`build ${name}: ${reason}. Install Go ${needed} or newer (https://go.dev/dl).${withoutGo ? `\n${withoutGo}` : ''}`);
}

function goEnvironment(build: GoBuild): NodeJS.ProcessEnv {
  return { ...(build.env ?? process.env), CGO_ENABLED: '0', GOWORK: 'off' };
}

function hashSources(build: GoBuild): string {
  const hash = createHash('sha256');
  const files = listDirectory(build.source).filter((file) => file.endsWith('.go') || file === 'go.mod' || file === 'go.sum');
  for (const file of files.sort())
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(build.source, file)))
      .update('\0');
  hash.update(JSON.stringify([build.name, build.aliases ?? [], build.ldflags ?? '', process.platform, process.arch]));
  return hash.digest('hex').slice(0, 16);
}

function listDirectory(path: string): string[] {
  return existsSync(path) ? readdirSync(path) : [];
}

function formatDuration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${String(seconds % 60).padStart(2, '0')}s`;
}
