// @setpoint/constructs as others load it: ES modules by Node, CommonJS by require and ts-node, bundled by esbuild.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { build } from 'esbuild';

const root = path.resolve(import.meta.dirname, '..', '..');
const node = path.join(root, 'node_modules', '.bin', 'node');
// Inside the checkout, so that packages are found the way an example finds them.
const scratch = mkdtempSync(path.join(root, 'test', 'constructs', '.scratch-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const names = [
  'Application',
  'ApplicationAccess',
  'inputs',
  'pruneAnnotation',
  'pruneDisabled',
  'reconcileRequestedAnnotation',
  'trackingAnnotation',
  'trackingLabel',
];

function run(program: string, ...args: string[]): string {
  const NODE_OPTIONS = '';
  return execFileSync(program, args, {
    cwd: scratch,
    encoding: 'utf8',
    stdio: 'pipe',
    env: { ...process.env, NODE_OPTIONS, SETPOINT_INPUTS: '{"env":"prod"}' },
  });
}

test('an ES module imports the TypeScript sources themselves', () => {
  const script = "const m = await import('@setpoint/constructs'); console.log(JSON.stringify(Object.keys(m).sort()), m.inputs.env)";
  expect(run(node, '--input-type=module', '-e', script)).toBe(`${JSON.stringify(names)} prod\n`);
});

test('CommonJS requires the built lib/, with the same names', () => {
  const script = "const m = require('@setpoint/constructs'); console.log(JSON.stringify(Object.keys(m).sort()), m.inputs.env)";
  expect(run(node, '--input-type=commonjs', '-e', script)).toBe(`${JSON.stringify(names)} prod\n`);
});

const program = `
import { Application, inputs } from '@setpoint/constructs';
import { App, Chart } from 'cdk8s';
const app = new App();
new Application(new Chart(app, 'apps'), 'shop', { spec: { source: { repoURL: 'https://git.example.com/x', ref: String(inputs.env) } } });
console.log(app.synthYaml());
`;

test('ts-node in CommonJS checks types against it and runs it', () => {
  // Without a type of its own the folder would belong to the project's ES modules, which ts-node leaves to Node.
  writeFileSync(path.join(scratch, 'package.json'), '{}');
  writeFileSync(path.join(scratch, 'good.ts'), program);
  writeFileSync(path.join(scratch, 'bad.ts'), program.replace('repoURL', 'repoUrl'));
  const options = JSON.stringify({ module: 'CommonJS', target: 'ES2022', strict: true, skipLibCheck: true });
  const tsNode = path.join(root, 'node_modules', '.bin', 'ts-node');
  expect(run(tsNode, '--skipProject', '-O', options, 'good.ts')).toContain('ref: prod');
  expect(() => run(tsNode, '--skipProject', '-O', options, 'bad.ts')).toThrow(
    /'repoUrl' does not exist in type .* Did you mean to write 'repoURL'/,
  );
}, 60_000);

test('esbuild bundles it without anything but cdk8s and constructs', async () => {
  const { metafile } = await build({
    stdin: { contents: program, resolveDir: scratch, loader: 'ts' },
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    external: ['cdk8s', 'constructs'],
  });
  const outside = Object.values(metafile.inputs).flatMap((input) =>
    input.imports.filter((entry) => entry.external).map((entry) => entry.path),
  );
  expect([...new Set(outside)].sort()).toEqual(['cdk8s', 'constructs', 'node:crypto']);
});

test('lib/ is what build-lib.js makes of today’s sources (otherwise: npm run prepare -w constructs)', () => {
  const output = mkdtempSync(path.join(tmpdir(), 'setpoint-test-lib-'));
  try {
    run(node, path.join(root, 'constructs', 'build-lib.js'), output);
    const read = (folder: string) =>
      Object.fromEntries(readdirSync(folder).map((file) => [file, readFileSync(path.join(folder, file), 'utf8')]));
    expect(read(path.join(root, 'constructs', 'lib'))).toEqual(read(output));
  } finally {
    rmSync(output, { recursive: true, force: true });
  }
}, 60_000);
