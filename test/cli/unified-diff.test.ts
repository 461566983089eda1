// Two states of an object as a unified diff.
import { describe, expect, test } from '@jest/globals';
import { unifiedDiff } from '../../operator/cli/unified-diff.ts';
import type { JsonObject } from '../../operator/model/json.ts';

const names = { before: 'live', after: 'a1b2c3d4' };
const plain = (_stream: unknown, _style: unknown, text: string): string => text;

function configMap(data: JsonObject): JsonObject {
  return { kind: 'ConfigMap', apiVersion: 'v1', data, metadata: { name: 'web' } };
}

describe('the diff', () => {
  test('of equal states is empty, whatever the order of their members', async () => {
    expect(await unifiedDiff({ before: configMap({ a: '1', b: '2' }), after: configMap({ b: '2', a: '1' }) }, names, plain)).toBe('');
  });

  test('has the names of the two states, and context around the change', async () => {
    expect(await unifiedDiff({ before: configMap({ a: '1' }), after: configMap({ a: '2' }) }, names, plain)).toBe(
      `--- live
+++ a1b2c3d4
@@ -1,6 +1,6 @@
 apiVersion: v1
 data:
-  a: "1"
+  a: "2"
 kind: ConfigMap
 metadata:
   name: web
`,
    );
  });

  test('of an object that comes or goes is all of it', async () => {
    expect(await unifiedDiff({ before: undefined, after: configMap({}) }, names, plain)).toMatch(
      /^--- live\n\+\+\+ a1b2c3d4\n@@ -0,0 \+1,5 @@\n\+apiVersion/,
    );
    expect(await unifiedDiff({ before: configMap({}), after: undefined }, names, plain)).toMatch(/\n@@ -1,5 \+0,0 @@\n-apiVersion/);
  });

  test('W19 escapes control characters and paints by line', async () => {
    const paint = (_stream: unknown, style: string, text: string): string => `<${style}>${text}</>`;
    const text = await unifiedDiff({ before: configMap({ a: 'x' }), after: configMap({ a: 'x\u009b\u202e\u001b[31m' }) }, names, paint);
    expect(text).toContain('<red>-  a: x</>\n<green>+  a: ');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
    expect(text).not.toMatch(/[\u001b\u009b\u202e]/);
  });

  test('of two long texts that have nothing in common comes in time', async () => {
    const lines = (mark: string): JsonObject =>
      configMap({ text: Array.from({ length: 5_000 }, (_, index) => `${mark}${index}`).join('\n') });
    const text = await unifiedDiff({ before: lines('a'), after: lines('b') }, names, plain);
    expect(text.split('\n').filter((line) => line.startsWith('+ ')).length).toBeGreaterThanOrEqual(5_000);
  }, 60_000);
});
