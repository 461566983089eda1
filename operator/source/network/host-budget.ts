// Per host: how many requests run at once, and until when the host asked to be left alone. Knows no HTTP.
import type { Clock } from '../../model/clock.ts';

interface HostState {
  running: number;
  readonly waiting: (() => void)[];
  notBefore: number;
}

/** Shares a small number of places per host among all sources and remembers Retry-After. */
export class HostBudget {
  readonly #clock: Clock;
  readonly #places: number;
  readonly #hosts = new Map<string, HostState>();

  constructor(clock: Clock, places: number) {
    this.#clock = clock;
    this.#places = places;
  }

  /** Runs `work` when the host has a place; the wait ends when the signal aborts. */
  async run<Result>(host: string, signal: AbortSignal, work: () => Promise<Result>): Promise<Result> {
    const state = this.#state(host);
    if (state.running >= this.#places) await waitForPlace(state, signal);
    else state.running += 1;
    try {
      signal.throwIfAborted();
      return await work();
    } finally {
      const next = state.waiting.shift();
      if (next === undefined) state.running -= 1;
      else next();
    }
  }

  /** The host asked for a pause. */
  pause(host: string, seconds: number): void {
    const state = this.#state(host);
    state.notBefore = Math.max(state.notBefore, this.#clock.monotonic() + seconds * 1000);
  }

  /** Seconds until the host may be asked again; 0 when now. */
  pauseLeft(host: string): number {
    return Math.max(0, ((this.#hosts.get(host)?.notBefore ?? 0) - this.#clock.monotonic()) / 1000);
  }

  #state(host: string): HostState {
    let state = this.#hosts.get(host);
    if (state === undefined) {
      state = { running: 0, waiting: [], notBefore: 0 };
      this.#hosts.set(host, state);
    }
    return state;
  }
}

/** Resolves when a finished request hands its place over; `running` stays as it is. */
function waitForPlace(state: HostState, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      state.waiting.splice(state.waiting.indexOf(take), 1);
      reject(signal.reason);
    };
    const take = (): void => {
      signal.removeEventListener('abort', abort);
      resolve();
    };
    state.waiting.push(take);
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
  });
}
