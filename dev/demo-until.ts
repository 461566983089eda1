// Waiting for something to become true in the demo, with a deadline and an eye on the process that should make it true.
import { setTimeout as pause } from 'node:timers/promises';
import { lastLines } from './control-plane/child-processes.ts';
import { isRunning, type ProcessIdentity } from './control-plane/process-identity.ts';

/** Options of {@link until}. */
export interface UntilOptions {
  readonly signal: AbortSignal;
  /** @default 60,000 */
  readonly timeoutMilliseconds?: number;
  /** A process that must live meanwhile, and its log. */
  readonly watch?: { readonly identity: ProcessIdentity; readonly log: string };
}

/** Asks every few milliseconds until the answer is yes. Throws when it stays no, naming what was waited for. */
export async function until(
  what: string,
  isSo: () => Promise<boolean>,
  { signal, timeoutMilliseconds = 60_000, watch }: UntilOptions,
): Promise<void> {
  const deadline = performance.now() + timeoutMilliseconds;
  while (!(await isSo())) {
    signal.throwIfAborted();
    if (watch !== undefined && !isRunning(watch.identity)) throw new Error(`waited for ${what}, but it ended:\n${lastLines(watch.log)}`);
    if (performance.now() > deadline)
      throw new Error(`waited ${timeoutMilliseconds / 1000} s for ${what}${watch === undefined ? '' : `:\n${lastLines(watch.log)}`}`);
    await pause(5);
  }
}
