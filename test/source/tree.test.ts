// Names, modes and order of one Git tree, built byte by byte.
import { describe, expect, test } from '@jest/globals';
import { OperatorError } from '../../operator/model/error.ts';
import { parseTree, refusedName } from '../../operator/source/objects/tree.ts';

type Entry = readonly [mode: string, name: string | Buffer];

function tree(...entries: readonly Entry[]): Buffer {
  return Buffer.concat(entries.flatMap(([mode, name]) => [Buffer.from(`${mode} `), Buffer.from(name), Buffer.alloc(21)]));
}

function codeOf(content: Buffer): string {
  try {
    parseTree(content, '/');
    return 'accepted';
  } catch (error) {
    return error instanceof OperatorError ? error.code : String(error);
  }
}

describe('G11 names of a tree', () => {
  test.each([
    ['..'],
    ['.'],
    [''],
    ['.git'],
    ['.GIT'],
    ['.Git.'],
    ['.git '],
    ['git~1'],
    ['GIT~2'],
    ['.git::$INDEX_ALLOCATION'],
    ['.git:stream'],
    ['.g\u200cit'],
    ['.\u200d.'],
    ['.git\ufeff'],
    ['a/b'],
    ['..\\x'],
    ['a\nb'],
    ['a\u007f'],
    ['__proto__'],
  ])('%j is refused', (name) => {
    expect(codeOf(tree(['100644', name]))).toBe('UnsafePath');
  });

  test('bytes that are not UTF-8 are refused', () => {
    expect(codeOf(tree(['100644', Buffer.from([0x61, 0xff])]))).toBe('UnsafePath');
  });

  test.each([
    ['.gitignore'],
    ['.github'],
    ['.gitattributes'],
    ['git'],
    ['constructor'],
    ['...'],
    ['a..b'],
    ['-rf'],
    ['ünï'],
    ['a b'],
    ['C:'],
    ['digit~1'],
  ])('%j is an ordinary name', (name) => {
    expect(refusedName(name)).toBeUndefined();
  });

  test.each([
    ['Config.ts', 'config.ts'],
    ['STRASSE', 'strasse'],
    ['u\u0308', '\u00fc'],
  ])('%j and %j in one folder are refused, since many file systems keep only one of them', (first, second) => {
    const names = [first, second].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    expect(codeOf(tree(...names.map((name): Entry => ['100644', name])))).toBe('UnsafePath');
  });
});

describe('G10 G12 modes of a tree', () => {
  test('tell files, executables, folders, symbolic links and submodules apart', () => {
    const content = tree(['100644', 'a'], ['100755', 'b'], ['40000', 'c'], ['120000', 'd'], ['160000', 'e'], ['100664', 'f']);
    expect(parseTree(content, '/').map(({ name, kind }) => `${name} ${kind}`)).toEqual([
      'a file',
      'b executable',
      'c tree',
      'd symlink',
      'e submodule',
      'f file',
    ]);
  });
  test.each([['100666'], ['060000'], ['020000'], ['0'], ['']])('mode %j is refused', (mode) => {
    expect(codeOf(tree([mode, 'a']))).toBe('ObjectCorrupt');
  });
});

describe('G7 the form of a tree', () => {
  test.each([
    ['entries out of order', tree(['100644', 'b'], ['100644', 'a'])],
    ['a name twice', tree(['100644', 'a'], ['100644', 'a'])],
    ['a cut id', tree(['100644', 'a']).subarray(0, -1)],
    ['no end of the name', Buffer.from('100644 a')],
    ['no space', Buffer.from('100644')],
  ])('with %s is refused', (_, content) => {
    expect(codeOf(content)).toMatch(/ObjectCorrupt|UnsafePath/);
  });

  test('sorts folders as if their name ended in a slash', () => {
    expect(codeOf(tree(['100644', 'a.ts'], ['40000', 'a']))).toBe('accepted');
    expect(codeOf(tree(['40000', 'a'], ['100644', 'a.ts']))).toBe('ObjectCorrupt');
  });
});
