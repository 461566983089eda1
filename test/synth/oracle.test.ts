// The promise "any ordinary app, unchanged": for each app here our objects are those the plain cdk8s command prints, in its order.
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parseAllDocuments, stringify } from 'yaml';
import { createLocalSynthesizer } from '../../operator/synth/local-synthesizer.ts';
import type { Synthesizer } from '../../operator/synth/ports.ts';
import { expectNoFindings, type Files, synthesize } from './support.ts';

const root = path.resolve(import.meta.dirname, '..', '..');
const folder = path.join(import.meta.dirname, 'apps');
const apps = readdirSync(folder).sort();
const scratch = mkdtempSync(path.join(tmpdir(), 'setpoint-test-oracle-'));
let synthesizer: Synthesizer;

beforeAll(() => {
  synthesizer = createLocalSynthesizer({ refillMilliseconds: 0 });
});
afterAll(async () => {
  await synthesizer.close();
  rmSync(scratch, { recursive: true, force: true });
});

function filesOf(app: string): Files {
  const base = path.join(folder, app);
  const names = readdirSync(base, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    names.map((entry) => path.join(entry.parentPath, entry.name)).map((file) => [path.relative(base, file), readFileSync(file)]),
  );
}

/** Documents of the files the command writes, in the order it names them. */
async function plainCommand(app: string): Promise<string[]> {
  const copy = path.join(scratch, app);
  cpSync(path.join(folder, app), copy, { recursive: true });
  symlinkSync(path.join(root, 'node_modules'), path.join(copy, 'node_modules'));
  const bin = path.join(root, 'node_modules', '.bin');
  // types are checked elsewhere; this makes the command three times faster and changes no output
  const env = { HOME: scratch, PATH: `${bin}:/usr/local/bin:/usr/bin:/bin`, TS_NODE_TRANSPILE_ONLY: 'true', npm_config_offline: 'true' };
  const { stdout } = await promisify(execFile)(path.join(bin, 'cdk8s'), ['synth', '--check-upgrade=false', '--output', 'dist'], {
    cwd: copy,
    env,
  });
  const files = [...stdout.matchAll(/^ {2}- (.+)$/gm)].map(([, file = '']) => path.join(copy, file));
  return files.flatMap((file) =>
    parseAllDocuments(readFileSync(file, 'utf8'), { version: '1.1' }).map((document) => normalize(document.toJS())),
  );
}

const normalize = (value: unknown): string => stringify(value, { lineWidth: 0 });

describe('equals cdk8s synth', () => {
  test.each(apps)(
    '%s',
    async (app) => {
      const result = await synthesize(synthesizer, { files: filesOf(app) });
      expectNoFindings(result);
      const ours = result.objects.map(({ object }) => normalize(object));
      expect(ours).toEqual(await plainCommand(app));
      expect(ours.length).toBeGreaterThan(0);
      for (const { origin } of result.objects) expect(origin.frames.length).toBeGreaterThan(0);
    },
    120_000,
  );
});
