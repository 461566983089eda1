// Golden files: output a person can read, kept in test/golden. `npm run golden:update` writes them anew; read the diff before committing it.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from '@jest/globals';
import { stringify } from 'yaml';

const folder = path.join(import.meta.dirname, 'golden');

/** Compares a text with test/golden/`name`, or writes that file when golden files are being updated. */
export function expectGolden(name: string, text: string): void {
  const file = path.join(folder, name);
  if (process.env['SETPOINT_GOLDEN_UPDATE'] === 'true') {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  if (!existsSync(file)) throw new Error(`there is no golden file ${name}; make it by: npm run golden:update`);
  expect(text).toBe(readFileSync(file, 'utf8'));
}

/** Objects as documents of one YAML file, keys in their own order. */
export function toGoldenYaml(objects: readonly object[]): string {
  return objects.map((object) => stringify(object, { lineWidth: 0, aliasDuplicateObjects: false })).join('---\n');
}
