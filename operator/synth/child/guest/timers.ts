// Timers without time: callbacks run after the app's code, ordered by their delay, and nobody waits.
import { refusal } from './host.ts';

interface Timer {
  readonly id: number;
  due: number;
  readonly run: () => void;
  readonly every: number | undefined;
}

const maximumSteps = 100_000;
let timers: Timer[] = [];
let nextId = 1;
let now = 0;

/** Installs setTimeout and its relatives as globals. */
export function installTimers(): void {
  const add = (callback: unknown, delay: unknown, every: boolean, parameters: unknown[]): number => {
    if (typeof callback !== 'function') throw new TypeError('the callback of a timer must be a function');
    const wait = Math.max(1, Number(delay) || 0);
    const id = nextId++;
    timers.push({ id, due: now + wait, run: () => callback(...parameters), every: every ? wait : undefined });
    return id;
  };
  const cancel = (id: unknown): void => {
    timers = timers.filter((timer) => timer.id !== Number(id));
  };
  Object.assign(globalThis, {
    setTimeout: (callback: unknown, delay: unknown, ...parameters: unknown[]) => add(callback, delay, false, parameters),
    setInterval: (callback: unknown, delay: unknown, ...parameters: unknown[]) => add(callback, delay, true, parameters),
    setImmediate: (callback: unknown, ...parameters: unknown[]) => add(callback, 0, false, parameters),
    clearTimeout: cancel,
    clearInterval: cancel,
    clearImmediate: cancel,
    queueMicrotask: (callback: () => void) => void Promise.resolve().then(callback),
  });
}

let steps = 0;

/** Runs the timer that is due first. False when none is left; microtasks run between two calls. */
export function runNextTimer(): boolean {
  timers.sort((left, right) => left.due - right.due || left.id - right.id);
  const timer = timers.shift();
  if (timer === undefined) return false;
  if (++steps > maximumSteps) {
    throw refusal({
      code: 'SynthTimeout',
      message: `the app keeps setting timers: ${maximumSteps} have run`,
      hint: 'an app must come to an end; remove the interval',
    });
  }
  now = timer.due;
  if (timer.every !== undefined) {
    timer.due += timer.every;
    timers.push(timer);
  }
  timer.run();
  return true;
}
