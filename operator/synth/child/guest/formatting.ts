// `util`: formatting, promisify and comparison. Inspection prints JSON, which is enough for messages nobody sees.

/** Structural equality of plain values, arrays, maps, sets and dates. */
export function isDeepEqual(left: unknown, right: unknown): boolean {
  if (Object.is(left, right)) return true;
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false;
  if (Object.getPrototypeOf(left) !== Object.getPrototypeOf(right)) return false;
  if (left instanceof Date) return left.getTime() === (right as Date).getTime();
  if (left instanceof Map || left instanceof Set) return isDeepEqual([...left], [...(right as Set<unknown>)]);
  const keys = Object.keys(left);
  if (keys.length !== Object.keys(right).length) return false;
  return keys.every((key) => key in right && isDeepEqual(left[key as keyof typeof left], right[key as keyof typeof right]));
}

function inspect(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`;
  if (value instanceof Error) return value.stack ?? value.message;
  try {
    return JSON.stringify(value, undefined, 2) ?? String(value);
  } catch {
    return String(value);
  }
}

function format(first: unknown, ...rest: unknown[]): string {
  const show = (value: unknown): string => (typeof value === 'string' ? value : inspect(value));
  if (typeof first !== 'string') return [first, ...rest].map(show).join(' ');
  const text = first.replace(/%[sdifjoO%]/g, (mark) => {
    if (mark === '%%') return '%';
    if (rest.length === 0) return mark;
    const value = rest.shift();
    if (mark === '%j') return JSON.stringify(value);
    return mark === '%d' || mark === '%i' || mark === '%f' ? String(Number(value)) : show(value);
  });
  return [text, ...rest.map(show)].join(' ');
}

type Callback = (error: unknown, value?: unknown) => void;

function promisify(call: (...parameters: unknown[]) => void): (...parameters: unknown[]) => Promise<unknown> {
  return (...parameters) =>
    new Promise((resolve, reject) => {
      const done: Callback = (error, value) => (error ? reject(error) : resolve(value));
      call(...parameters, done);
    });
}

/** `util`. */
export const util = {
  inspect: Object.assign(inspect, { custom: Symbol.for('nodejs.util.inspect.custom') }),
  format,
  promisify,
  isDeepStrictEqual: isDeepEqual,
  deprecate: (call: unknown) => call,
  debuglog: () => () => {},
  inherits: (child: { prototype: object }, parent: { prototype: object }) => Object.setPrototypeOf(child.prototype, parent.prototype),
  types: { isDate: (value: unknown) => value instanceof Date, isRegExp: (value: unknown) => value instanceof RegExp },
  get TextEncoder() {
    return TextEncoder;
  },
  get TextDecoder() {
    return TextDecoder;
  },
};
