// What a result depends on: exactly these paths, so that a commit which leaves them alone needs no synth.
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { createLocalSynthesizer } from '../../operator/synth/local-synthesizer.ts';
import type { Synthesizer } from '../../operator/synth/ports.ts';
import { type Ask, appWith, synthesize } from './support.ts';

// a busy machine starts processes slowly
jest.setTimeout(60_000);

let synthesizer: Synthesizer;
beforeAll(() => {
  synthesizer = createLocalSynthesizer({ spares: 2, refillMilliseconds: 0 });
});
afterAll(() => synthesizer.close());

const app = (code = '', imports = ''): string => appWith(`configMap('c', {});\n${code}`, imports);
/** Probes that every app without a tsconfig.json makes. */
const start = ['cdk8s.yaml', 'main.ts', 'tsconfig.json'];

test.each<[string, Ask, string[]]>([
  ['the entry and the configuration that was looked for', { files: { 'main.ts': app() } }, start],
  ['files beside the app do not count', { files: { 'main.ts': app(), 'README.md': '', 'other/main.ts': '' } }, start],
  [
    'an app in a folder also depends on the configuration above it',
    { path: 'apps/a', files: { 'apps/a/main.ts': app() } },
    ['apps/a/cdk8s.yaml', 'apps/a/main.ts', 'apps/a/tsconfig.json', 'apps/tsconfig.json', 'tsconfig.json'],
  ],
  [
    'a nearer tsconfig.json hides those above',
    { path: 'a', files: { 'a/main.ts': app(), 'a/tsconfig.json': '{}', 'tsconfig.json': '{}' } },
    ['a/cdk8s.yaml', 'a/main.ts', 'a/tsconfig.json'],
  ],
  [
    'package.json, when a script of it is run',
    { files: { 'cdk8s.yaml': 'app: npm run s', 'package.json': '{"scripts": {"s": "tsx main.ts"}}', 'main.ts': app() } },
    [...start, 'package.json'],
  ],
  [
    'an import, and what it was first looked for as',
    { files: { 'main.ts': app('', `import './lib/a';`), 'lib/a.ts': '' } },
    [...start, 'lib/a', 'lib/a.ts'],
  ],
  [
    'an import of a folder',
    { files: { 'main.ts': app('', `import './lib';`), 'lib/index.ts': '' } },
    [
      ...start,
      'lib',
      'lib.cjs',
      'lib.cts',
      'lib.js',
      'lib.json',
      'lib.jsx',
      'lib.mjs',
      'lib.mts',
      'lib.ts',
      'lib.tsx',
      'lib/index.ts',
      'lib/package.json',
    ],
  ],
  [
    'a file that is read while the app runs',
    { files: { 'main.ts': app(`fs.readFileSync('data.txt');`, `import * as fs from 'fs';`), 'data.txt': '' } },
    [...start, 'data.txt'],
  ],
  [
    'a folder that is listed',
    { files: { 'main.ts': app(`fs.readdirSync('data');`, `import * as fs from 'fs';`), 'data/a': '', 'data/b': '' } },
    [...start, 'data', 'data/'],
  ],
  [
    'a file that was looked for and is not there',
    { files: { 'main.ts': app(`fs.existsSync('extra.yaml');`, `import * as fs from 'fs';`) } },
    [...start, 'extra.yaml', 'extra.yaml/'],
  ],
  [
    'what the app writes and reads itself does not count',
    {
      files: {
        'main.ts': app(
          `fs.writeFileSync('/tmp/x', ''); fs.readFileSync('/tmp/x'); fs.existsSync('/etc/passwd');`,
          `import * as fs from 'fs';`,
        ),
      },
    },
    start,
  ],
  [
    'an Include',
    { files: { 'main.ts': app(`new Include(chart, 'i', { url: 'i.yaml' });`, `import { Include } from 'cdk8s';`), 'i.yaml': '' } },
    [...start, 'i.yaml'],
  ],
  [
    'the files of a failed synth, too',
    { files: { 'main.ts': `import './a';\nthrow new Error('no');`, 'a.ts': '' } },
    ['a', 'a.ts', ...start],
  ],
  [
    'an import that leads nowhere: every place it would be found at',
    { files: { 'main.ts': `import './a';` } },
    ['a', 'a.cjs', 'a.cts', 'a.js', 'a.json', 'a.jsx', 'a.mjs', 'a.mts', 'a.ts', 'a.tsx', 'a/index.ts', ...start],
  ],
])('%s', async (_, ask, expected) => {
  const { filesRead } = await synthesize(synthesizer, ask);
  expect(filesRead).toEqual([...expected].sort());
});

test('a folder of manifests depends on its files, its folders and the entries that would take precedence', async () => {
  const { filesRead } = await synthesize(synthesizer, {
    path: 'm',
    files: { 'm/a.yaml': 'a: 1', 'm/b/c.json': '{}', 'm/README.md': '', 'x.yaml': '' },
  });
  expect(filesRead.filter((path) => !/\.[cm]?[jt]s$/.test(path))).toEqual(['m/', 'm/a.yaml', 'm/b/', 'm/b/c.json', 'm/cdk8s.yaml']);
  expect(filesRead).toContain('m/main.ts');
});

test('a synth that had to be killed depends on what it had asked for', async () => {
  const impatient = createLocalSynthesizer({ limits: { milliseconds: 1_000 } });
  try {
    const files = { 'main.ts': `import './a';\nwhile (true) {}`, 'a.ts': '' };
    const { filesRead, findings } = await synthesize(impatient, { files });
    expect(findings.map(({ code }) => code)).toEqual(['SynthTimeout']);
    expect(filesRead).toEqual(expect.arrayContaining(['a.ts', 'main.ts']));
  } finally {
    await impatient.close();
  }
});
