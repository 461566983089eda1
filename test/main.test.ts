// The bin as a person types it: help, exit codes, sentences, and Nodes that are too old.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import ts from 'typescript';

const root = path.resolve(import.meta.dirname, '..');
const bin = path.join(root, 'operator', 'setpoint.js');
const scratch = mkdtempSync(path.join(tmpdir(), 'setpoint-bin-'));

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

interface Ended {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

function run(args: readonly string[], { node = process.execPath, script = bin, env = {} as Record<string, string> } = {}): Ended {
  const { status, stdout, stderr } = spawnSync(node, [script, ...args], {
    encoding: 'utf8',
    timeout: 20_000,
    env: { PATH: process.env['PATH'] ?? '', HOME: scratch, ...env },
  });
  return { status, out: stdout, err: stderr };
}

describe('the program', () => {
  test('lists every command in its help', () => {
    const { status, out } = run(['--help']);
    const commands = [...out.matchAll(/^ {2}([a-z-]+) /gm)].map(([, name]) => name);
    expect(status).toBe(0);
    expect(commands).toEqual([
      'get',
      'history',
      'why',
      'events',
      'wait',
      'suspend',
      'resume',
      'pause',
      'unpause',
      'render',
      'validate',
      'plan',
      'diff',
      'install',
      'uninstall',
      'operator',
      'synth-server',
      'dev',
      'help',
    ]);
  });

  test.each([
    [['--version'], 0, /^\d+\.\d+\.\d+\n$/],
    [['help', 'operator'], 0, /--allow-loopback-git/],
    [['get', '--help'], 0, /--all-namespaces/],
  ])('%j ends with %i', (args, code, text) => {
    const { status, out } = run(args);
    expect(out).toMatch(text);
    expect(status).toBe(code);
  });

  test.each([
    [['gte'], /unknown command 'gte'\n\(Did you mean get\?\)/],
    [['render'], /missing required argument 'folder'/],
    [['dev', 'up'], /required option '--dir <folder>' not specified/],
    [['get', '--nonsense'], /unknown option '--nonsense'/],
    [
      ['operator', '--api-address', 'nowhere'],
      /^error: --api-address is "nowhere", which is not HOST:PORT; write for example 127\.0\.0\.1:8080 or :8080\n$/,
    ],
    [['operator'], /^error: there is no cluster to work on: this is no Pod, and no kubeconfig is named; name one with --kubeconfig\n$/],
    [['operator', '--kubeconfig', '/nothing/here'], /^error: read kubeconfig \/nothing\/here: /],
    [['synth-server', '--address', ':0', '--key-file', '/nothing/here'], /^error: read the synth key \/nothing\/here: /],
  ])('%j is an error: exit code 2 and one sentence on stderr', (args, text) => {
    const { status, out, err } = run(args);
    expect(err).toMatch(text);
    expect([status, out]).toEqual([2, '']);
  });

  test('says so when its address is taken', async () => {
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
    const { port } = holder.address() as { port: number };
    const kubeconfig = path.join(scratch, 'kubeconfig');
    ts.sys.writeFile(
      kubeconfig,
      JSON.stringify({
        'current-context': 'c',
        contexts: [{ name: 'c', context: { cluster: 'c' } }],
        clusters: [{ name: 'c', cluster: { server: 'http://127.0.0.1:1' } }],
      }),
    );
    const { status, err } = run(['operator', '--kubeconfig', kubeconfig, '--api-address', `127.0.0.1:${port}`]);
    holder.close();
    expect(err).toMatch(/^error: listen at --api-address: .*EADDRINUSE.*; name an address that is free\n$/);
    expect(status).toBe(2);
  });

  test('starts through a symbolic link, as npm makes them', () => {
    const link = path.join(scratch, 'setpoint');
    symlinkSync(bin, link);
    expect(run(['--version'], { script: link }).status).toBe(0);
  });

  test('loads no Kubernetes client for a command that needs none', () => {
    const { status, err } = run(['render', '--help'], { env: { NODE_DEBUG: 'esm' } });
    expect(status).toBe(0);
    const loaded = new Set([...err.matchAll(/file:\/\/[^'"\s]+/g)].map(([url]) => url));
    expect([...loaded].some((url) => url.endsWith('/cli/render.ts'))).toBe(true);
    expect([...loaded].filter((url) => /operator\/cluster|undici|client-node/.test(url))).toEqual([]);
  });
});

describe('a Node that is too old', () => {
  const old = '/usr/bin/node';
  const isOld = existsSync(old) && Number.parseInt(spawnSync(old, ['--version'], { encoding: 'utf8' }).stdout.slice(1), 10) < 24;

  (isOld ? test : test.skip)('hands over to the one the project brings', () => {
    expect(run(['--version'], { node: old }).out).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect(run(['gte'], { node: old }).status).toBe(2);
  });

  (isOld ? test : test.skip)('says in one line which is needed when there is none', () => {
    const copy = path.join(scratch, 'bare', 'operator');
    mkdirSync(copy, { recursive: true });
    copyFileSync(bin, path.join(copy, 'setpoint.js'));
    copyFileSync(path.join(root, 'package.json'), path.join(scratch, 'bare', 'package.json'));
    const { status, err } = run(['get'], { node: old, script: path.join(copy, 'setpoint.js') });
    expect(err).toMatch(
      /^setpoint needs Node 24 or newer and this is v\d+\.\d+\.\d+: run "npm ci" in the project, which brings it, or install it from https:\/\/nodejs\.org\n$/,
    );
    expect(status).toBe(2);
  });

  test('can parse the bin: it is ECMAScript 5', () => {
    const source = ts.createSourceFile('setpoint.js', ts.sys.readFile(bin) ?? '', ts.ScriptTarget.ES5);
    const modern = new Set([
      ts.SyntaxKind.ArrowFunction,
      ts.SyntaxKind.TemplateExpression,
      ts.SyntaxKind.ClassDeclaration,
      ts.SyntaxKind.AwaitExpression,
      ts.SyntaxKind.SpreadElement,
    ]);
    const found: string[] = [];
    const visit = (node: ts.Node): void => {
      if (modern.has(node.kind)) found.push(ts.SyntaxKind[node.kind]);
      if (ts.isVariableDeclarationList(node) && (node.flags & ts.NodeFlags.BlockScoped) !== 0) found.push('let or const');
      if (ts.isCallExpression(node) && node.arguments.hasTrailingComma) found.push('a trailing comma in a call');
      ts.forEachChild(node, visit);
    };
    visit(source);
    expect(found).toEqual([]);
  });
});
