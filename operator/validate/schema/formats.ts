// Formats of values as the API server reads them. Formats that are not here are not checked.
import { RE2JS } from 're2js';

/** Checks by name of the format. */
export const formats = {
  int32: { type: 'number', validate: (value: number) => Number.isInteger(value) && value >= -(2 ** 31) && value < 2 ** 31 },
  int64: { type: 'number', validate: (value: number) => Number.isInteger(value) && value >= -(2 ** 63) && value <= 2 ** 63 },
  byte: { type: 'string', validate: (value: string) => isBase64(value) },
  'date-time': { type: 'string', validate: (value: string) => isTime(value) },
  quantity: { type: 'string', validate: (value: string) => quantity.test(value) },
} as const;

/** What a value of a format looks like, for messages. */
export const formatWords: Readonly<Record<string, string>> = {
  int32: 'a 32-bit integer',
  int64: 'a 64-bit integer',
  byte: 'base64',
  'date-time': 'a time such as 2026-01-31T12:00:00Z',
  quantity: 'a quantity such as 500m, 2 or 1.5Gi',
};

const quantity = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+|[numkMGTPE]|[KMGTPE]i)?$/;
const time = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/;

function isBase64(value: string): boolean {
  const text = value.replaceAll(/[\r\n]/g, '');
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text);
}

function isTime(value: string): boolean {
  return time.test(value) && !Number.isNaN(Date.parse(value));
}

/**
 * A pattern of a schema as something that tests a text in time linear to its length: the API server's own kind of expression (RE2).
 * A pattern that is not one lets everything pass; the server refuses the schema that holds it.
 */
export function compilePattern(pattern: string): { test(text: string): boolean; toString(): string } {
  const compiled = tryCompile(pattern);
  // ajv tells patterns apart by their text.
  return { test: (text) => compiled === undefined || compiled.matcher(text).find(), toString: () => `re2 ${pattern}` };
}

function tryCompile(pattern: string): RE2JS | undefined {
  try {
    return RE2JS.compile(pattern);
  } catch {
    return undefined;
  }
}
