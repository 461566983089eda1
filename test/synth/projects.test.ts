// Ordinary apps in their many shapes: what is run, what code sees of its surroundings, and where objects come from.
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { createLocalSynthesizer } from '../../operator/synth/local-synthesizer.ts';
import type { Synthesizer, SynthResult } from '../../operator/synth/ports.ts';
import { type Ask, appWith, dataOf, expectNoFindings, type Files, findingLines, names, origins, synthesize } from './support.ts';

// a busy machine starts processes slowly
jest.setTimeout(60_000);

let synthesizer: Synthesizer;
beforeAll(() => {
  synthesizer = createLocalSynthesizer({ spares: 2, refillMilliseconds: 0 });
});
afterAll(() => synthesizer.close());

const run = (ask: Ask): Promise<SynthResult> => synthesize(synthesizer, ask);
const hello = appWith(`configMap('hello', {});`);
const plainJs = `const { App, Chart, ApiObject } = require('cdk8s');
const app = new App();
new ApiObject(new Chart(app, 'c'), 'o', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'hello' } });
app.synth();`;

describe('what is run', () => {
  test.each<[string, Ask]>([
    ['main.ts without a cdk8s.yaml', { files: { 'main.ts': hello } }],
    ['index.ts without a cdk8s.yaml', { files: { 'index.ts': hello } }],
    ['main.js in CommonJS', { files: { 'main.js': plainJs } }],
    ['main.mjs as an ES module', { files: { 'main.mjs': hello.replace(/: string|: Record<string, string>/g, '') } }],
    ['a folder below the root', { path: 'apps/shop', files: { 'apps/shop/main.ts': hello, 'main.ts': 'throw new Error()' } }],
    ['what cdk8s.yaml names', { files: { 'cdk8s.yaml': 'language: typescript\napp: npx ts-node src/app.ts\n', 'src/app.ts': hello } }],
    ['a compiled file by its source', { files: { 'cdk8s.yaml': 'app: node main.js', 'main.ts': hello } }],
    [
      'a compiled file in outDir by its source',
      {
        files: {
          'cdk8s.yaml': 'app: node build/main.js',
          'tsconfig.json': '{"compilerOptions": {"outDir": "build", "rootDir": "src"}}',
          'src/main.ts': hello,
        },
      },
    ],
    [
      'a script of package.json',
      { files: { 'cdk8s.yaml': 'app: npm run synth', 'package.json': '{"scripts":{"synth":"tsx app.ts"}}', 'app.ts': hello } },
    ],
    [
      'a script of a package.json above',
      {
        path: 'apps/a',
        files: {
          'apps/a/cdk8s.yaml': 'app: yarn -s synth',
          'package.json': '{"scripts":{"synth":"ts-node main.ts"}}',
          'apps/a/main.ts': hello,
        },
      },
    ],
    [
      'the entry that was asked for',
      { entry: 'other.ts', files: { 'cdk8s.yaml': 'app: npx ts-node main.ts', 'other.ts': hello, 'main.ts': 'throw 1' } },
    ],
    ['an app that never calls synth', { files: { 'main.ts': hello.replace('app.synth();', '') } }],
    ['an app that only makes YAML text', { files: { 'main.ts': hello.replace('app.synth();', 'console.log(app.synthYaml());') } }],
    [
      'an app that writes its YAML text itself',
      {
        files: {
          'main.ts': hello
            .replace('app.synth();', `fs.mkdirSync('dist', { recursive: true }); fs.writeFileSync('dist/a.yaml', app.synthYaml());`)
            .replace('import', `import * as fs from 'fs';\nimport`),
        },
      },
    ],
    [
      'an app that waits for promises and timers',
      {
        files: {
          'main.ts': hello.replace(
            'app.synth();',
            'const wait = (ms: number) => new Promise((ok) => setTimeout(ok, ms)); (async () => { await wait(60_000); app.synth(); })();',
          ),
        },
      },
    ],
    ['an app that awaits at its top level', { files: { 'main.ts': `await Promise.resolve();\n${hello}` } }],
    ['an app that ends itself', { files: { 'main.ts': `${hello}\nprocess.exit(0);` } }],
    [
      'an app that only runs as the main module',
      { files: { 'main.js': plainJs.replace('app.synth();', 'if (require.main === module) { app.synth(); }') } },
    ],
  ])('%s', async (_, ask) => {
    const result = await run(ask);
    expectNoFindings(result);
    expect(names(result)).toEqual(['ConfigMap hello']);
  });

  test('several apps, several charts and every way of dividing files keep the order of cdk8s', async () => {
    const code = (type: string) => `
      import { App, Chart, ApiObject, YamlOutputType } from 'cdk8s';
      const make = (outdir: string | undefined, prefix: string) => {
        const app = new App({ yamlOutputType: YamlOutputType.${type}, ...(outdir ? { outdir } : {}) });
        for (const name of ['b', 'a']) {
          const chart = new Chart(app, prefix + name);
          for (const object of ['z', 'y']) new ApiObject(chart, object, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: prefix + name + object } });
        }
        app.synth();
      };
      make(undefined, '1'); make('other', '2');`;
    const ordered = async (type: string) =>
      names(await run({ files: { 'main.ts': code(type) } })).map((name) => name.replace('ConfigMap ', ''));
    expect(await ordered('FILE_PER_CHART')).toEqual(['1az', '1ay', '1bz', '1by', '2az', '2ay', '2bz', '2by']);
    expect(await ordered('FILE_PER_APP')).toEqual(['1bz', '1by', '1az', '1ay', '2bz', '2by', '2az', '2ay']);
    expect(await ordered('FILE_PER_RESOURCE')).toEqual(['1ay', '1az', '1by', '1bz', '2ay', '2az', '2by', '2bz']);
    expect(await ordered('FOLDER_PER_CHART_FILE_PER_RESOURCE')).toEqual(['1ay', '1az', '1by', '1bz', '2ay', '2az', '2by', '2bz']);
  });

  test('an app that edits its own output files is honoured and its objects keep their origin', async () => {
    const code = `${hello}\nconst file = 'dist/chart.k8s.yaml';\nfs.writeFileSync(file, fs.readFileSync(file, 'utf8') + 'immutable: true\\n');\nfs.writeFileSync('dist/more.yaml', Yaml.stringify({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'more' } }));`;
    const result = await run({ files: { 'main.ts': `import * as fs from 'fs'; import { Yaml } from 'cdk8s';\n${code}` } });
    expectNoFindings(result);
    expect(origins(result)).toEqual(['ConfigMap hello < main.ts:7:3 < main.ts:8:1', 'Secret more']);
    expect(result.objects[0]?.object['immutable']).toBe(true);
  });

  test('a chart that rewrites its JSON is honoured and its objects keep their origin', async () => {
    const code = `import { App, Chart, ApiObject } from 'cdk8s';
class Labelled extends Chart {
  toJson(): any[] { return super.toJson().map((o: any) => ({ ...o, metadata: { ...o.metadata, labels: { added: 'yes' } } })); }
}
const app = new App();
const chart = new Labelled(app, 'c');
new ApiObject(chart, 'o', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'n' } });
app.synth();`;
    const result = await run({ files: { 'main.ts': code } });
    expectNoFindings(result);
    expect(result.objects[0]?.object['metadata']).toEqual({ name: 'n', labels: { added: 'yes' } });
    expect(origins(result)).toEqual(['ConfigMap n < main.ts:7:1']);
  });
});

describe('what code sees', () => {
  const see = async (expression: string, files: Files = {}, imports = '', ask: Partial<Ask> = {}) => {
    const result = await run({
      ...ask,
      files: { ...files, 'main.ts': appWith(`configMap('seen', { value: JSON.stringify(${expression}) });`, imports) },
    });
    return JSON.parse((dataOf(result) as { value: string }).value) as unknown;
  };

  test('inputs of the Application', async () => {
    const imports = `import { inputs } from '@setpoint/constructs';`;
    expect(await see('inputs', {}, imports, { inputs: { env: 'prod', sizes: [1, 2] } })).toEqual({ env: 'prod', sizes: [1, 2] });
    expect(await see('inputs', {}, imports)).toEqual({});
  });

  test('files of the commit through fs, in every style', async () => {
    const files = { 'data/a.txt': 'text ü', 'data/sub/b.json': '{"b":1}', 'bytes.bin': Buffer.from([0, 255, 128]) };
    const imports = `import * as fs from 'fs'; import { readFile } from 'node:fs/promises'; import path from 'path';`;
    expect(await see(`fs.readFileSync('data/a.txt', 'utf8')`, files, imports)).toBe('text ü');
    expect(await see(`fs.readFileSync(path.join(__dirname, 'data', 'sub/../a.txt')).toString()`, files, imports)).toBe('text ü');
    expect(await see(`fs.readFileSync('bytes.bin').toString('base64')`, files, imports)).toBe('AP+A');
    expect(await see(`fs.readdirSync('data')`, files, imports)).toEqual(['a.txt', 'sub']);
    expect(await see(`fs.readdirSync('.', { recursive: true })`, files, imports)).toEqual([
      'bytes.bin',
      'data',
      'data/a.txt',
      'data/sub',
      'data/sub/b.json',
      'main.ts',
    ]);
    expect(
      await see(
        `[fs.existsSync('data'), fs.existsSync('data/a.txt'), fs.existsSync('nope'), fs.existsSync('/etc/passwd')]`,
        files,
        imports,
      ),
    ).toEqual([true, true, false, false]);
    expect(await see(`fs.statSync('data').isDirectory()`, files, imports)).toBe(true);
    expect(await see(`JSON.parse(await readFile('data/sub/b.json', 'utf8'))`, files, imports)).toEqual({ b: 1 });
  });

  test('what it has written itself, and never a changed commit', async () => {
    const imports = `import * as fs from 'fs'; import * as os from 'os'; import { join } from 'path';`;
    const code = `(() => { const d = fs.mkdtempSync(join(os.tmpdir(), 'x-')); fs.writeFileSync(join(d, 'f'), 'a'); fs.appendFileSync(join(d, 'f'), 'b'); fs.mkdirSync('gen/x', { recursive: true }); fs.writeFileSync('gen/x/y', '1'); fs.rmSync('old.txt'); return [fs.readFileSync(join(d, 'f'), 'utf8'), fs.readdirSync('gen'), fs.existsSync('old.txt')]; })()`;
    expect(await see(code, { 'old.txt': '' }, imports)).toEqual(['ab', ['x'], false]);
  });

  test('imports of JSON, YAML and text, of modules with and without extension, and of folders', async () => {
    const files = {
      'values.json': '{"a":1}',
      'page.yaml': 'k: v\n',
      'note.txt': 'note',
      'lib/index.ts': `export * from './deep.js';`,
      'lib/deep.ts': `export const deep = 'deep'; export type T = string;`,
      'old.cjs': `module.exports = { old: true };`,
      'new.mjs': `export default 'new';`,
    };
    const imports = `import values from './values.json'; import page from './page.yaml'; import note from './note.txt'; import { deep, type T } from './lib'; import old from './old.cjs'; import fresh from './new.mjs'; const unused: T = '';`;
    expect(await see('[values, page, note, deep, old, fresh]', files, imports)).toEqual([
      { a: 1 },
      'k: v\n',
      'note',
      'deep',
      { old: true },
      'new',
    ]);
  });

  test('paths and baseUrl of tsconfig.json, comments and inheritance included', async () => {
    const files = {
      'tsconfig.json': '{\n // base\n "extends": "./config/base", "compilerOptions": { "experimentalDecorators": true, } }',
      'config/base.json': '{"compilerOptions": {"baseUrl": "..", "paths": {"@lib/*": ["lib/*"], "exact": ["lib/exact.ts"]}}}',
      'lib/one.ts': 'export const one = 1;',
      'lib/exact.ts': 'export const exact = 2;',
      'shared/three.ts': 'export const three = 3;',
    };
    const imports = `import { one } from '@lib/one'; import { exact } from 'exact'; import { three } from 'shared/three';`;
    expect(await see('[one, exact, three]', files, imports)).toEqual([1, 2, 3]);
  });

  test('packages of the same repository through workspaces', async () => {
    const result = await run({
      path: 'apps/shop',
      files: {
        'package.json': '{"workspaces": ["packages/*"]}',
        'packages/web/package.json': '{"name": "@acme/web", "main": "lib/index.js"}',
        'packages/web/lib/index.ts': `export const image = 'nginx';`,
        'packages/web/extra.ts': `export const extra = 'more';`,
        'apps/shop/main.ts': appWith(
          `configMap('c', { image, extra });`,
          `import { image } from '@acme/web'; import { extra } from '@acme/web/extra';`,
        ),
      },
    });
    expect(dataOf(result)).toEqual({ image: 'nginx', extra: 'more' });
  });

  test('its own place, and nothing of the machine', async () => {
    const ask = { path: 'apps/a' };
    const result = await run({
      ...ask,
      files: {
        'apps/a/cdk8s.yaml': 'app: STAGE=x npx ts-node main.ts --flag',
        'apps/a/main.ts': appWith(
          `configMap('c', { cwd: process.cwd(), dirname: __dirname, filename: __filename, argv: process.argv.slice(1).join(' '), env: JSON.stringify(process.env), node: String(process.env.NODE_ENV), lib: whereLib, url: import.meta.url });`,
          `import { whereLib } from '../../lib/where';`,
        ),
        'lib/where.ts': `export const whereLib = __dirname;`,
      },
    });
    expect(dataOf(result)).toEqual({
      cwd: '/repo/apps/a',
      dirname: '/repo/apps/a',
      filename: '/repo/apps/a/main.ts',
      argv: '/repo/apps/a/main.ts --flag',
      env: '{"STAGE":"x"}',
      node: 'undefined',
      lib: '/repo/lib',
      url: 'file:///repo/apps/a/main.ts',
    });
  });

  test('crypto, url, buffer, util and assert as Node has them', async () => {
    const imports = `import * as crypto from 'crypto'; import { fileURLToPath } from 'node:url'; import { format, promisify } from 'util'; import assert from 'assert'; import { EventEmitter } from 'events';`;
    expect(await see(`crypto.createHash('sha256').update('a').update(Buffer.from('b')).digest('hex')`, {}, imports)).toBe(
      'fb8e20fc2e4c3f248c60c39bd652f3c1347298bb977b8b4d5903b85055620603',
    );
    expect(await see(`crypto.createHmac('sha1', 'k').update('ü').digest('base64')`, {}, imports)).toBe('mVbqqsR0tyQJeRqqhmdzcm80wwE=');
    expect(
      await see(
        `[new URL('../x?q=1#h', 'https://u:p@h.example:8443/a/b').href, new URL('https://a.example/?x=1&y=2').searchParams.get('y'), fileURLToPath('file:///a%20b')]`,
        {},
        imports,
      ),
    ).toEqual(['https://u:p@h.example:8443/x?q=1#h', '2', '/a b']);
    expect(
      await see(
        `[Buffer.from('aGk=', 'base64').toString(), format('%s-%d', 'a', 2), new TextEncoder().encode('ü').length, btoa('a')]`,
        {},
        imports,
      ),
    ).toEqual(['hi', 'a-2', 2, 'YQ==']);
    expect(
      await see(
        `(() => { assert.strictEqual(1, 1); try { assert(false, 'no'); } catch (e) { return (e as Error).message; } })()`,
        {},
        imports,
      ),
    ).toBe('no');
    expect(await see(`[typeof promisify, new EventEmitter().emit('x')]`, {}, imports)).toEqual(['function', false]);
  });

  test('Include and Yaml.load of files of the commit, deep imports of cdk8s-plus', async () => {
    const result = await run({
      files: {
        'all.yaml':
          'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\n---\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: two}\n',
        'main.ts': appWith(
          `new Include(chart, 'all', { url: 'all.yaml' });
           new k8s.KubeConfigMap(chart, 'three', { metadata: { name: String(Yaml.load(__dirname + '/all.yaml').length) } });`,
          `import { Include, Yaml } from 'cdk8s'; import * as k8s from 'cdk8s-plus-28/lib/imports/k8s';`,
        ),
      },
    });
    expectNoFindings(result);
    expect(names(result)).toEqual(['ConfigMap one', 'Secret two', 'ConfigMap 2']);
    expect(origins(result)[0]).toBe('ConfigMap one < main.ts:7:1');
  });
});

describe('where objects come from', () => {
  test('the frames of the author, innermost first, without libraries and generated imports', async () => {
    const result = await run({
      path: 'apps/shop',
      files: {
        'lib/web.ts': `import { Deployment } from 'cdk8s-plus-28';
import { Construct } from 'constructs';

export class Web extends Construct {
  constructor(scope: Construct, id: string) {
    super(scope, id);
    new Deployment(this, 'deployment', { containers: [{ image: 'nginx' }], metadata: { name: 'web' } });
  }
}
`,
        'apps/shop/imports/k8s.ts': `// generated by cdk8s
import { ApiObject } from 'cdk8s';
import { Construct } from 'constructs';
export class KubeConfigMap extends ApiObject {
  constructor(scope: Construct, id: string, props: any) {
    super(scope, id, { apiVersion: 'v1', kind: 'ConfigMap', ...props });
  }
}
`,
        'apps/shop/main.ts': `import { App, Chart } from 'cdk8s';
import { Web } from '../../lib/web';
import { KubeConfigMap } from './imports/k8s';
const here = __dirname; const app = new App(); const chart = new Chart(app, here.length > 0 ? 'shop' : '');
function settings() {
  return new KubeConfigMap(chart, 'settings', { metadata: { name: 'settings' } });
}
new Web(chart, 'web');
settings();
app.synth();
`,
      },
    });
    expectNoFindings(result);
    expect(origins(result)).toEqual([
      'Deployment web < lib/web.ts:7:5 < apps/shop/main.ts:8:1',
      'ConfigMap settings < apps/shop/main.ts:6:10 < apps/shop/main.ts:9:1',
    ]);
    expect(result.objects.map(({ origin }) => origin.constructPath)).toEqual(['shop/web/deployment/Resource', 'shop/settings']);
  });

  test('columns are right on a first line that uses __dirname and after characters outside ASCII', async () => {
    const files = {
      'main.ts': `const d = __dirname; const { App, Chart, ApiObject } = require('cdk8s'); const a = new App(); /* üü */ new ApiObject(new Chart(a, 'c'), d ? 'o' : '', { apiVersion: 'v1', kind: 'A', metadata: { name: 'n' } }); a.synth();`,
    };
    const line = files['main.ts'];
    expect(origins(await run({ files }))).toEqual([`A n < main.ts:1:${line.indexOf('new ApiObject') + 1}`]);
  });
});

describe('dependencies', () => {
  const dependencies = async (code: string) => {
    const result = await run({ files: { 'main.ts': code } });
    expectNoFindings(result);
    const ordered = names(result).map((name) => name.split(' ')[1]);
    return result.objects.map(({ dependsOn }, index) => `${ordered[index]}: ${dependsOn.map((other) => ordered[other]).join(' ')}`.trim());
  };
  const start = `import { App, Chart, ApiObject } from 'cdk8s';
import { Construct } from 'constructs';
const app = new App();
const object = (scope: Construct, name: string) => new ApiObject(scope, name, { apiVersion: 'v1', kind: 'A', metadata: { name } });
`;

  test('between objects, and objects are printed in that order', async () => {
    expect(
      await dependencies(
        `${start}const c = new Chart(app, 'c'); const a = object(c, 'a'); const b = object(c, 'b'); a.addDependency(b); app.synth();`,
      ),
    ).toEqual(['b:', 'a: b']);
  });

  test('between constructs, expanded to the objects below them', async () => {
    const code = `${start}const c = new Chart(app, 'c'); const x = new Construct(c, 'x'); const y = new Construct(c, 'y');
      object(x, 'x1'); object(x, 'x2'); object(y, 'y1'); object(y, 'y2'); x.node.addDependency(y); app.synth();`;
    expect(await dependencies(code)).toEqual(['y1:', 'y2:', 'x1: y1 y2', 'x2: y1 y2']);
  });

  test('between whole charts', async () => {
    const code = `${start}const web = new Chart(app, 'a-web'); const db = new Chart(app, 'b-db');
      object(web, 'w1'); object(web, 'w2'); object(db, 'd1'); object(db, 'd2'); web.addDependency(db); app.synth();`;
    expect(await dependencies(code)).toEqual(['d1:', 'd2:', 'w1: d1 d2', 'w2: d1 d2']);
  });

  test('a nested chart comes first in the files, but its parent does not wait for it', async () => {
    const code = `${start}const outer = new Chart(app, 'outer'); const inner = new Chart(outer, 'inner'); object(outer, 'o'); object(inner, 'i'); app.synth();`;
    expect(await dependencies(code)).toEqual(['i:', 'o:']);
  });

  test('one object across charts makes only that object wait', async () => {
    const code = `${start}const a = new Chart(app, 'a'); const b = new Chart(app, 'b'); const a1 = object(a, 'a1'); object(a, 'a2'); const b1 = object(b, 'b1'); a1.addDependency(b1); app.synth();`;
    expect(await dependencies(code)).toEqual(['b1:', 'a1: b1', 'a2:']);
  });

  test('a circle is a finding with its path', async () => {
    const result = await run({
      files: {
        'main.ts': `${start}const c = new Chart(app, 'c'); const a = object(c, 'a'); const b = object(c, 'b'); a.addDependency(b); b.addDependency(a); app.synth();`,
      },
    });
    expect(findingLines(result.findings)).toEqual([
      expect.stringMatching(/^DependencyCycle main.ts:5:\d+: Dependency cycle detected: c\/a => c\/b => c\/a; remove one/),
    ]);
  });
});
