// The house rules that a compiler does not check: who may import whom, and where the environment and the process end are touched.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import ts from 'typescript';

const root = path.resolve(import.meta.dirname, '..');

/** A rule: files under `from` may import own folder, Node built-ins, and what `may` names (folders of the tree, or npm packages). */
interface ImportRule {
  readonly from: string;
  readonly may: readonly string[];
}

const stages = ['source', 'synth', 'validate', 'plan', 'apply', 'observe', 'health', 'status'];
const constructStrings = ['constructs/annotations.ts', 'constructs/application-schema.ts'];

const rules: readonly ImportRule[] = [
  { from: 'constructs', may: ['npm:cdk8s', 'npm:constructs'] },
  { from: 'charts', may: ['constructs', 'package.json', 'npm:cdk8s', 'npm:cdk8s-plus-28', 'npm:constructs', 'npm:@setpoint/constructs'] },
  { from: 'operator/model', may: constructStrings },
  {
    from: 'operator/source',
    may: ['operator/model', 'npm:isomorphic-git', 'npm:undici', 'npm:semver', 'npm:p-limit', 'npm:pako', 'npm:ipaddr.js', 'npm:lru-cache'],
  },
  {
    from: 'operator/synth',
    may: [
      ...['operator/model', 'constructs', 'npm:esbuild', 'npm:isolated-vm', 'npm:@jridgewell/trace-mapping', 'npm:yaml', 'npm:lru-cache'],
      ...['npm:cdk8s', 'npm:cdk8s-plus-28', 'npm:constructs', 'npm:@setpoint/constructs', 'npm:path-browserify', 'npm:buffer', 'npm:acorn'],
    ],
  },
  { from: 'operator/validate', may: ['operator/model', ...constructStrings, 'npm:ajv', 'npm:ajv-formats', 'npm:re2js'] },
  { from: 'operator/plan', may: ['operator/model', ...constructStrings] },
  { from: 'operator/apply', may: ['operator/model', 'npm:p-limit'] },
  { from: 'operator/observe', may: ['operator/model'] },
  { from: 'operator/health', may: ['operator/model'] },
  { from: 'operator/status', may: ['operator/model', ...constructStrings] },
  {
    from: 'operator/cluster',
    may: [
      ...['operator/model', ...constructStrings, 'npm:@kubernetes/client-node', 'npm:undici', 'npm:yaml', 'npm:p-limit', 'npm:lru-cache'],
      ...['operator/apply/ports.ts', 'operator/validate/ports.ts', 'operator/reconcile/ports.ts'],
    ],
  },
  { from: 'operator/events', may: ['operator/model', 'npm:pino'] },
  { from: 'operator/metrics', may: ['operator/model', 'operator/events', 'npm:prom-client'] },
  { from: 'operator/api', may: ['operator/model', 'operator/events'] },
  {
    from: 'operator/reconcile',
    may: ['operator/model', 'operator/events', ...constructStrings, ...stages.map((stage) => `operator/${stage}`)],
  },
  {
    from: 'operator/cli',
    may: [
      ...[
        'operator/model',
        'operator/source',
        'operator/synth',
        'operator/validate',
        'operator/plan',
        'operator/cluster',
        'operator/api/wire.ts',
      ],
      ...[...constructStrings, 'npm:commander', 'npm:yaml', 'npm:isomorphic-git', 'npm:diff'],
    ],
  },
  { from: 'dev', may: ['operator/cluster', 'operator/model', 'charts', 'constructs', 'npm:undici', 'npm:yaml'] },
  {
    from: 'bench',
    may: ['operator/cluster', 'operator/model', 'operator/synth', 'charts', 'constructs', 'dev', 'test/support', 'npm:undici', 'npm:yaml'],
  },
];

/** Every TypeScript file below a folder, relative to the root. */
function sourceFiles(folder: string): string[] {
  return readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name) && !/node_modules|constructs\/lib/.test(entry.parentPath))
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)))
    .sort();
}

/** What a file imports: `npm:<package>` or a path relative to the root. Node built-ins are left out. */
function importsOf(file: string): string[] {
  const { importedFiles } = ts.preProcessFile(readFileSync(path.join(root, file), 'utf8'), true, true);
  return importedFiles
    .map(({ fileName }) => fileName)
    .filter((name) => !name.startsWith('node:'))
    .map((name) => {
      if (name.startsWith('.')) return path.relative(root, path.resolve(root, path.dirname(file), name));
      const [scope, second] = name.split('/');
      return `npm:${scope?.startsWith('@') ? `${scope}/${second}` : scope}`;
    });
}

/** The text of a file without comments and templates. */
function codeOf(file: string): string {
  return readFileSync(path.join(root, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$|`[^`]*`/gm, '');
}

function isInside(target: string, allowed: string): boolean {
  return target === allowed || target.startsWith(`${allowed}/`);
}

describe('direction of imports', () => {
  test.each(rules)('$from imports only what its row of the table names', ({ from, may }) => {
    const violations = sourceFiles(from).flatMap((file) =>
      importsOf(file)
        .filter((target) => !isInside(target, from) && !may.some((allowed) => isInside(target, allowed)))
        .map((target) => `${file} imports ${target}`),
    );
    expect(violations).toEqual([]);
  });

  test('every folder of the operator has a row in the table', () => {
    const folders = readdirSync(path.join(root, 'operator'), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => `operator/${entry.name}`);
    expect(folders.filter((folder) => !rules.some((rule) => rule.from === folder))).toEqual([]);
  });

  test('nobody imports main.ts', () => {
    const all = ['operator', 'dev', 'bench', 'charts', 'constructs'].flatMap(sourceFiles);
    expect(all.filter((file) => importsOf(file).includes('operator/main.ts'))).toEqual([]);
  });
});

describe('borders of the process', () => {
  const operatorFiles = sourceFiles('operator').filter((file) => !file.startsWith('operator/synth/child/'));

  /** Files whose code, comments aside, matches. */
  function filesWith(pattern: RegExp): string[] {
    return operatorFiles.filter((file) => pattern.test(codeOf(file)));
  }

  test('only config.ts reads the environment', () => {
    expect(filesWith(/\bprocess\.env\b/).filter((file) => file !== 'operator/config.ts')).toEqual([]);
  });

  test('only main.ts ends the process', () => {
    expect(filesWith(/\bprocess\.exit\(/).filter((file) => file !== 'operator/main.ts')).toEqual([]);
  });

  test('only cluster/ knows the Kubernetes client', () => {
    const users = operatorFiles.filter((file) => importsOf(file).includes('npm:@kubernetes/client-node'));
    expect(users.filter((file) => !file.startsWith('operator/cluster/'))).toEqual([]);
  });
});

describe('files', () => {
  const product = ['operator', 'constructs', 'charts', 'dev', 'bench'].flatMap(sourceFiles);

  test('each begins with a comment that says what lives there', () => {
    expect(product.filter((file) => !/^(#!.*\n)?(\/\/|\/\*)/.test(readFileSync(path.join(root, file), 'utf8')))).toEqual([]);
  });

  test('no name says nothing', () => {
    expect(product.filter((file) => /(^|[/-])(utils?|helpers?|common|misc|managers?|processors?)([./-]|$)/.test(file))).toEqual([]);
  });

  test('nothing is typed any or exported as default', () => {
    const offenders = product.filter((file) => /(\bas any\b|: any\b|<any>|^export default)/m.test(codeOf(file)));
    expect(offenders).toEqual([]);
  });
});
