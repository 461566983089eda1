// The pack reader against hostile packs: what is refused, with which code, and that memory is not taken first.
import { describe, expect, test } from '@jest/globals';
import { defaultLimits, type SourceLimits } from '../../operator/source/limits.ts';
import { objectId, packObject } from '../../operator/source/objects/git-object.ts';
import { readPack } from '../../operator/source/objects/pack-reader.ts';
import { errorOf } from './git-world.ts';
import { copyCommand, deltaOf, insertCommand, packEntry, packOf } from './pack-builder.ts';

const signal = new AbortController().signal;
const base = Buffer.from('hello, world\n');
const baseId = objectId('blob', base);

function read(pack: Buffer, limits: Partial<SourceLimits> = {}, known = new Map()): ReturnType<typeof readPack> {
  return readPack(pack, known, { ...defaultLimits, ...limits }, 'fetch main', signal);
}

const appendBang = deltaOf(base.length, base.length + 1, copyCommand(0, base.length), insertCommand('!'));
const bangId = objectId('blob', Buffer.from('hello, world\n!'));

describe('a pack', () => {
  test('gives whole objects, offset deltas and deltas by id, in any order', async () => {
    const whole = packEntry({ type: 'blob', content: base });
    const byId = packEntry({ type: { baseId }, content: appendBang });
    const ids = async (entries: Buffer[]) => [...(await read(packOf(entries))).keys()].sort();
    const expected = [baseId, bangId].sort();
    expect(await ids([whole, packEntry({ type: { offsetBack: whole.length }, content: appendBang })])).toEqual(expected);
    expect(await ids([whole, byId])).toEqual(expected);
    expect(await ids([byId, whole])).toEqual(expected);
  });

  test('of the thin kind finds the bases it leaves out among known objects', async () => {
    const known = new Map([[baseId, packObject('blob', base)]]);
    const objects = await read(packOf([packEntry({ type: { baseId }, content: appendBang })]), {}, known);
    expect([...objects.keys()]).toEqual([bangId]);
  });

  test('with thousands of deltas, each on the next, is read in linear time', async () => {
    const contents = Array.from({ length: 5000 }, (_, index) => Buffer.from(`${base}${index}`));
    const entries = contents.slice(1).map((content, index) => {
      const previous = contents[index] ?? base;
      const command = [insertCommand(content.toString())];
      return packEntry({ type: { baseId: objectId('blob', previous) }, content: deltaOf(previous.length, content.length, ...command) });
    });
    const objects = await read(packOf([...entries.toReversed(), packEntry({ type: 'blob', content: contents[0] ?? base })]));
    expect(objects.size).toBe(5000);
  });
});

describe('G6 a pack that is not whole', () => {
  const good = packOf([packEntry({ type: 'blob', content: base })]);
  test.each([
    ['cut', good.subarray(0, -1)],
    ['empty', Buffer.alloc(0)],
    ['with a wrong trailer', Buffer.concat([good.subarray(0, -1), Buffer.from([(good.at(-1) ?? 0) ^ 1])])],
    ['that declares more objects than it holds', packOf([packEntry({ type: 'blob', content: base })], 2)],
    [
      'that declares fewer objects than it holds',
      packOf([packEntry({ type: 'blob', content: base }), packEntry({ type: 'blob', content: appendBang })], 1),
    ],
    ['with a delta whose base is nowhere', packOf([packEntry({ type: { baseId: 'ab'.repeat(20) }, content: appendBang })])],
    ['with deltas that build on each other in a circle', packOf([packEntry({ type: { baseId: bangId }, content: appendBang })])],
    [
      'with a delta on an offset where no object begins',
      packOf([packEntry({ type: 'blob', content: base }), packEntry({ type: { offsetBack: 3 }, content: appendBang })]),
    ],
    ['with an offset before the pack', packOf([packEntry({ type: { offsetBack: 5000 }, content: appendBang })])],
    ['with an object shorter than declared', packOf([packEntry({ type: 'blob', content: base, declaredSize: 14 })])],
  ])('%s is refused', async (_, pack) => {
    expect((await errorOf(read(pack))).code).toBe('ObjectCorrupt');
  });
});

describe('G8 a delta', () => {
  const whole = packEntry({ type: 'blob', content: base });
  const withDelta = (content: Buffer) => packOf([whole, packEntry({ type: { offsetBack: whole.length }, content })]);
  test.each([
    ['that copies past the end of its base', deltaOf(base.length, 20, copyCommand(0, 20))],
    ['that writes more than it declares', deltaOf(base.length, 5, insertCommand('123456'))],
    ['that writes less than it declares', deltaOf(base.length, 7, insertCommand('123456'))],
    ['for a base of another size', deltaOf(base.length + 1, 6, insertCommand('123456'))],
    ['with a reserved instruction', deltaOf(base.length, 6, [0], insertCommand('123456'))],
    ['with an insertion that is cut', deltaOf(base.length, 6, [6, 49, 50])],
    ['without sizes', Buffer.from([0x80])],
  ])('%s is refused', async (_, delta) => {
    expect((await errorOf(read(withDelta(delta)))).code).toBe('ObjectCorrupt');
  });

  test('that declares a huge result is refused before the memory is taken', async () => {
    const before = process.memoryUsage().arrayBuffers;
    const error = await errorOf(read(withDelta(deltaOf(base.length, 2 ** 40, copyCommand(0, 5)))));
    expect(error.code).toBe('RepoTooLarge');
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50_000_000);
  });

  test('chain that grows with each link stops at the limit of all bytes', async () => {
    const entries = [packEntry({ type: 'blob', content: Buffer.alloc(60_000, 'x') })];
    let size = 60_000;
    for (let link = 0; link < 12; link += 1) {
      const halves = Array.from({ length: Math.ceil((size * 2) / 60_000) }, () => copyCommand(0, 60_000));
      const content = deltaOf(size, halves.length * 60_000, ...halves);
      entries.push(packEntry({ type: { offsetBack: entries.at(-1)?.length ?? 0 }, content }));
      size = halves.length * 60_000;
    }
    const error = await errorOf(read(packOf(entries), { inflatedBytes: 10_000_000 }));
    expect([error.code, error.message]).toEqual(['RepoTooLarge', 'fetch main: the pack holds more than 10000000 bytes in all']);
  });
});

describe('G9 limits of a pack', () => {
  const bomb = packEntry({ type: 'blob', content: Buffer.alloc(5_000_000) });
  test.each([
    ['one large object', packOf([bomb]), { objectBytes: 1_000_000 }, 'RepoTooLarge'],
    [
      'a zlib bomb that declares a small size',
      packOf([packEntry({ type: 'blob', content: Buffer.alloc(5_000_000), declaredSize: 10 })]),
      {},
      'ObjectCorrupt',
    ],
    ['an object that declares 2^52 bytes', packOf([packEntry({ type: 'blob', content: base, declaredSize: 2 ** 52 })]), {}, 'RepoTooLarge'],
    ['more bytes in all than allowed', packOf([bomb, bomb, bomb]), { inflatedBytes: 12_000_000 }, 'RepoTooLarge'],
    ['more objects than allowed', packOf([bomb, bomb]), { objects: 1 }, 'RepoTooLarge'],
    ['four billion declared objects', packOf([bomb], 0xffffffff), {}, 'RepoTooLarge'],
  ])('%s', async (_, pack, limits, code) => {
    expect((await errorOf(read(pack, limits))).code).toBe(code);
  });
});
