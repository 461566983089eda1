// How the demo looks: one aligned line per step with ✓ and its time, progress on the line of the step that is under way. What the steps do is elsewhere.
import { styleText } from 'node:util';

/** A step's outcome in words, for its line. */
export interface StepResult<Value> {
  readonly value: Value;
  readonly detail: string;
  /** Measured by the step itself; by default the time the step took. */
  readonly milliseconds?: number;
}

/** Reports progress of the step that is under way. */
export type Progress = (text: string) => void;

const nameWidth = 16;
const detailWidth = 72;

/** Runs a step and prints its line; a failed step prints ✗ and throws. */
export async function step<Value>(name: string, run: (progress: Progress) => Promise<StepResult<Value>>): Promise<Value> {
  const started = performance.now();
  const progress: Progress = (text) => showUnderWay(name, text);
  progress('');
  try {
    const { value, detail, milliseconds } = await run(progress);
    finishLine(
      `${paint('green', '✓')} ${name.padEnd(nameWidth)} ${detail.padEnd(detailWidth)} ${formatTime(milliseconds ?? performance.now() - started)}`,
    );
    return value;
  } catch (error) {
    finishLine(`${paint('red', '✗')} ${name.padEnd(nameWidth)} ${error instanceof Error ? error.message : String(error)}`);
    throw error;
  }
}

/** A line below a step, indented under its detail. */
export function note(text: string): void {
  for (const line of text.trimEnd().split('\n')) process.stdout.write(`  ${' '.repeat(nameWidth + 3)}${paint('dim', line)}\n`);
}

/** A heading with a line of space before it. */
export function heading(text: string): void {
  process.stdout.write(`\n  ${paint('bold', text)}\n`);
}

/** A command to type, with what it shows. */
export function suggestion(command: string, shows: string): void {
  process.stdout.write(`    ${paint('cyan', command.padEnd(68))} ${paint('dim', shows)}\n`);
}

/** A plain line. */
export function line(text: string): void {
  process.stdout.write(`  ${text}\n`);
}

function formatTime(milliseconds: number): string {
  const text = milliseconds < 10_000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
  return text.padStart(8);
}

let longBuild = '';

/** On a terminal the step's own line is rewritten; elsewhere progress is printed only when it says something new about long work. */
function showUnderWay(name: string, text: string): void {
  if (process.stdout.isTTY) {
    process.stdout.write(`\r\u001b[2K  ${paint('yellow', '·')} ${name.padEnd(nameWidth)} ${paint('dim', text.slice(0, detailWidth))}`);
  } else if (text !== '' && text !== longBuild) {
    longBuild = text;
    process.stdout.write(`  · ${name.padEnd(nameWidth)} ${text}\n`);
  }
}

function finishLine(text: string): void {
  process.stdout.write(`${process.stdout.isTTY ? '\r\u001b[2K' : ''}  ${text.trimEnd()}\n`);
}

function paint(style: 'green' | 'red' | 'yellow' | 'cyan' | 'dim' | 'bold', text: string): string {
  return styleText(style, text, { stream: process.stdout });
}
