// Two states of an object as a unified diff of their YAML. The states come masked and without what the server keeps for itself.
import { createTwoFilesPatch } from 'diff';
import type { JsonObject } from '../model/json.ts';
import type { ObjectPair } from '../plan/mask-secret.ts';
import { escapeLines } from './escape-control.ts';
import type { Terminal } from './terminal.ts';

/** Lines of unchanged text around a change. */
const contextLines = 3;
/** Beyond so many differing lines the two texts are shown one after the other: the time to find the shortest difference grows with the square. */
const longestEdit = 1_000;

/** Names of the two states, as the head of a diff says them. */
export interface DiffNames {
  readonly before: string;
  readonly after: string;
}

/** The unified diff; '' when the states are equal. Every control character is escaped, lines are coloured where `out` shows colours. */
export async function unifiedDiff({ before, after }: ObjectPair, names: DiffNames, paint: Terminal['paint']): Promise<string> {
  const [left, right] = await Promise.all([yamlOf(before), yamlOf(after)]);
  if (left === right) return '';
  const patch = shortestPatch(left, right, names) ?? wholePatch(left, right, names);
  const lines = patch.split('\n').filter((line) => !line.startsWith('====='));
  return lines.map((line) => painted(line, paint)).join('\n');
}

/** Undefined where one side is empty, so that nothing is to be found, or where finding the shortest difference takes too long. */
function shortestPatch(left: string, right: string, { before, after }: DiffNames): string | undefined {
  if (left === '' || right === '') return undefined;
  return createTwoFilesPatch(before, after, left, right, undefined, undefined, { context: contextLines, maxEditLength: longestEdit });
}

/** All of one text, then all of the other. */
function wholePatch(left: string, right: string, { before, after }: DiffNames): string {
  const linesOf = (text: string): readonly string[] => (text === '' ? [] : text.trimEnd().split('\n'));
  const [removed, added] = [linesOf(left), linesOf(right)];
  const range = (lines: readonly string[]): string => (lines.length === 0 ? '0,0' : `1,${lines.length}`);
  const head = [`--- ${before}`, `+++ ${after}`, `@@ -${range(removed)} +${range(added)} @@`];
  return [...head, ...removed.map((line) => `-${line}`), ...added.map((line) => `+${line}`), ''].join('\n');
}

async function yamlOf(object: JsonObject | undefined): Promise<string> {
  if (object === undefined) return '';
  const { stringify } = await import('yaml');
  return stringify(object, { lineWidth: 0, version: '1.1', sortMapEntries: true, aliasDuplicateObjects: false });
}

function painted(line: string, paint: Terminal['paint']): string {
  const text = escapeLines(line);
  if (line.startsWith('---') || line.startsWith('+++')) return paint('out', 'bold', text);
  if (line.startsWith('@@')) return paint('out', 'cyan', text);
  if (line.startsWith('-')) return paint('out', 'red', text);
  return line.startsWith('+') ? paint('out', 'green', text) : text;
}
