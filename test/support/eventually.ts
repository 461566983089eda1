// Waiting for something to become true, with a deadline. There is no fixed sleep in tests.
import { setTimeout as pause } from 'node:timers/promises';

export interface EventuallyOptions {
  /** Milliseconds. @default 10000 */
  readonly timeout?: number;
  /** Milliseconds between two tries. @default 30 */
  readonly interval?: number;
}

/**
 * Calls `check` until it does not throw, and returns what it returned.
 * @throws what `check` threw last, once the deadline has passed.
 */
export async function eventually<T>(check: () => T | Promise<T>, { timeout = 20_000, interval = 30 }: EventuallyOptions = {}): Promise<T> {
  const deadline = Date.now() + timeout;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() >= deadline) {
        if (error instanceof Error) error.message = `still after ${timeout} ms: ${error.message}`;
        throw error;
      }
    }
    await pause(interval);
  }
}
