// A Go program is built once for given sources, by whoever comes first, and never half.
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { buildControlPlane } from '../../dev/control-plane/build.ts';
import { buildGoProgram, type GoBuild } from '../../dev/control-plane/go-build.ts';

const run = promisify(execFile);
const module = join(import.meta.dirname, '../../dev/control-plane/go-build.ts');
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'setpoint-go-'));
  mkdirSync(join(folder, 'source'));
  writeFileSync(join(folder, 'source/go.mod'), 'module example.com/greet\n\ngo 1.21\n');
  writeSource('hello');
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function writeSource(word: string): void {
  const body = `println("${word}, called " + filepath.Base(os.Args[0]))`;
  writeFileSync(join(folder, 'source/main.go'), `package main\n\nimport (\n\t"os"\n\t"path/filepath"\n)\n\nfunc main() { ${body} }\n`);
}

function build(options: Partial<GoBuild> = {}): Promise<string> {
  return buildGoProgram({ source: join(folder, 'source'), cache: join(folder, 'cache'), name: 'greet', aliases: ['bow'], ...options });
}

async function output(directory: string, program: string): Promise<string> {
  return (await run(join(directory, program))).stderr.trim();
}

describe('building a Go program', () => {
  test('makes one binary that can be called by each name, and again only when the sources change', async () => {
    const lines: string[] = [];
    const report = (line: string): void => void lines.push(line);
    const first = await build({ report });
    expect(await output(first, 'greet')).toBe('hello, called greet');
    expect(await output(first, 'bow')).toBe('hello, called bow');
    expect(lines.filter((line) => line.startsWith('built greet'))).toHaveLength(1);
    expect(await build({ report })).toBe(first);
    expect(lines.filter((line) => line.startsWith('built greet'))).toHaveLength(1);
    writeSource('welcome');
    const second = await build({ report });
    expect(await output(second, 'greet')).toBe('welcome, called greet');
    expect(await output(first, 'greet')).toBe('hello, called greet');
  }, 60_000);

  test('happens once when two processes ask at the same time', async () => {
    const script = `
      import { buildGoProgram } from ${JSON.stringify(module)};
      const report = (line) => console.log(line);
      await buildGoProgram({ source: ${JSON.stringify(join(folder, 'source'))}, cache: ${JSON.stringify(join(folder, 'cache'))}, name: 'greet', report });`;
    const both = await Promise.all([1, 2].map(() => run(process.execPath, ['--input-type=module', '-e', script])));
    expect(both.filter(({ stdout }) => stdout.includes('built greet'))).toHaveLength(1);
    expect(both.filter(({ stdout }) => stdout.includes('is building greet already'))).toHaveLength(1);
  }, 60_000);

  test('goes on where a builder died, and removes what it left', async () => {
    const finished = await build();
    rmSync(finished, { recursive: true });
    const name = finished.slice(join(folder, 'cache').length + 1);
    const died = await run(process.execPath, ['-p', 'process.pid']);
    writeFileSync(join(folder, 'cache', `.lock-${name}`), JSON.stringify({ pid: Number(died.stdout), started: '1' }));
    mkdirSync(join(folder, 'cache', `.building-${name}-1234`));
    expect(await build()).toBe(finished);
    expect(readdirSync(join(folder, 'cache'))).toEqual([name]);
  }, 60_000);

  test('fails with what the compiler said and leaves nothing behind', async () => {
    writeFileSync(join(folder, 'source/main.go'), 'package main\n\nfunc main() { undefinedName() }\n');
    await expect(build()).rejects.toThrow('undefined: undefinedName');
    expect(readdirSync(join(folder, 'cache'))).toEqual([]);
  }, 60_000);

  test('names the Go it needs when the one here is too old', async () => {
    writeFileSync(join(folder, 'source/go.mod'), 'module example.com/greet\n\ngo 1.99\n');
    const env = { ...process.env, GOTOOLCHAIN: 'local' };
    await expect(build({ env })).rejects.toThrow(/go.mod requires go >= 1.99[\s\S]*Install Go 1.99 or newer/);
  });

  test('uses what is in the cache when there is no Go', async () => {
    const finished = await build();
    expect(await build({ env: { PATH: folder } })).toBe(finished);
  }, 60_000);
});

describe('finding the programs of the control plane', () => {
  test('without Go and without a cached build says what else can be used', async () => {
    const env = { PATH: folder, XDG_CACHE_HOME: join(folder, 'empty') };
    await expect(buildControlPlane({ env })).rejects.toThrow(
      /no Go was found on the PATH[\s\S]*KUBECONFIG=FILE[\s\S]*KUBEBUILDER_ASSETS=DIR/,
    );
  });

  test('takes the folder the user names, and says what it lacks', async () => {
    const env = { KUBEBUILDER_ASSETS: folder };
    await expect(buildControlPlane({ env })).rejects.toThrow('it must hold at least etcd and kube-apiserver');
    for (const name of ['etcd', 'kube-apiserver']) writeFileSync(join(folder, name), '', { mode: 0o755 });
    expect(await buildControlPlane({ env })).toEqual({ etcd: join(folder, 'etcd'), 'kube-apiserver': join(folder, 'kube-apiserver') });
  });
});
