// A user's mistake, as data: all of them are reported at once. Everything else is an OperatorError.
import type { FindingCode } from './catalogue.ts';
import { formatPosition, type SourcePosition } from './manifest.ts';
import { formatRef, type ObjectRef } from './object-ref.ts';

/** Something the author of the manifest repo should change. An `error` keeps the sync from starting. */
export interface Finding {
  readonly code: FindingCode;
  readonly severity: 'error' | 'warning';
  /** What is wrong, on what: lower case, no full stop, no secret. */
  readonly message: string;
  /** What to do next. */
  readonly hint?: string;
  readonly position?: SourcePosition;
  /** The user's call chain, innermost first, when more than `position` is known. */
  readonly frames?: readonly SourcePosition[];
  readonly constructPath?: string;
  readonly object?: ObjectRef;
  /** JSON path within the object: `.spec.replicas`. */
  readonly field?: string;
  /** Source lines around the position, for the CLI. */
  readonly codeFrame?: string;
}

/** True when a finding keeps the sync from starting. */
export function hasErrors(findings: readonly Finding[]): boolean {
  return findings.some((finding) => finding.severity === 'error');
}

/** One line: `apps/web.ts:4:3: Deployment shop/web .spec.replica: unknown field "replica"; did you mean "replicas"?` */
export function formatFinding(finding: Finding): string {
  const where = finding.position === undefined ? '' : `${formatPosition(finding.position)}: `;
  const what = finding.object === undefined ? '' : `${formatRef(finding.object)}${finding.field ? ` ${finding.field}` : ''}: `;
  return `${where}${what}${finding.message}${finding.hint === undefined ? '' : `; ${finding.hint}`}`;
}
