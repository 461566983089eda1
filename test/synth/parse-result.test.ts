// A child that has been taken over sends what it likes: only well-formed results of allowed size get through.
import { describe, expect, test } from '@jest/globals';
import type { SynthesizedObject } from '../../operator/model/manifest.ts';
import { encodeFrame, FrameReader, frameTypes } from '../../operator/synth/frames.ts';
import { defaultLimits } from '../../operator/synth/limits.ts';
import { MalformedResult, parseResult } from '../../operator/synth/parse-result.ts';

const good = {
  origins: [[{ file: 'a.ts', line: 1, column: 2 }]],
  groups: [[0]],
  entries: [
    ['c/a', 0, []],
    ['c/b', 0, [0]],
  ],
  findings: [],
  filesRead: ['a.ts'],
};
const objects = [{ kind: 'A' }, { kind: 'B' }];
const bytesOf = (values: readonly unknown[]): Buffer => Buffer.from(values.map((value) => JSON.stringify(value)).join('\n'));
const parse = (meta: unknown, values: readonly unknown[] = objects, limits = defaultLimits, previous: readonly SynthesizedObject[] = []) =>
  parseResult({ objects: bytesOf(values), result: Buffer.from(JSON.stringify(meta)) }, limits, previous);

test('a well-formed result', () => {
  const result = parse(good);
  expect(result.objects.map(({ object, origin, dependsOn }) => [object['kind'], origin.constructPath, dependsOn])).toEqual([
    ['A', 'c/a', []],
    ['B', 'c/b', [0]],
  ]);
});

test('objects that did not change are the same values as before, the others are not', () => {
  const first = parse(good);
  const second = parse(good, [{ kind: 'A' }, { kind: 'B', changed: true }], defaultLimits, first.objects);
  expect(second.objects[0]?.object).toBe(first.objects[0]?.object);
  expect(second.objects[1]?.object).toEqual({ kind: 'B', changed: true });
  const third = parse(good, [{ kind: 'B' }, { kind: 'A' }], defaultLimits, first.objects);
  expect(third.objects.map(({ object }) => object)).toEqual([{ kind: 'B' }, { kind: 'A' }]);
  expect(third.objects[1]?.object).toBe(first.objects[0]?.object);
  expect(parse(good).objects[0]?.object).not.toBe(first.objects[0]?.object);
});

test('objects that depend on the same things share one list', () => {
  const entries = [
    ['a', 0, []],
    ['b', 0, [0]],
    ['c', 0, [0]],
    ['d', 0, [0, 1]],
    ['e', 0, [0, 1]],
  ];
  const result = parse(
    { ...good, groups: [[0], [0, 1]], entries },
    entries.map(() => ({})),
  );
  expect(result.objects[1]?.dependsOn).toBe(result.objects[2]?.dependsOn);
  expect(result.objects[3]?.dependsOn).toBe(result.objects[4]?.dependsOn);
  expect(result.objects[3]?.dependsOn).toEqual([0, 1]);
});

test.each<[string, unknown, readonly unknown[]]>([
  ['more entries than objects', good, [{}]],
  [
    'an origin that does not exist',
    {
      ...good,
      entries: [
        ['a', 7, []],
        ['b', 0, []],
      ],
    },
    objects,
  ],
  [
    'a group that does not exist',
    {
      ...good,
      entries: [
        ['a', 0, [3]],
        ['b', 0, []],
      ],
    },
    objects,
  ],
  ['a dependency on an object that does not exist', { ...good, groups: [[2]] }, objects],
  ['a negative index', { ...good, groups: [[-1]] }, objects],
  ['a fraction as index', { ...good, groups: [[0.5]] }, objects],
  [
    'a path that is no text',
    {
      ...good,
      entries: [
        [{}, 0, []],
        ['b', 0, []],
      ],
    },
    objects,
  ],
  ['a finding with a code nobody knows', { ...good, findings: [{ code: 'constructor', message: 'x' }] }, objects],
  ['a finding without a message', { ...good, findings: [{ code: 'SynthFailed' }] }, objects],
  ['a position without a line', { ...good, origins: [[{ file: 'a' }]] }, objects],
  ['files that are no texts', { ...good, filesRead: [1] }, objects],
  ['a result that is no object', [], objects],
  [
    'an entry with too much in it',
    {
      ...good,
      entries: [
        ['a', 0, [], 1],
        ['b', 0, []],
      ],
    },
    objects,
  ],
])('%s is malformed', (_, meta, values) => {
  expect(() => parse(meta, values)).toThrow(MalformedResult);
});

test('text that is no JSON is malformed', () => {
  expect(() => parseResult({ objects: Buffer.from('{'), result: Buffer.from('{}') }, defaultLimits)).toThrow(MalformedResult);
});

test('S12 more objects than allowed are refused whatever the child says', () => {
  expect(() => parse(good, objects, { ...defaultLimits, objects: 1 })).toThrow('more than 1 objects');
  expect(() => parse(good, objects, { ...defaultLimits, outputBytes: 2 })).toThrow('larger than allowed');
});

test.each([
  ['a text', 'x'],
  ['null', null],
  ['a list', []],
])('a document that is %s is a finding', (_, value) => {
  const { objects: kept, findings } = parse(good, [{ kind: 'A' }, value]);
  expect(findings).toEqual([
    {
      code: 'InvalidObject',
      severity: 'error',
      message: 'document 2 of the output is not an object',
      position: { file: 'a.ts', line: 1, column: 2 },
      constructPath: 'c/b',
    },
  ]);
  expect(kept).toEqual([]);
});

test('S11 an own __proto__ key in the bytes of a child never reaches an object', () => {
  const bytes = Buffer.from('{"a":[{"__proto__":{"admin":true}}]}\n{"\\u005f_proto__":1}');
  const { objects: kept, findings } = parseResult({ objects: bytes, result: Buffer.from(JSON.stringify(good)) }, defaultLimits);
  expect(findings.map(({ message }) => message)).toEqual([
    'the object has the forbidden key "__proto__"',
    'the object has the forbidden key "__proto__"',
  ]);
  expect(kept).toEqual([]);
});

test('texts of a finding cannot steer a terminal and have an end', () => {
  const message = `\u001b]0;owned\u0007\u001b[31mred\u202e${'x'.repeat(10_000)}`;
  const { findings } = parse({ ...good, findings: [{ code: 'SynthFailed', message, codeFrame: 'a\n\u001bb' }] });
  expect(findings[0]?.message).toMatch(/^\ufffd\]0;owned\ufffd\ufffd\[31mred\ufffdx+$/);
  expect(findings[0]?.message.length).toBeLessThanOrEqual(4_000);
  expect(findings[0]?.codeFrame).toBe('a\n\ufffdb');
});

describe('frames', () => {
  test('are found again however the bytes are cut', () => {
    const stream = Buffer.concat([
      encodeFrame(frameTypes.read, 'päth'),
      encodeFrame(frameTypes.list, ''),
      encodeFrame(frameTypes.objects, 'x'.repeat(1_000)),
    ]);
    for (const size of [1, 2, 3, 5, 7, 100, 5_000]) {
      const reader = new FrameReader(10_000);
      const frames = [];
      for (let at = 0; at < stream.length; at += size) frames.push(...reader.push(stream.subarray(at, at + size)));
      expect(frames.map(({ type, payload }) => [type, payload.length])).toEqual([
        [frameTypes.read, 5],
        [frameTypes.list, 0],
        [frameTypes.objects, 1_000],
      ]);
    }
  });

  test('S12 a frame over the limit is refused by its header, before its bytes are there', () => {
    const header = encodeFrame(frameTypes.objects, '').fill(0xff, 0, 4);
    expect(() => new FrameReader(1_000_000).push(header)).toThrow('frame of 4294967295 bytes, more than 1000000');
  });
});
