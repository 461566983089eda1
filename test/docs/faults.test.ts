// docs/faults.md promises a test for each scenario: the files it names exist and hold a test whose name carries the id.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';

const root = path.resolve(import.meta.dirname, '../..');
const rows = readFileSync(path.join(root, 'docs/faults.md'), 'utf8')
  .split('\n')
  .filter((line) => /^\| [A-Z]\d+ \|/.test(line))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, id = '', scenario = '', owed = '', tests = '']) => ({
    id,
    scenario,
    owed,
    files: [...tests.matchAll(/`([^`]+)`/g)].map(([, file = '']) => file),
  }));

/** Whether some text in a file, which a test may be named by, begins a word with the id. */
function namesTest(file: string, id: string): boolean {
  const text = existsSync(path.join(root, file)) ? readFileSync(path.join(root, file), 'utf8') : '';
  return new RegExp(`['"\`]([^'"\`\\n]* )?${id} [^\\n]*['"\`]`).test(text);
}

describe('docs/faults.md', () => {
  test('names each scenario once', () => {
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.map(({ id }) => id).filter((id, index, all) => all.indexOf(id) !== index)).toEqual([]);
  });

  test.each(rows)('$id has what it promises: a scenario, what is owed, and tests that carry the id', ({ id, scenario, owed, files }) => {
    expect(scenario).toMatch(/\.$/);
    expect(owed).toMatch(/\.$/);
    expect(files.length).toBeGreaterThan(0);
    expect(files.filter((file) => !namesTest(file, id))).toEqual([]);
  });
});
