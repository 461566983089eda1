// The lines around a position, with a mark under it, for the command line.
import type { SourcePosition } from '../../model/manifest.ts';

const linesAround = 2;
const longestLine = 160;

/** Source lines around a position; undefined when the text or the line is not known. */
export function codeFrame(text: string | undefined, position: SourcePosition): string | undefined {
  const lines = text?.split(/\r?\n/);
  if (lines?.[position.line - 1] === undefined) return undefined;
  const first = Math.max(1, position.line - linesAround);
  const last = Math.min(lines.length, position.line + linesAround);
  const width = String(last).length;
  const frame: string[] = [];
  for (let number = first; number <= last; number++) {
    const line = (lines[number - 1] ?? '').replace(/\t/g, ' ').slice(0, longestLine);
    const isHere = number === position.line;
    frame.push(`${isHere ? '>' : ' '} ${String(number).padStart(width)} | ${line}`.trimEnd());
    if (isHere && position.column <= longestLine) frame.push(`  ${' '.repeat(width)} | ${' '.repeat(position.column - 1)}^`);
  }
  return frame.join('\n');
}
