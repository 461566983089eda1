// Which commits need no new synth: a table.
import { describe, expect, test } from '@jest/globals';
import type { SnapshotEntry } from '../../operator/model/snapshot.ts';
import { sameInputs } from '../../operator/reconcile/same-inputs.ts';

/** `path=oid` per word; `path@oid` for a symbolic link. */
function commit(text: string): ReadonlyMap<string, SnapshotEntry> {
  return new Map(
    text
      .split(' ')
      .sort()
      .map((word) => {
        const [path = '', oid = ''] = word.split(/[=@]/);
        return [path, { oid, kind: word.includes('@') ? 'symlink' : 'file' }];
      }),
  );
}

describe('two commits are the same to a result when what it was made from is', () => {
  const before = 'README=1 app/main.ts=2 lib/a.ts=3 lib/deep/b.ts=4';
  test.each<[string, readonly string[], string, boolean]>([
    ['nothing read changed', ['app/main.ts', 'lib/a.ts'], 'README=9 app/main.ts=2 lib/a.ts=3 lib/deep/b.ts=9', true],
    ['a file read changed', ['app/main.ts', 'lib/a.ts'], 'README=1 app/main.ts=2 lib/a.ts=9 lib/deep/b.ts=4', false],
    ['a file read is gone', ['app/main.ts', 'lib/a.ts'], 'README=1 app/main.ts=2 lib/deep/b.ts=4', false],
    ['a file became a link to the same bytes', ['app/main.ts'], 'README=1 app/main.ts@2 lib/a.ts=3', false],
    ['a probe finds something now', ['app/main.ts', 'app/cdk8s.yaml'], `${before} app/cdk8s.yaml=7`, false],
    ['a probe still finds nothing', ['app/main.ts', 'app/cdk8s.yaml'], before, true],
    ['a listed folder has one more file', ['lib/'], `${before} lib/c.ts=5`, false],
    ['a listed folder has one more folder', ['lib/'], `${before} lib/new/c.ts=5`, false],
    ['a file deeper in a listed folder changed', ['lib/'], 'README=1 app/main.ts=2 lib/a.ts=3 lib/deep/b.ts=9', true],
    ['a file of a listed folder changed its bytes and was not read', ['lib/'], 'README=1 app/main.ts=2 lib/a.ts=9 lib/deep/b.ts=4', true],
    ['a file of a listed folder became a folder', ['lib/'], 'README=1 app/main.ts=2 lib/a.ts/x=3 lib/deep/b.ts=4', false],
    ['the listed root has one more file', ['./'], `${before} new=1`, false],
    ['a listed root with changes below', ['./'], `${before} lib/c.ts=5`, true],
    ['another folder with a similar name changed', ['lib/'], `${before} library/c.ts=5`, true],
  ])('%s', (_, paths, after, expected) => {
    expect(sameInputs(paths, commit(before), commit(after))).toBe(expected);
  });
});
