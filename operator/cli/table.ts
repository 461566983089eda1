// Tables as kubectl prints them: upper-case headers, no borders, three spaces between columns. What the columns are is each command's matter.
import { escapeControl } from './escape-control.ts';
import type { Style, Terminal } from './terminal.ts';

/** One column of a table over rows of type `Row`. */
export interface Column<Row> {
  readonly header: string;
  readonly text: (row: Row) => string;
  /** Style of a cell, by its text. */
  readonly style?: (text: string) => Style | undefined;
}

const gap = '   ';

/** The table as text that ends with a line break. Cells are escaped here, so callers pass cluster data as it is. */
export function formatTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[], paint: Terminal['paint']): string {
  const cells = rows.map((row) => columns.map((column) => escapeControl(column.text(row))));
  const widths = columns.map((column, index) => Math.max(column.header.length, ...cells.map((line) => line[index]?.length ?? 0)));
  const pad = (text: string, index: number): string => (index === columns.length - 1 ? text : text.padEnd(widths[index] ?? 0));
  const lines = cells.map((line) =>
    line.map((text, index) => {
      const style = columns[index]?.style?.(text);
      const padded = pad(text, index);
      return style === undefined ? padded : paint('out', style, text) + padded.slice(text.length);
    }),
  );
  const header = columns.map((column, index) => pad(column.header, index));
  return [header, ...lines].map((line) => `${line.join(gap).trimEnd()}\n`).join('');
}

/** Lines `NAME:   value` with the values under one another. */
export function formatFields(fields: readonly (readonly [string, string])[]): string {
  const width = Math.max(...fields.map(([name]) => name.length)) + 1;
  return fields
    .map(([name, value]) => `${`${name}:`.padEnd(width)}  ${escapeControl(value)}`.trimEnd())
    .map((line) => `${line}\n`)
    .join('');
}

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

/** The time between two moments as kubectl's AGE shows it: `45s`, `5m12s`, `3h`, `2d4h`, `400d`. `<unknown>` without a valid start. */
export function formatAge(from: string | undefined, now: Date): string {
  const start = from === undefined ? Number.NaN : Date.parse(from);
  if (Number.isNaN(start)) return '<unknown>';
  const seconds = Math.max(0, Math.floor((now.getTime() - start) / 1000));
  if (seconds < 2 * minute) return `${seconds}s`;
  if (seconds < 10 * minute) return pair(seconds, minute, 'm', 1, 's');
  if (seconds < 3 * hour) return `${Math.floor(seconds / minute)}m`;
  if (seconds < 8 * hour) return pair(seconds, hour, 'h', minute, 'm');
  if (seconds < 2 * day) return `${Math.floor(seconds / hour)}h`;
  if (seconds < 8 * day) return pair(seconds, day, 'd', hour, 'h');
  return seconds < 2 * 365 * day ? `${Math.floor(seconds / day)}d` : pair(seconds, 365 * day, 'y', day, 'd');
}

function pair(seconds: number, large: number, largeUnit: string, small: number, smallUnit: string): string {
  const rest = Math.floor((seconds % large) / small);
  return `${Math.floor(seconds / large)}${largeUnit}${rest === 0 ? '' : `${rest}${smallUnit}`}`;
}
