// `assert`: the checks apps make of their own input.
import { isDeepEqual } from './formatting.ts';

class AssertionError extends Error {
  readonly code = 'ERR_ASSERTION';
}

function fail(message: unknown, otherwise: string): never {
  if (message instanceof Error) throw message;
  throw new AssertionError(message === undefined ? otherwise : String(message));
}

function ok(value: unknown, message?: unknown): void {
  if (!value) fail(message, 'The expression evaluated to a falsy value');
}

/** `assert`, callable and with its most used methods. */
export const assert = Object.assign((value: unknown, message?: unknown) => ok(value, message), {
  ok,
  AssertionError,
  fail: (message?: unknown) => fail(message, 'Failed'),
  equal: (actual: unknown, expected: unknown, message?: unknown) =>
    Object.is(actual, expected) || fail(message, 'Expected values to be equal'),
  strictEqual: (actual: unknown, expected: unknown, message?: unknown) =>
    Object.is(actual, expected) || fail(message, 'Expected values to be strictly equal'),
  notStrictEqual: (actual: unknown, expected: unknown, message?: unknown) =>
    !Object.is(actual, expected) || fail(message, 'Expected values to differ'),
  deepEqual: (actual: unknown, expected: unknown, message?: unknown) =>
    isDeepEqual(actual, expected) || fail(message, 'Expected values to be deeply equal'),
  deepStrictEqual: (actual: unknown, expected: unknown, message?: unknown) =>
    isDeepEqual(actual, expected) || fail(message, 'Expected values to be deeply equal'),
  match: (text: string, pattern: RegExp, message?: unknown) => pattern.test(text) || fail(message, `The input did not match ${pattern}`),
  throws: (run: () => unknown, message?: unknown) => {
    try {
      run();
    } catch {
      return;
    }
    fail(message, 'Missing expected exception');
  },
});
