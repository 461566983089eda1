// Runs the real git, blind to the settings of the user and the machine, so that it does the same everywhere.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface GitInvocation {
  readonly directory: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** @returns what git wrote, without the line end. @throws with the command and what git said. */
export async function runGit(args: readonly string[], { directory, env }: GitInvocation): Promise<string> {
  try {
    const { stdout } = await run('git', [...args], {
      cwd: directory,
      maxBuffer: 256 * 1024 * 1024,
      env: {
        PATH: process.env['PATH'],
        HOME: directory,
        LC_ALL: 'C',
        GIT_CONFIG_GLOBAL: '/dev/null',
        GIT_CONFIG_NOSYSTEM: '1',
        GIT_TERMINAL_PROMPT: '0',
        ...env,
      },
    });
    return stdout.trimEnd();
  } catch (error) {
    const { stderr, message } = error as { stderr?: string; message: string };
    throw new Error(`git ${args.join(' ')} in ${directory}: ${stderr?.trim() || message}`);
  }
}
