// Durations as the Application's schema writes them. Admission has checked the text.

const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** Milliseconds of `15s`, `5m` or `1h30m`. */
export function millisecondsOf(duration: string): number {
  let milliseconds = 0;
  for (const [, amount, unit] of duration.matchAll(/(\d+)(ms|s|m|h)/g)) milliseconds += Number(amount) * (units[unit ?? ''] ?? 0);
  return milliseconds;
}
