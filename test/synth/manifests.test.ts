// Folders of plain YAML and JSON: each document is an object, and each mistake has its line.
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { createLocalSynthesizer } from '../../operator/synth/local-synthesizer.ts';
import type { Synthesizer } from '../../operator/synth/ports.ts';
import { dataOf, type Files, findingLines, names, origins, synthesize } from './support.ts';

// a busy machine starts processes slowly
jest.setTimeout(60_000);

let synthesizer: Synthesizer;
beforeAll(() => {
  synthesizer = createLocalSynthesizer({
    spares: 2,
    refillMilliseconds: 0,
    limits: { objects: 1_000, objectBytes: 100_000, outputBytes: 300_000 },
  });
});
afterAll(() => synthesizer.close());

const run = (files: Files) => synthesize(synthesizer, { files });
const named = (name: string, rest = ''): string => `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n${rest}`;

describe('what is read', () => {
  test('every document of every file, folders included, in a fixed order, with its line', async () => {
    const result = await run({
      'b.yml': named('b'),
      'a.yaml': `# first\n---\n${named('one')}---\n---\n# nothing\n---\n${named('two')}...\n`,
      'nested/deep/c.json': '\n{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "c"}}',
      '.hidden/x.yaml': 'no: manifest',
      'README.md': '# no manifest',
      'kustomization.yaml': 'resources: []',
    });
    expect(findingLines(result.findings)).toEqual([]);
    expect(origins(result)).toEqual([
      'ConfigMap one < a.yaml:3:1',
      'ConfigMap two < a.yaml:11:1',
      'ConfigMap b < b.yml:1:1',
      'Secret c < nested/deep/c.json:2:1',
    ]);
  });

  test('a folder that holds cdk8s apps and is none: names them', async () => {
    const app = 'language: typescript\napp: npx ts-node main.ts\n';
    const { findings } = await run({ 'apps/blog/cdk8s.yaml': app, 'apps/shop/cdk8s.yaml': app, 'a.yaml': named('a') });
    expect(findings).toMatchObject([
      {
        code: 'EntryNotFound',
        message: 'the folder . holds cdk8s apps (apps/blog, apps/shop) and is none itself',
        hint: 'set spec.source.path to one of them',
      },
    ]);
  });

  test('the items of a List, each at its own line', async () => {
    const list = `apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n- apiVersion: v1\n  kind: Secret\n  metadata: {name: b}\n`;
    expect(origins(await run({ 'list.yaml': list }))).toEqual(['ConfigMap a < list.yaml:4:3', 'Secret b < list.yaml:5:3']);
  });

  test('values as kubectl reads them: YAML 1.1, anchors and merges, dates and times as texts', async () => {
    const data =
      'data:\n  base: &base {a: x}\n  merged: {<<: *base, b: z}\n  yes: yes\n  octal: 0644\n  date: 2020-01-01\n  time: 12:30:45\n  text: "yes"\n  big: 12345678901234567890\n';
    expect(dataOf(await run({ 'a.yaml': named('n', data) }))).toEqual({
      base: { a: 'x' },
      merged: { a: 'x', b: 'z' },
      true: true,
      octal: 420,
      date: '2020-01-01',
      time: '12:30:45',
      text: 'yes',
      big: 12345678901234567000,
    });
  });
});

describe('what is refused', () => {
  test.each<[string, Files, unknown[]]>([
    ['a syntax error, at its place', { 'a.yaml': 'a: [1\nb: 2\n' }, [expect.stringMatching(/^InvalidYaml a.yaml:2:\d: /)]],
    [
      'errors of several files, all at once',
      { 'a.yaml': 'a: "x\n', 'b.yaml': named('fine'), 'c.json': '{"a": ' },
      [expect.stringMatching(/^InvalidYaml a.yaml/), expect.stringMatching(/^InvalidYaml c.json/)],
    ],
    ['a key twice', { 'a.yaml': 'kind: A\nkind: B\n' }, ['InvalidYaml a.yaml:2:1: map keys must be unique']],
    ['a document that is no mapping', { 'a.yaml': `${named('a')}---\n- 1\n` }, ['InvalidYaml a.yaml:6:1: a manifest must be a mapping']],
    [
      'S11 a __proto__ key at any depth',
      { 'a.yaml': named('a', 'data:\n  - __proto__: {admin: true}\n') },
      ['InvalidObject a.yaml:1:1: the object has the forbidden key "__proto__"'],
    ],
    [
      'aliases that multiply without end',
      {
        'a.yaml': `a: &a [x, x, x, x, x, x, x, x, x]\n${'bcdefghi'
          .split('')
          .map((key, index) => `${key}: &${key} [${Array(9).fill(`*${'abcdefgh'[index]}`).join(', ')}]`)
          .join('\n')}\n`,
      },
      [expect.stringMatching(/^InvalidYaml a.yaml:1:1: excessive alias count/)],
    ],
    [
      'S12 more objects than allowed',
      { 'a.yaml': Array.from({ length: 1_001 }, (_, index) => named(`n${index}`)).join('---\n') },
      [expect.stringMatching(/^SynthOutputTooLarge a.yaml:\d+:1: the manifests are more than 1000 objects/)],
    ],
    [
      'S12 an object larger than allowed',
      { 'a.yaml': named('a', `data: {x: "${'x'.repeat(100_001)}"}`) },
      [expect.stringMatching(/^SynthOutputTooLarge a.yaml:1:1: the manifests are an object of \d+ bytes, more than the 100000/)],
    ],
    [
      'S12 more bytes than allowed',
      Object.fromEntries(['a', 'b', 'c', 'd'].map((name) => [`${name}.yaml`, named(name, `data: {x: "${'x'.repeat(90_000)}"}`)])),
      [expect.stringMatching(/^SynthOutputTooLarge d.yaml:1:1: the manifests are more than 300000 bytes/)],
    ],
    [
      'G13 a Git LFS pointer',
      { 'a.yaml': 'version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 1\n' },
      [expect.stringMatching(/^LfsPointer a.yaml:1:1: /)],
    ],
    ['a symbolic link', { 'a.yaml': { kind: 'symlink' } }, [expect.stringMatching(/^ImportDenied a.yaml is a symbolic link/)]],
  ])('%s', async (_, files, expected) => {
    expect(findingLines((await run(files)).findings)).toEqual(expected);
  });

  test('the good files of a folder are still shown, so that all findings of the commit come at once', async () => {
    expect(names(await run({ 'a.yaml': named('good'), 'b.yaml': 'a: [1' }))).toEqual(['ConfigMap good']);
  });
});
