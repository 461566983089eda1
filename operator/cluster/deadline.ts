// A time limit on one request, besides its caller's own signal. Leaves nothing behind: a thousand requests a second would add up.
import { setMaxListeners } from 'node:events';

/** A signal that aborts with the caller's or after some time, whichever is first. */
export interface Deadline extends Disposable {
  readonly signal: AbortSignal;
}

/** Starts the time; dispose it when the request is over (AbortSignal.timeout would keep its timer and signals until it fires). */
export function startDeadline(caller: AbortSignal | undefined, milliseconds: number): Deadline {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new Error(`no answer within ${Math.round(milliseconds / 1000)} s`)), milliseconds);
  const stop = (): void => controller.abort(caller?.reason);
  if (caller?.aborted === true) stop();
  else if (caller !== undefined) {
    // Many requests share their caller's signal; that is no leak.
    setMaxListeners(0, caller);
    caller.addEventListener('abort', stop, { once: true });
  }
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      clearTimeout(timer);
      caller?.removeEventListener('abort', stop);
    },
  };
}
