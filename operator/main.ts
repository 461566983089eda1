// The program: finds the command, runs it, ends the process. The only caller of process.exit.
import { Command, CommanderError } from 'commander';
import packageJson from '../package.json' with { type: 'json' };
import { type ExitCode, processTerminal } from './cli/terminal.ts';
import { lazyCommands } from './commands.ts';

/** How long what is still open may keep the process after its command has ended. */
const lingerMilliseconds = 2_000;

/**
 * Runs the command that `argv` names and ends the process: 0 as asked, 1 a difference or finding, 2 an error or wrong usage.
 * The first SIGINT or SIGTERM asks the command to stop, the second ends the process at once.
 */
export async function run(argv: readonly string[]): Promise<void> {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (stop.signal.aborted) process.exit(1);
      stop.abort();
    });
  }
  process.stdout.on('error', endOnBrokenPipe);
  process.on('unhandledRejection', endOnUnforeseen);
  process.on('uncaughtException', endOnUnforeseen);
  const program = await createProgram(argv, stop.signal);
  try {
    await program.parseAsync([...argv]);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  }
  setTimeout(() => process.exit(), lingerMilliseconds).unref();
}

async function createProgram(argv: readonly string[], signal: AbortSignal): Promise<Command> {
  const program = new Command('setpoint');
  program
    .description('keeps a Kubernetes cluster equal to the TypeScript constructs in Git')
    .version(packageJson.version)
    .exitOverride()
    .showSuggestionAfterError()
    .configureHelp({ showGlobalOptions: false });
  const exit = (code: ExitCode): void => {
    process.exitCode = code;
  };
  const deps = { terminal: processTerminal(signal), exit };
  const [first, second] = argv.slice(2);
  const wanted = first === 'help' ? second : first;
  for (const command of lazyCommands) {
    if (command.name === wanted) await command.register(program, deps);
    else program.command(command.name).description(command.summary);
  }
  // Subcommands inherit exitOverride only when they are made after it by the program itself; those of other files are told here.
  for (const command of program.commands) command.exitOverride();
  return program;
}

/** Who reads our output has gone: `setpoint get | head -1`. */
function endOnBrokenPipe(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit();
  throw error;
}

function endOnUnforeseen(error: unknown): void {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`${JSON.stringify({ level: 'error', time: new Date().toISOString(), code: 'Internal', msg: text })}\n`);
  process.exit(1);
}
