// What a ref means, as tables: names before ranges, branches before tags, and what can be no ref at all.
import { describe, expect, test } from '@jest/globals';
import { formatError, type OperatorError } from '../../operator/model/error.ts';
import type { RefList } from '../../operator/source/protocol/advertisement.ts';
import { chooseRef, readRef, refNotFound } from '../../operator/source/resolve-ref.ts';

const id = (digit: string): string => digit.repeat(40);

function list(refs: Readonly<Record<string, string>>, unbornHead?: string): RefList {
  const entries = Object.entries(refs).map(([name, oid]) => [name, { name, oid: id(oid) }] as const);
  return { refs: new Map(entries), ...(unbornHead === undefined ? {} : { unbornHead }) };
}

const refs = list({
  HEAD: '1',
  'refs/heads/main': '1',
  'refs/heads/1.x': '2',
  'refs/heads/both': '3',
  'refs/tags/both': '4',
  'refs/tags/v1.2.0': '5',
  'refs/tags/v1.10.0': '6',
  'refs/tags/2.0.0-rc.1': '7',
  'refs/tags/nightly': '8',
});

describe('a ref', () => {
  test.each([
    [undefined, 'HEAD'],
    ['HEAD', 'HEAD'],
    ['main', 'refs/heads/main'],
    ['both', 'refs/heads/both'],
    ['refs/tags/both', 'refs/tags/both'],
    ['nightly', 'refs/tags/nightly'],
    ['v1.2.0', 'refs/tags/v1.2.0'],
    ['1.x', 'refs/heads/1.x'],
    ['^1.2', 'refs/tags/v1.10.0'],
    ['~1.2', 'refs/tags/v1.2.0'],
    ['>=1.0.0 <2', 'refs/tags/v1.10.0'],
    ['1', 'refs/tags/v1.10.0'],
    ['*', 'refs/tags/v1.10.0'],
    ['>=2.0.0-0', 'refs/tags/2.0.0-rc.1'],
    [id('A'), id('a')],
    ['^3', 'nothing'],
    ['release', 'nothing'],
  ])('%j means %s', (ref, name) => {
    expect(chooseRef(readRef(ref, 'https://x/y'), refs)?.name ?? 'nothing').toBe(name);
  });

  test.each([
    ['--upload-pack=touch /tmp/x'],
    ['-main'],
    ['refs/../x'],
    ['a..b'],
    ['a\nb'],
    ['a b'],
    ['main\0'],
    ['main.lock'],
    ['.hidden'],
    ['a/.b'],
    ['main/'],
    ['a//b'],
    ['a@{1}'],
    ['main~1'],
    ['a:b'],
    ['a[b'],
    ['@'],
    [''],
    ['x'.repeat(2000)],
  ])('G22 %j can be no ref', (ref) => {
    expect(() => readRef(ref, 'https://x/y')).toThrow('it can be no branch, tag or commit');
  });
});

describe('G4 a ref that is not there', () => {
  const explain = (ref: string | undefined, from: RefList): string => formatError(refNotFound(ref, 'https://x/y', from) as OperatorError);
  test.each([
    ['mian', refs, 'resolve mian of https://x/y: there is no such branch, tag or version; there is "main", "1.x", "both"'],
    ['abcdef1', refs, 'resolve abcdef1 of https://x/y: there is no such branch or tag; of a commit give the full id of 40 characters'],
    [
      undefined,
      list({ 'refs/heads/main': '1' }, 'refs/heads/master'),
      'resolve the remote\'s HEAD of https://x/y: HEAD leads to no commit (it names refs/heads/master); set spec.source.ref, for instance to "main"',
    ],
    ['main', list({}), 'resolve main of https://x/y: the repository has no commits on any branch; push a first commit'],
  ])('%s is explained with what is there', (ref, from, expected) => {
    expect(explain(ref, from)).toBe(expected);
  });
});
