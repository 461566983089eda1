// Every example is rendered by the operator's own synth, compared with its golden file and with what the plain cdk8s command makes of it.
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { folderSnapshot } from '../../operator/cli/folder-snapshot.ts';
import { formatManifests } from '../../operator/cli/render.ts';
import type { JsonObject } from '../../operator/model/json.ts';
import { openSynthesizer } from '../../operator/synth/open-synthesizer.ts';
import type { Synthesizer } from '../../operator/synth/ports.ts';
import { expectGolden } from '../golden.ts';

const root = path.resolve(import.meta.dirname, '..', '..');
const examples = path.join(root, 'examples');
const run = promisify(execFile);

interface Rendering {
  /** Folder of the app within examples/. */
  readonly folder: string;
  /** Name of the golden file. */
  readonly golden: string;
  readonly inputs?: JsonObject;
}

const renderings: readonly Rendering[] = [
  { folder: 'web-app', golden: 'web-app.yaml' },
  { folder: 'multi-environment/apps/shop', golden: 'multi-environment-shop-dev.yaml', inputs: { env: 'dev' } },
  { folder: 'multi-environment/apps/shop', golden: 'multi-environment-shop-prod.yaml', inputs: { env: 'prod' } },
  { folder: 'multi-environment/apps/blog', golden: 'multi-environment-blog.yaml' },
  { folder: 'custom-resources', golden: 'custom-resources.yaml' },
  { folder: 'app-of-apps', golden: 'app-of-apps.yaml' },
  { folder: 'plain-manifests', golden: 'plain-manifests.yaml' },
];
const apps = renderings.filter(({ folder }) => existsSync(path.join(examples, folder, 'cdk8s.yaml')));

let synthesizer: Synthesizer;
const scratch = mkdtempSync(path.join(tmpdir(), 'setpoint-test-examples-'));
beforeAll(async () => {
  synthesizer = await openSynthesizer();
}, 60_000);
afterAll(async () => {
  await synthesizer?.close();
  rmSync(scratch, { recursive: true, force: true });
});

async function render({ folder, inputs }: Pick<Rendering, 'folder' | 'inputs'>) {
  const { snapshot, path: within } = await folderSnapshot(path.join(examples, folder));
  const request = { snapshot, path: within, ...(inputs === undefined ? {} : { inputs }) };
  return synthesizer.synthesize(request, AbortSignal.timeout(60_000));
}

function namesOf(objects: readonly { readonly object: JsonObject }[]): string[] {
  return objects.map(({ object }) => `${object['kind']}/${(object['metadata'] as JsonObject)['name']}`);
}

test.each(renderings)('$golden is what the operator renders of $folder', async (rendering) => {
  const { objects, findings } = await render(rendering);
  expect(findings).toEqual([]);
  expectGolden(rendering.golden, await formatManifests(objects.map(({ object }) => object)));
});

test.each(apps)(
  'npx cdk8s synth in $folder prints the objects of $golden',
  async ({ folder, golden, inputs }) => {
    const output = path.join(scratch, golden);
    const cdk8s = path.join(root, 'node_modules', '.bin', 'cdk8s');
    const env = { ...process.env, NODE_OPTIONS: '', SETPOINT_INPUTS: inputs === undefined ? '' : JSON.stringify(inputs) };
    await run(cdk8s, ['synth', '--check-upgrade=false', '--output', output], { cwd: path.join(examples, folder), env });
    const printed = readdirSync(output)
      .sort()
      .map((file) => readFileSync(path.join(output, file), 'utf8'));
    expect(parseObjects(printed)).toEqual(parseObjects([readFileSync(path.join(root, 'test', 'golden', golden), 'utf8')]));
  },
  60_000,
);

function parseObjects(files: readonly string[]): unknown[] {
  return files.flatMap((file) => parseAllDocuments(file, { version: '1.1' }).map((document) => document.toJS()));
}

test.each(apps)('every object of $folder knows the line of $folder that made it', async (rendering) => {
  const { objects } = await render(rendering);
  expect(objects.length).toBeGreaterThan(0);
  for (const { origin } of objects) {
    expect(origin.constructPath).not.toBe('');
    const [frame] = origin.frames;
    expect(frame?.file).toMatch(
      /^examples\/[a-z-]+\/(main\.ts|apps\/[a-z]+\/main\.ts|lib\/[a-z-]+\.ts|crds\/[a-z]+\.yaml|imports\/.*\.ts)$/,
    );
    expect(readFileSync(path.join(root, frame?.file ?? ''), 'utf8').split('\n').length).toBeGreaterThanOrEqual(frame?.line ?? Number.NaN);
  }
});

test('custom-resources: the kind comes before its object, the database before the app that needs it', async () => {
  const { objects } = await render({ folder: 'custom-resources' });
  const names = namesOf(objects);
  const needs = (name: string) => (objects[names.indexOf(name)]?.dependsOn ?? []).map((index) => names[index]);
  expect(needs('Database/orders')).toContain('CustomResourceDefinition/databases.platform.example.com');
  expect(needs('Deployment/orders')).toEqual(
    expect.arrayContaining(['Database/orders', 'CustomResourceDefinition/databases.platform.example.com']),
  );
});

test('app-of-apps: an Application waits for the rights it acts with, and these for the namespace', async () => {
  const { objects } = await render({ folder: 'app-of-apps' });
  const namespaceOf = (object: JsonObject) => (object['metadata'] as JsonObject)['namespace'];
  const application = objects.find(({ object }) => object['kind'] === 'Application' && namespaceOf(object) === 'blog-prod');
  const needed = namesOf((application?.dependsOn ?? []).flatMap((index) => objects[index] ?? []));
  expect(needed.sort()).toEqual(['RoleBinding/setpoint-applier', 'ServiceAccount/setpoint-applier']);
});

test('multi-environment: an environment that does not exist is refused with the list of those that do', async () => {
  const { objects, findings } = await render({ folder: 'multi-environment/apps/shop', inputs: { env: 'stage' } });
  expect(objects).toEqual([]);
  expect(findings[0]?.message).toContain('inputs.env is "stage"; it must be one of dev, prod');
  expect(findings[0]?.position?.file).toBe('examples/multi-environment/lib/environment.ts');
});

describe('each example', () => {
  const names = readdirSync(examples, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);
  const pinned = { ...readJson('package.json')['dependencies'], ...readJson('package.json')['devDependencies'] } as Record<string, string>;

  test.each(names)('%s is rendered here, has a README, and is listed', (name) => {
    expect(renderings.some(({ folder }) => folder.split('/')[0] === name)).toBe(true);
    const readme = readFileSync(path.join(examples, name, 'README.md'), 'utf8');
    expect(readme).toContain('## Try it');
    expect(readme).toContain('npx setpoint render examples/');
    expect(readme).toContain('## What to change');
    expect(readFileSync(path.join(examples, 'README.md'), 'utf8')).toContain(`](${name})`);
  });

  test.each(names.filter((name) => existsSync(path.join(examples, name, 'package.json'))))(
    '%s pins the versions that synth provides',
    (name) => {
      const { dependencies, devDependencies } = readJson('examples', name, 'package.json') as Record<string, Record<string, string>>;
      for (const [dependency, version] of Object.entries({ ...dependencies, ...devDependencies })) {
        expect([dependency, version]).toEqual([
          dependency,
          dependency === '@setpoint/constructs' ? 'file:../../constructs' : pinned[dependency],
        ]);
      }
    },
  );
});

// biome-ignore lint/suspicious/noExplicitAny: package.json files of many shapes
function readJson(...parts: string[]): Record<string, any> {
  return JSON.parse(readFileSync(path.join(root, ...parts), 'utf8'));
}
