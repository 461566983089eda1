// Whether two scalars are one value in the forms in which the API server writes values: quantities, durations, times, numbers as text.
import type { JsonValue } from '../model/json.ts';

/** Compares a declared value with what the server made of it. Lists and maps are compared by the caller. */
export function isSameValue(declared: JsonValue | undefined, live: JsonValue | undefined): boolean {
  if (declared === live) return true;
  if (!isScalar(declared) || !isScalar(live)) return false;
  const [left, right] = [String(declared), String(live)];
  if (left === right) return true;
  return [quantityOf, durationOf, timeOf].some((parse) => {
    const [from, to] = [parse(left), parse(right)];
    return from !== undefined && to !== undefined && Math.abs(from - to) <= Math.abs(from) * 1e-12;
  });
}

function isScalar(value: JsonValue | undefined): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

const suffixes: Readonly<Record<string, number>> = {
  ...{ n: 1e-9, u: 1e-6, m: 1e-3, '': 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, E: 1e18 },
  ...{ Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50, Ei: 2 ** 60 },
};

/** k8s.io/apimachinery/pkg/api/resource: `500m`, `1.5Gi`, `1e3`. */
function quantityOf(text: string): number | undefined {
  const match = /^([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|([numkMGTPE]|[KMGTPE]i)?)$/.exec(text);
  if (match === null) return undefined;
  return Number(`${match[1]}${match[2] ?? ''}`) * (suffixes[match[3] ?? ''] ?? Number.NaN);
}

const units: Readonly<Record<string, number>> = { ns: 1e-9, us: 1e-6, µs: 1e-6, ms: 1e-3, s: 1, m: 60, h: 3_600 };

/** time.Duration of Go: `1h30m`. */
function durationOf(text: string): number | undefined {
  if (!/^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(text)) return undefined;
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)];
  return parts.reduce((sum, [, amount = '', unit = '']) => sum + Number(amount) * (units[unit] ?? 0), 0);
}

/** RFC 3339. */
function timeOf(text: string): number | undefined {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/.test(text) ? Date.parse(text) : undefined;
}
