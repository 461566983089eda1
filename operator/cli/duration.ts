// Durations as Kubernetes writes them: 90s, 5m, 1h30m.
import { usageError } from './run-command.ts';

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Milliseconds of a duration such as `5m` or `1h30m`. Throws when it is none. */
export function parseDuration(text: string): number {
  if (!/^(\d{1,9}(ms|s|m|h))+$/.test(text)) throw usageError(`read "${text}" as a duration`, 'write for example 30s, 5m or 1h30m');
  let milliseconds = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+)(ms|s|m|h)/g)) milliseconds += Number(amount) * (units[unit ?? ''] ?? 0);
  return milliseconds;
}
