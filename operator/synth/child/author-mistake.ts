// A finding on its way up: thrown where the mistake is met, caught where the result is made.
import type { Finding } from '../../model/finding.ts';

/** Carries one or more findings to the end of the synth. */
export class AuthorMistake extends Error {
  readonly findings: readonly Finding[];
  constructor(...findings: readonly Finding[]) {
    super(findings[0]?.message ?? 'mistake of the author');
    this.findings = findings;
  }
}

/** A finding of severity error. */
export function mistake(code: Finding['code'], message: string, rest: Omit<Finding, 'code' | 'severity' | 'message'> = {}): Finding {
  return { code, severity: 'error', message, ...rest };
}

/** The nearest of the known names, when it is near enough to be meant. */
export function nearest(name: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase(), bestDistance);
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

function editDistance(left: string, right: string, limit: number): number {
  if (Math.abs(left.length - right.length) >= limit) return limit;
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i++) {
    const next = [i];
    for (let j = 1; j <= right.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (left[i - 1] === right[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[right.length] ?? limit;
}
