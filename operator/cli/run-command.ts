// Runs one command: its exit code, and its failure as one sentence on stderr. The process itself ends in main.ts.
import { formatError, OperatorError, toOperatorError } from '../model/error.ts';
import { escapeLines } from './escape-control.ts';
import type { ExitCode, Terminal } from './terminal.ts';

/** What every command gets besides its own needs. */
export interface CommandDeps {
  readonly terminal: Terminal;
  /** Told once, when the command has ended. */
  readonly exit: (code: ExitCode) => void;
}

/** Runs a command's body and reports how it ended; an error is printed and becomes exit code 2. */
export async function runCommand(deps: CommandDeps, body: () => Promise<ExitCode>): Promise<void> {
  try {
    deps.exit(await body());
  } catch (error) {
    if (deps.terminal.signal.aborted) return deps.exit(1);
    const failure = toOperatorError(error, 'config');
    deps.terminal.err(`${deps.terminal.paint('err', 'red', 'error:')} ${escapeLines(formatError(failure))}\n`);
    deps.exit(2);
  }
}

/** A wrong argument of the caller, as an error that says what to type instead. */
export function usageError(message: string, hint: string): OperatorError {
  return new OperatorError(message, { code: 'InvalidConfiguration', stage: 'config', fate: 'terminal', hint });
}
