// Which process is meant: pid and start time, so that a recycled pid is never taken for ours. Starting processes is not done here.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

export interface ProcessIdentity {
  readonly pid: number;
  /** Start time as the system tells it; only ever compared for equality. */
  readonly started: string;
}

/** @throws when there is no such process. */
export function identifyProcess(pid: number): ProcessIdentity {
  const started = startTime(pid);
  if (started === undefined) throw new Error(`no process ${pid} is running`);
  return { pid, started };
}

/** True as long as this very process, not another one with its pid, is running. A zombie is not running. */
export function isRunning(identity: ProcessIdentity): boolean {
  return startTime(identity.pid) === identity.started;
}

/** Reads an identity out of JSON text; undefined when the text is not one. */
export function parseProcess(text: string): ProcessIdentity | undefined {
  try {
    const { pid, started } = JSON.parse(text) as Partial<ProcessIdentity>;
    return Number.isInteger(pid) && typeof started === 'string' ? { pid: pid as number, started } : undefined;
  } catch {
    return undefined;
  }
}

/** Sends a signal if the process is still the one meant. Returns whether it was sent. */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): boolean {
  if (!isRunning(identity)) return false;
  try {
    return process.kill(identity.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

/** Ends a process: first with `signal`, after `graceMs` with SIGKILL. Returns when it is gone. */
export async function endProcess(identity: ProcessIdentity, signal: NodeJS.Signals = 'SIGKILL', graceMs = 3000): Promise<void> {
  signalProcess(identity, signal);
  const deadline = Date.now() + graceMs;
  while (isRunning(identity)) {
    if (Date.now() > deadline) signalProcess(identity, 'SIGKILL');
    if (Date.now() > deadline + 10_000) throw new Error(`process ${identity.pid} does not end after SIGKILL`);
    await pause(20);
  }
}

function startTime(pid: number): string | undefined {
  return existsSync('/proc/self/stat') ? startTimeFromProc(pid) : startTimeFromPs(pid);
}

function startTimeFromProc(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command name in parentheses may hold anything, so count the fields after its end (proc(5): state is 3, starttime 22).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

function startTimeFromPs(pid: number): string | undefined {
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined;
  } catch {
    return undefined;
  }
}
