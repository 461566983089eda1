// What an author is told: one finding per mistake, at its place, with what to do next.
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { createLocalSynthesizer } from '../../operator/synth/local-synthesizer.ts';
import type { Synthesizer } from '../../operator/synth/ports.ts';
import { type Ask, appWith, type Files, findingLines, synthesize } from './support.ts';

// a busy machine starts processes slowly
jest.setTimeout(60_000);

let synthesizer: Synthesizer;
beforeAll(() => {
  synthesizer = createLocalSynthesizer({ spares: 2, refillMilliseconds: 0 });
});
afterAll(() => synthesizer.close());

const provided = 'provided are cdk8s 2.70.106, cdk8s-plus-28 2.5.6, constructs 10.8.1, @setpoint/constructs 0.1.0';

/** The findings of a commit as lines; there are no objects then. */
async function mistakesOf(ask: Ask): Promise<string[]> {
  const result = await synthesize(synthesizer, ask);
  if (result.findings.length > 0) expect(result.objects).toEqual([]);
  return findingLines(result.findings);
}

const files = (main: string, others: Files = {}): Ask => ({ files: { ...others, 'main.ts': main } });

test.each<[string, Ask, string[]]>([
  [
    'a folder that does not exist',
    { path: 'apps/shpo', files: { 'apps/shop/main.ts': '' } },
    ['PathNotFound the folder apps/shpo does not exist in the commit; did you mean apps/shop?'],
  ],
  [
    'a file instead of a folder',
    { path: 'README.md', files: { 'README.md': '' } },
    ['PathNotFound the folder README.md is a file, not a folder; did you mean README.md?'],
  ],
  [
    'a folder behind a symbolic link',
    { path: 'link', files: { link: { kind: 'symlink' } } },
    ['ImportDenied link is a symbolic link, which is never followed; commit the file itself'],
  ],
  [
    'a folder with nothing in it to synthesize',
    files('', {}).path === undefined ? { files: { 'README.md': '' } } : files(''),
    [
      'EntryNotFound the folder . has neither a cdk8s.yaml, a main.ts nor manifests (*.yaml, *.json); correct spec.source.path, or set spec.source.entry',
    ],
  ],
  [
    'an entry that does not exist',
    { entry: 'mian.ts', files: { 'main.ts': '' } },
    ['EntryNotFound the entry file mian.ts, named by spec.source.entry, does not exist; did you mean main.ts?'],
  ],
  [
    'an entry outside the repository',
    { entry: '../main.ts', files: { 'main.ts': '' } },
    ['EntryNotFound the entry file ../main.ts, named by spec.source.entry, does not exist'],
  ],
  [
    'an entry named by cdk8s.yaml that does not exist',
    { files: { 'cdk8s.yaml': '# app\napp: ts-node mian.ts\n', 'main.ts': '' } },
    ['EntryNotFound cdk8s.yaml:2:6: the entry file mian.ts, named by cdk8s.yaml, does not exist; did you mean main.ts?'],
  ],
  [
    'a cdk8s.yaml that is no YAML',
    { files: { 'cdk8s.yaml': 'app: [a\n' } },
    [expect.stringMatching(/^InvalidCdk8sYaml cdk8s.yaml:2:1: cdk8s.yaml is not valid YAML: /) as unknown as string],
  ],
  [
    'a cdk8s.yaml in another language',
    { files: { 'cdk8s.yaml': 'language: python\napp: pipenv run python main.py\n' } },
    [
      'InvalidCdk8sYaml cdk8s.yaml:2:6: the app command "pipenv run python main.py" is not understood: it runs Python; only TypeScript and JavaScript apps are synthesized; write  app: npx ts-node main.ts , or set spec.source.entry',
    ],
  ],
  [
    'a cdk8s.yaml without app and no entry',
    { files: { 'cdk8s.yaml': 'language: typescript\n' } },
    ['InvalidCdk8sYaml cdk8s.yaml:1:1: cdk8s.yaml has no app command and there is no main.ts; add  app: npx ts-node main.ts'],
  ],
  [
    'inputs that are no object',
    { inputs: ['a'], files: { 'main.ts': '' } },
    ['InvalidInputs the inputs are not an object; write  inputs: {name: value}  in spec.source'],
  ],
  ['several syntax errors', files('const a = ;\nlet b = 1;\nlet b = 2;\n', {}), ['TypeScriptSyntax main.ts:1:11: unexpected ";"']],
  [
    'an import of a file that does not exist',
    files(`import { a } from './lib/wbe';\nconsole.log(a);`, { 'lib/web.ts': '' }),
    ['ImportNotFound main.ts:1:19: the import "./lib/wbe" leads to no file of the commit; did you mean "./lib/web"?'],
  ],
  [
    'two imports that lead nowhere',
    files(`import { a } from './a';\nimport { b } from './b';\nconsole.log(a, b);`),
    [
      'ImportNotFound main.ts:1:19: the import "./a" leads to no file of the commit; is the file committed?',
      'ImportNotFound main.ts:2:19: the import "./b" leads to no file of the commit; is the file committed?',
    ],
  ],
  [
    'S18 a package that is not provided',
    files(`import lodash from 'lodash/fp';\nlodash();`),
    [`PackageNotProvided main.ts:1:20: the package "lodash" is not provided; ${provided}; commit other code as files of the repository`],
  ],
  [
    'another version of cdk8s-plus',
    files(`import * as kplus from 'cdk8s-plus-33';\nkplus.a();`),
    ['PackageNotProvided main.ts:1:24: the package "cdk8s-plus-33" is not provided; import cdk8s-plus-28 instead'],
  ],
  [
    'S18 a built-in of Node that does not exist during synth',
    files(`import * as net from 'node:net';\nnet.connect(1);`),
    [
      expect.stringMatching(
        /^NotHermetic main.ts:1:22: node:net is not available during synth; available are fs, path, os,/,
      ) as unknown as string,
    ],
  ],
  [
    'an import through a symbolic link',
    files(`import './lib/a';`, { lib: { kind: 'symlink' } }),
    ['ImportDenied main.ts:1:8: lib/a is a symbolic link, which is never followed; commit the file itself'],
  ],
  [
    'an import out of a submodule',
    files(`import './vendor/a';`, { vendor: { kind: 'submodule' } }),
    ['ImportDenied main.ts:1:8: vendor/a is inside a Git submodule, which is never followed; commit the file itself'],
  ],
  [
    'G13 an import of a Git LFS pointer',
    files(`import data from './data.json';\nconsole.log(data);`, {
      'data.json': 'version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 1\n',
    }),
    ['LfsPointer data.json:1:1: data.json is a Git LFS pointer, not its content; keep files that the app reads out of Git LFS'],
  ],
  [
    'G13 a Git LFS pointer read while the app runs',
    files(`import { readFileSync } from 'fs';\nreadFileSync('data.txt');`, {
      'data.txt': 'version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 1\n',
    }),
    ['LfsPointer main.ts:2:1: data.txt is a Git LFS pointer, not its content; keep files that the app reads out of Git LFS'],
  ],
  [
    'an error that is thrown',
    files(`import { fail } from './lib/fail';\n\nfail();\n`, {
      'lib/fail.ts': `export function fail() {\n  const nothing: any = undefined;\n  return nothing.image;\n}\n`,
    }),
    [`SynthFailed lib/fail.ts:3:18: TypeError: Cannot read properties of undefined (reading 'image')`],
  ],
  ['something that is thrown and is no error', files(`throw 'text';`), ['SynthFailed text']],
  [
    'an error in a promise nobody waits for',
    files(`async function main() { throw new Error('late'); }\nmain();`),
    ['SynthFailed main.ts:1:31: late'],
  ],
  [
    'an error of the library',
    files(appWith(`configMap('same', {}); configMap('same', {});`)),
    [`SynthFailed main.ts:6:3: There is already a Construct with name 'same' in Chart [chart]`],
  ],
  [
    "an error of the library in the author's line",
    files(appWith(`new ApiObject(chart, 'x', { apiVersion: 'a/b/c', kind: 'A' });`)),
    [
      'SynthFailed main.ts:7:1: invalid apiVersion a/b/c, expecting GROUP/VERSION. See https://kubernetes.io/docs/reference/using-api/api-overview/#api-groups',
    ],
  ],
  ['an app that ends with a failure', files(`process.exit(3);`), ['SynthFailed main.ts:1:9: the app ended itself with process.exit(3)']],
  [
    'a file that does not exist, read while the app runs',
    files(`import { readFileSync } from 'fs';\nreadFileSync('nope.txt');`),
    [`SynthFailed main.ts:2:1: ENOENT: no such file or directory, open '/repo/nope.txt'`],
  ],
  [
    'the network',
    files(`fetch('https://example.com');`),
    [
      'NotHermetic main.ts:1:1: fetch (the network) is not available during synth; commit the data the app needs as a file of the repository',
    ],
  ],
  [
    'Include of a URL',
    files(appWith(`new Include(chart, 'x', { url: 'https://example.com/x.yaml' });`, `import { Include } from 'cdk8s';`)),
    [
      'NotHermetic main.ts:7:1: the network: Include or Yaml.load of https://example.com/x.yaml is not available during synth; download the manifest, commit it, and include the file',
    ],
  ],
  [
    'a Helm chart',
    files(appWith(`new Helm(chart, 'x', { chart: 'bitnami/redis' });`, `import { Helm } from 'cdk8s';`)),
    [
      'NotHermetic main.ts:7:1: helm is not available during synth; Helm charts come later; render the chart, commit the manifests and include them with Include',
    ],
  ],
  [
    'another program',
    files(`import { execSync } from 'child_process';\nexecSync('git rev-parse HEAD');`),
    [
      'NotHermetic main.ts:2:1: running a program (git) is not available during synth; commit the output of the program as a file of the repository',
    ],
  ],
  [
    'randomness',
    files(`import { randomUUID } from 'crypto';\nrandomUUID();`),
    [
      'NotHermetic main.ts:2:1: crypto.randomUUID (randomness) is not available during synth; the same commit must give the same objects: derive the value from a name, or keep it in a Secret of the cluster',
    ],
  ],
  [
    'S18 an import whose name is only known when it runs',
    files(`const name = './a' + process.argv.length; import(name).then(console.log);`),
    [expect.stringMatching(/^(NotHermetic|SynthFailed) main.ts:1:\d+: /) as unknown as string],
  ],
  [
    'S18 a require whose name is only known when it runs',
    files(`const name = './a' + process.argv.length; require(name);`),
    [
      'NotHermetic main.ts:1:43: a module whose name is only known when the app runs ("./a2") is not available during synth; import it by a literal name',
    ],
  ],
  [
    'S19 a native module',
    files(`import native from './build/native.node';\nnative();`, { 'build/native.node': 'ELF' }),
    ['ImportDenied main.ts:1:20: build/native.node: files ending in .node cannot be imported; read it with fs.readFileSync'],
  ],
])('%s', async (_, ask, expected) => {
  expect(await mistakesOf(ask)).toEqual(expected);
});

describe('more than one line', () => {
  test('a finding shows the source around it', async () => {
    const { findings } = await synthesize(
      synthesizer,
      files(`import { App } from 'cdk8s';\nconst app = new App();\nconst image = undefined.image;\napp.synth();\n`),
    );
    expect(findings[0]?.codeFrame).toBe(
      [
        `  1 | import { App } from 'cdk8s';`,
        `  2 | const app = new App();`,
        `> 3 | const image = undefined.image;`,
        `    |                         ^`,
        `  4 | app.synth();`,
        `  5 |`,
      ].join('\n'),
    );
  });

  test('each construct that fails its validation is a finding of its own, at the line that made it', async () => {
    const code = `import { App, Chart } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
const app = new App();
const chart = new Chart(app, 'c');
new kplus.Role(chart, 'fine', { rules: [] });
new kplus.Ingress(chart, 'first');
new kplus.Ingress(chart, 'second');
app.synth();
`;
    expect(await mistakesOf(files(code))).toEqual([
      'SynthFailed main.ts:6:1: [c/first] ingress with no rules or default backend',
      'SynthFailed main.ts:7:1: [c/second] ingress with no rules or default backend',
    ]);
  });

  test('the call chain is kept, innermost first', async () => {
    const { findings } = await synthesize(
      synthesizer,
      files(`function a() {\n  throw new RangeError('deep');\n}\nfunction b() {\n  a();\n}\nb();\n`),
    );
    expect(findings[0]?.frames?.map(({ line, column }) => `${line}:${column}`)).toEqual(['2:9', '5:3', '7:1']);
  });
});
