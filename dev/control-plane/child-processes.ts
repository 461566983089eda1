// Starts long-running programs with a log file each, and ends them when the process that started them dies. What they are is not known here.
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { identifyProcess, type ProcessIdentity } from './process-identity.ts';

export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  /** Working directory. */
  readonly directory: string;
  /** File for its output. */
  readonly log: string;
}

/**
 * Starts a program in its own session, so that a Ctrl-C in the terminal does not reach it.
 * It gets nothing of the caller's environment: etcd, for one, would take its flags from there.
 */
export function startProgram({ command, args, directory, log }: Program): ProcessIdentity {
  const output = openSync(log, 'w', 0o600);
  try {
    const env = { PATH: process.env['PATH'], HOME: directory };
    const child = spawn(command, args, { cwd: directory, detached: true, stdio: ['ignore', output, output], env });
    child.on('error', () => {}); // the missing pid says it
    child.unref();
    if (child.pid === undefined) throw new Error(`start ${command}: it cannot be executed`);
    return identifyProcess(child.pid);
  } finally {
    closeSync(output);
  }
}

/** The last lines a program wrote, for error messages. */
export function lastLines(log: string, count = 12): string {
  try {
    return readFileSync(log, 'utf8').trimEnd().split('\n').slice(-count).join('\n');
  } catch {
    return '';
  }
}

export interface Watchdog {
  /** From now on this process ends together with ours. */
  watch(identity: ProcessIdentity): void;
  close(): void;
}

// Reads the processes from its input; at the end of input, which comes however its parent ends, it kills those which are still the ones meant
// (the start time is field 22 of /proc/PID/stat, the 20th after the name in parentheses). The shell takes 1 MB where a Node process takes 45.
const WATCHDOG = `
while read -r pid started; do [ "$pid" = done ] && exit; list="$list $pid:$started"; done
for entry in $list; do
  pid=\${entry%%:*}
  if [ -d /proc/self ]; then
    stat=$(cat "/proc/$pid/stat" 2>/dev/null) || continue
    set -- \${stat##*) }
    [ "\${20}" = "\${entry#*:}" ] || continue
  fi
  kill -9 "$pid"
done`;

/** Ends the watched processes when this process ends without having closed the watchdog, even by SIGKILL. */
export function startWatchdog(): Watchdog {
  const shell = spawn('/bin/sh', ['-c', WATCHDOG], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    env: { PATH: process.env['PATH'] },
  });
  shell.on('error', () => {});
  shell.stdin.on('error', () => {});
  shell.unref();
  (shell.stdin as typeof shell.stdin & { unref?(): void }).unref?.();
  return {
    watch: ({ pid, started }) => void shell.stdin.write(`${pid} ${started}\n`),
    close: () => void shell.stdin.end('done\n'),
  };
}
