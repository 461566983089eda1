// Findings as a compiler prints them: position, severity, code, message, the lines around, what to do. Which findings there are is not decided here.
import path from 'node:path';
import type { Finding } from '../model/finding.ts';
import type { SourcePosition } from '../model/manifest.ts';
import { formatRef } from '../model/object-ref.ts';
import { escapeControl, escapeLines } from './escape-control.ts';
import type { Terminal } from './terminal.ts';

/** How paths of the snapshot are shown: relative to where the person is, so that an editor opens them. */
export type ShowPath = (file: string) => string;

/** Paths relative to `cwd` for a snapshot whose root is `root`. */
export function pathsFrom(cwd: string, root: string): ShowPath {
  return (file) => path.relative(cwd, path.join(root, file)) || '.';
}

/**
 * `apps/web.ts:4:3: error UnknownField: Deployment shop/web .spec.replica: unknown field "replica"`, the code frame indented below it, then the
 * call chain and the hint.
 */
export function formatFindingText(finding: Finding, showPath: ShowPath, paint: Terminal['paint'], stream: 'out' | 'err'): string {
  const place = finding.position === undefined ? '' : `${escapeControl(positionText(finding.position, showPath))}: `;
  const severity = paint(stream, finding.severity === 'error' ? 'red' : 'yellow', finding.severity);
  const subject = finding.object === undefined ? '' : `${formatRef(finding.object)}${finding.field ? ` ${finding.field}` : ''}: `;
  const lines = [`${paint(stream, 'bold', place)}${severity} ${finding.code}: ${escapeControl(subject + finding.message)}`];
  if (finding.codeFrame !== undefined)
    lines.push(
      ...escapeLines(finding.codeFrame)
        .trimEnd()
        .split('\n')
        .map((line) => `    ${line}`),
    );
  for (const frame of (finding.frames ?? []).slice(1))
    lines.push(paint(stream, 'dim', `    called from ${escapeControl(positionText(frame, showPath))}`));
  if (finding.hint !== undefined) lines.push(`    ${paint(stream, 'cyan', 'hint:')} ${escapeControl(finding.hint)}`);
  return `${lines.join('\n')}\n`;
}

/** `2 errors, 1 warning`. */
export function countFindings(findings: readonly Finding[]): string {
  const errors = findings.filter((finding) => finding.severity === 'error').length;
  const warnings = findings.length - errors;
  const parts = [
    errors > 0 ? `${errors} error${errors === 1 ? '' : 's'}` : '',
    warnings > 0 ? `${warnings} warning${warnings === 1 ? '' : 's'}` : '',
  ];
  return parts.filter((part) => part !== '').join(', ') || 'no findings';
}

function positionText(position: SourcePosition, showPath: ShowPath): string {
  return `${showPath(position.file)}:${position.line}:${position.column}`;
}
