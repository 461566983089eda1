// docs/errors.md and the catalogue of codes stay in step, both ways.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { errorCodes, findingCodes } from '../../operator/model/catalogue.ts';

const text = readFileSync(path.resolve(import.meta.dirname, '../../docs/errors.md'), 'utf8');

/** The cells of each row of the table under a heading. */
function rowsUnder(heading: string): readonly (readonly string[])[] {
  const [, section = ''] = text.split(`\n## ${heading}\n`);
  return (section.split('\n## ')[0] ?? '')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

describe.each([
  ['Errors', errorCodes],
  ['Findings', findingCodes],
])('docs/errors.md under %s', (heading, codes) => {
  const rows = rowsUnder(heading);

  test('has one row per code, in the order of the catalogue', () => {
    expect(rows.map(([code]) => code?.replaceAll('`', ''))).toEqual(Object.keys(codes));
  });

  test.each(rows)('%s says what it means, how it reads and what to do', (_, meaning, example, remedy, ...others) => {
    expect(meaning).toMatch(/^[A-Z`].+\.$/);
    expect(example).toMatch(/^`.+`$/);
    expect(remedy).toMatch(/^[A-Z`].+\.$/);
    expect(others).toEqual([]);
  });
});
