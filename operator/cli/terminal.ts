// Where a command writes: data to out, errors and progress to err, the exit code beside them. No formatting of cluster data.
import { styleText } from 'node:util';

/** Styles a command may ask for; nothing is painted where the stream is no terminal or NO_COLOR is set. */
export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

/** 0: as asked. 1: a difference, a finding, or something not reached. 2: the command could not do its work. */
export type ExitCode = 0 | 1 | 2;

/** The two streams of a command and what they can show. */
export interface Terminal {
  /** Data: what a pipe should receive. */
  out(text: string): void;
  /** Errors, findings and progress. */
  err(text: string): void;
  /** Styled text for `out` or `err`; the plain text where that stream shows no colours. */
  paint(stream: 'out' | 'err', style: Style, text: string): string;
  /** True when `err` is a terminal, so that a line may be rewritten. */
  readonly interactive: boolean;
  /** Fires when the person stops the command. */
  readonly signal: AbortSignal;
}

/** The terminal of this process. `styleText` itself honours NO_COLOR, FORCE_COLOR and whether the stream is a terminal. */
export function processTerminal(signal: AbortSignal): Terminal {
  const streams = { out: process.stdout, err: process.stderr };
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    paint: (stream, style, text) => styleText(style, text, { stream: streams[stream] }),
    interactive: process.stderr.isTTY === true,
    signal,
  };
}
