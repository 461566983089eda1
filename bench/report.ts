// Figures of a run: medians, ratios, and the table that is printed. Knows nothing of what was measured.

/** One row of the table. */
export interface Measure {
  readonly name: string;
  /** What was measured, with its unit; several samples become a median with minimum and maximum. */
  readonly samples: readonly number[];
  readonly unit: 's' | 'ms' | 'MB' | '%' | '';
  /** What it is compared with, measured in the same run. */
  readonly against?: { readonly name: string; readonly samples: readonly number[] };
  /** True when the figure is as good as promised, judged on medians. */
  readonly goal: { readonly text: string; readonly met: boolean };
}

/** The middle value; the mean of the two middle ones for an even count. Throws for none. */
export function median(samples: readonly number[]): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  if (low === undefined || high === undefined) throw new Error('median of no samples');
  return (low + high) / 2;
}

/** `0.142 (0.131–0.190, n=20)`. */
export function formatSamples(samples: readonly number[], unit: Measure['unit']): string {
  const digits = unit === 's' ? 3 : unit === '%' ? 2 : 0;
  const middle = `${median(samples).toFixed(digits)} ${unit}`.trimEnd();
  if (samples.length === 1) return middle;
  return `${middle} (${Math.min(...samples).toFixed(digits)}–${Math.max(...samples).toFixed(digits)}, n=${samples.length})`;
}

/** The whole table as lines of text. */
export function formatTable(measures: readonly Measure[]): string {
  const rows = [
    ['MEASURE', 'SETPOINT', 'COMPARED WITH', 'RATIO', 'GOAL', ''],
    ...measures.map(({ name, samples, unit, against, goal }) => [
      name,
      formatSamples(samples, unit),
      against === undefined ? '' : `${against.name}: ${formatSamples(against.samples, unit)}`,
      against === undefined ? '' : `${(median(samples) / median(against.samples)).toFixed(2)}×`,
      goal.text,
      goal.met ? 'met' : 'NOT MET',
    ]),
  ];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
