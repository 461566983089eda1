// Turns the bytes a child sent into a SynthResult. The child ran a stranger's code: every shape and size is checked here.
import { findingCodes } from '../model/catalogue.ts';
import type { Finding } from '../model/finding.ts';
import { isJsonObject, type JsonObject } from '../model/json.ts';
import type { SourcePosition, SynthesizedObject } from '../model/manifest.ts';
import type { RawResult } from './exchange.ts';
import type { SynthLimits } from './messages.ts';
import type { SynthResult } from './ports.ts';

/** The bytes are not what a child sends. */
export class MalformedResult extends Error {}

const deepestJson = 200;
const longestText = 4_000;
const longestFrameText = 8_000;
const mostFindings = 500;
const mostFrames = 64;
const mostFilesRead = 200_000;

/**
 * Everything but the time it took. Throws MalformedResult.
 * Guarantees: an object whose text equals that of one in `previous` is the same value, so that whoever remembers by value need not look again.
 */
export function parseResult(
  raw: RawResult,
  limits: SynthLimits,
  previous: readonly SynthesizedObject[] = [],
): Omit<SynthResult, 'seconds'> {
  if (raw.objects.length > limits.outputBytes * 4) throw new MalformedResult('the objects are larger than allowed');
  const values = objectsOf(raw.objects, limits.objects, previous);
  const meta = record(parseJson(raw.result.toString('utf8')));
  const entries = arrayOf(meta['entries'], limits.objects);
  if (entries.length !== values.length) throw new MalformedResult(`${entries.length} entries for ${values.length} objects`);
  const origins = arrayOf(meta['origins'], limits.objects).map((frames) => arrayOf(frames, mostFrames).map(toPosition));
  const groups = arrayOf(meta['groups'], Number.MAX_SAFE_INTEGER).map((group) => toIndices(group, values.length));
  const findings = arrayOf(meta['findings'], Number.MAX_SAFE_INTEGER).slice(0, mostFindings).map(toFinding);
  const filesRead = arrayOf(meta['filesRead'], mostFilesRead).map((path) => toText(path, longestText));
  const merge = dependencyLists(groups);
  const objects: SynthesizedObject[] = [];
  for (const [index, value] of values.entries()) {
    const [constructPath, origin, own] = arrayOf(entries[index], 3);
    const frames = origins[toIndex(origin, origins.length)] ?? [];
    const object = {
      object: value as JsonObject,
      origin: { constructPath: toText(constructPath, longestText), frames },
      dependsOn: merge(own),
    };
    const problem = problemOf(value, object, index);
    if (problem === undefined) objects.push(object);
    else findings.push(problem);
  }
  // indices of dependencies count all objects, so none may be missing
  return { objects: findings.some((finding) => finding.code === 'InvalidObject') ? [] : objects, findings, filesRead };
}

/** The text each object was parsed from, as long as somebody holds the object. It was checked when it was parsed. */
const parsedFrom = new WeakMap<object, string>();

/** One JSON text a line. */
function objectsOf(bytes: Buffer, limit: number, previous: readonly SynthesizedObject[]): unknown[] {
  const known = new Map(previous.map(({ object }) => [parsedFrom.get(object), object]));
  const values: unknown[] = [];
  for (let start = 0, end = 0; start < bytes.length; start = end + 1) {
    if (values.length === limit) throw new MalformedResult(`more than ${limit} objects`);
    end = bytes.indexOf(lineFeed, start);
    if (end < 0) end = bytes.length;
    const text = bytes.toString('utf8', start, end);
    values.push(known.get(text) ?? newObject(text));
  }
  return values;
}

const lineFeed = 10;

function newObject(text: string): unknown {
  const value = parseJson(text);
  if (isJsonObject(value)) parsedFrom.set(value, text);
  return value;
}

/** Whether the object was checked in an earlier result: it is a value that nobody changes. */
const checked = new WeakSet<object>();

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new MalformedResult('the child did not send JSON');
  }
}

/** A value that is no object, or holds a key that would change the prototype of a copy. */
function problemOf(value: unknown, { origin }: SynthesizedObject, index: number): Finding | undefined {
  const position = origin.frames[0];
  const where = {
    ...(position === undefined ? {} : { position }),
    ...(origin.constructPath === '' ? {} : { constructPath: origin.constructPath }),
  };
  const invalid = (message: string): Finding => ({ code: 'InvalidObject', severity: 'error', message, ...where });
  if (!isJsonObject(value)) return invalid(`document ${index + 1} of the output is not an object`);
  if (checked.has(value)) return undefined;
  const key = forbiddenKey(value, 0);
  if (key === undefined) {
    checked.add(value);
    return undefined;
  }
  return invalid(key === '' ? 'the object is nested too deeply' : `the object has the forbidden key ${JSON.stringify(key)}`);
}

function forbiddenKey(value: unknown, depth: number): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (depth > deepestJson) return '';
  if (Array.isArray(value)) {
    for (const item of value) {
      const found = forbiddenKey(item, depth + 1);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  for (const key of Object.keys(value)) {
    if (key === '__proto__') return key;
    const found = forbiddenKey((value as JsonObject)[key], depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** One list per combination of groups, so that thousands of objects that depend on the same share it. */
function dependencyLists(groups: readonly (readonly number[])[]): (own: unknown) => readonly number[] {
  const none: readonly number[] = [];
  const merged = new Map<string, readonly number[]>();
  return (own) => {
    const indices = toIndices(own, groups.length);
    const [first, ...others] = indices;
    if (first === undefined) return none;
    if (others.length === 0) return groups[first] ?? none;
    const name = indices.join(',');
    let list = merged.get(name);
    if (list === undefined) {
      list = [...new Set(indices.flatMap((index) => groups[index] ?? none))].sort((left, right) => left - right);
      merged.set(name, list);
    }
    return list;
  };
}

function toFinding(given: unknown): Finding {
  const value = record(given);
  const code = toText(value['code'], 100);
  if (!Object.hasOwn(findingCodes, code)) throw new MalformedResult('a finding has an unknown code');
  const optional = (name: string, limit: number) => (value[name] === undefined ? {} : { [name]: toText(value[name], limit) });
  return {
    code: code as Finding['code'],
    severity: value['severity'] === 'warning' ? 'warning' : 'error',
    message: toText(value['message'], longestText),
    ...optional('hint', longestText),
    ...optional('constructPath', longestText),
    ...optional('codeFrame', longestFrameText),
    ...(value['position'] === undefined ? {} : { position: toPosition(value['position']) }),
    ...(value['frames'] === undefined ? {} : { frames: arrayOf(value['frames'], mostFrames).map(toPosition) }),
  };
}

function toPosition(given: unknown): SourcePosition {
  const { file, line, column } = record(given);
  return {
    file: toText(file, longestText),
    line: toIndex(line, Number.MAX_SAFE_INTEGER),
    column: toIndex(column, Number.MAX_SAFE_INTEGER),
  };
}

function toIndices(given: unknown, end: number): number[] {
  return arrayOf(given, Number.MAX_SAFE_INTEGER).map((index) => toIndex(index, end));
}

function toIndex(given: unknown, end: number): number {
  if (typeof given !== 'number' || !Number.isInteger(given) || given < 0 || given >= end)
    throw new MalformedResult('a number is out of range');
  return given;
}

/** Text without control characters other than line breaks and tabs: it ends up on terminals. */
function toText(given: unknown, limit: number): string {
  if (typeof given !== 'string') throw new MalformedResult('a text is missing');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  return given.slice(0, limit).replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, '\ufffd');
}

function arrayOf(given: unknown, limit: number): unknown[] {
  if (!Array.isArray(given)) throw new MalformedResult('a list is missing');
  if (given.length > limit) throw new MalformedResult(`a list of ${given.length}, more than ${limit}`);
  return given;
}

function record(given: unknown): Readonly<Record<string, unknown>> {
  if (!isJsonObject(given)) throw new MalformedResult('an object is missing');
  return given;
}
