// `setpoint render` as a person runs it: the real bin, the real synth, on examples and on repositories made with the real git.
import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { parseAllDocuments } from 'yaml';

const project = path.resolve(import.meta.dirname, '../..');
const scratch = mkdtempSync(path.join(tmpdir(), 'setpoint-render-'));
afterAll(() => rmSync(scratch, { recursive: true }));

interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs the bin in a folder. */
function setpoint(args: readonly string[], cwd = project): Promise<Result> {
  return new Promise((resolve) => {
    const env = { PATH: process.env['PATH'], HOME: scratch };
    execFile(process.execPath, [path.join(project, 'operator/setpoint.js'), ...args], { cwd, env }, (error, out, err) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err });
    });
  });
}

/** A folder in a repository of its own with one commit. */
function repository(name: string, files: Readonly<Record<string, string>>): { readonly root: string } {
  const root = path.join(scratch, name);
  write(root, files);
  const git = (...command: string[]): void => {
    execFileSync('git', ['-c', 'user.name=Ada', '-c', 'user.email=a@example.com', '-c', 'commit.gpgsign=false', ...command], { cwd: root });
  };
  git('init', '-q', '-b', 'main');
  git('add', '.');
  git('commit', '-q', '-m', 'first');
  return { root };
}

function write(root: string, files: Readonly<Record<string, string>>): void {
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), text);
  }
}

const app = (body: string): Readonly<Record<string, string>> => ({
  'apps/web/cdk8s.yaml': 'language: typescript\napp: npx ts-node main.ts\n',
  'apps/web/main.ts': `import { App, Chart } from 'cdk8s';\nimport { settings } from '../../lib/settings';\nconst app = new App();\nconst chart = new Chart(app, 'web');\n${body}\napp.synth();\n`,
  'lib/settings.ts':
    "import { ApiObject, type Chart } from 'cdk8s';\nexport function settings(chart: Chart, data: Record<string, string>): ApiObject {\n  return new ApiObject(chart, 'settings', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings' }, data });\n}\n",
});

describe('an app in a bigger repository', () => {
  const { root } = repository('bigger', app("settings(chart, { color: 'red' });"));

  test('is printed as cdk8s synth would print it', async () => {
    const { code, out, err } = await setpoint(['render', 'apps/web'], root);
    expect({ code, out, err }).toEqual({
      code: 0,
      out: 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata:\n  color: red\n',
      err: '',
    });
  });

  test('is read as it is on disk, committed or not; --revision reads a commit and leaves the files alone', async () => {
    write(root, app("settings(chart, { color: 'blue' });"));
    expect((await setpoint(['render', 'apps/web'], root)).out).toContain('color: blue');
    expect((await setpoint(['render', 'apps/web', '--revision', 'main'], root)).out).toContain('color: red');
    expect(readFileSync(path.join(root, 'apps/web/main.ts'), 'utf8')).toContain('blue');
  });

  test('-o json adds construct path, frames and dependencies of each object', async () => {
    write(
      root,
      app(
        "const first = settings(chart, { color: 'blue' });\nconst second = new (require('cdk8s').ApiObject)(chart, 'second', { apiVersion: 'v1', kind: 'Secret' });\nsecond.addDependency(first);",
      ),
    );
    const { out } = await setpoint(['render', '.', '-o', 'json'], path.join(root, 'apps/web'));
    expect(JSON.parse(out)).toMatchObject({
      objects: [
        {
          constructPath: 'web/settings',
          frames: ['lib/settings.ts:3:10', 'apps/web/main.ts:5:15'],
          dependsOn: [],
          object: { kind: 'ConfigMap' },
        },
        { constructPath: 'web/second', dependsOn: ['ConfigMap settings'], object: { kind: 'Secret' } },
      ],
      findings: [],
    });
  });
});

describe('mistakes', () => {
  test('are printed as a compiler would, with paths as seen from here, and exit code 1', async () => {
    const { root } = repository('thrown', app("throw new Error('no color');"));
    const { code, out, err } = await setpoint(['render', '.'], path.join(root, 'apps/web'));
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toContain('main.ts:5:7: error SynthFailed: ');
    expect(err).toContain("    > 5 | throw new Error('no color');\n        |       ^\n");
    expect(err).toMatch(/\n1 error\n$/);
  });

  test('a folder that is not there is an error, exit code 2', async () => {
    expect(await setpoint(['render', 'nothing'], scratch)).toEqual({
      code: 2,
      out: '',
      err: 'error: read folder nothing: there is no such folder\n',
    });
  });

  test('an unknown flag is an error, exit code 2', async () => {
    expect(await setpoint(['render', '.', '--colour'], scratch)).toMatchObject({ code: 2, out: '' });
  });
});

describe('inputs', () => {
  test('come from a JSON or YAML file', async () => {
    write(scratch, { 'prod.yaml': 'env: prod\n', 'dev.json': '{"env": "dev"}' });
    const shop = 'examples/multi-environment/apps/shop';
    const replicas = async (...flags: string[]): Promise<unknown> => {
      const { out } = await setpoint(['render', shop, ...flags]);
      return parseAllDocuments(out)
        .map((document) => document.toJS())
        .find(({ kind }) => kind === 'Deployment')?.spec.replicas;
    };
    expect(await replicas('--inputs', path.join(scratch, 'prod.yaml'))).toBe(3);
    expect(await replicas('--inputs', path.join(scratch, 'dev.json'))).toBe(1);
  });

  test('that are no object are an error that shows what to write', async () => {
    write(scratch, { 'list.json': '[1]' });
    const { code, err } = await setpoint(['render', 'examples/web-app', '--inputs', path.join(scratch, 'list.json')]);
    expect({ code, err }).toEqual({
      code: 2,
      err: `error: read inputs from ${scratch}/list.json: it holds no object; write for example {"env": "prod"}\n`,
    });
  });
});
