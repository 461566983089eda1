// Globals of the isolate: pinned clock and randomness, no shared memory, and the few Node globals that apps use. No modules here.
import { Buffer } from 'buffer';
import { notHermetic } from './host.ts';
import { createConsole, createProcess } from './process.ts';
import { TextDecoderShim, TextEncoderShim } from './text-encoding.ts';
import { installTimers } from './timers.ts';
import { UrlSearchParamsShim, UrlShim } from './url.ts';

/** The one instant every synth happens at: 2020-01-01T00:00:00Z. */
export const fixedInstant = 1_577_836_800_000;
const randomSeed = 0x5e7b0147;

/** Replaces what depends on time, chance, other threads or the machine. Runs once, before the libraries are loaded. */
export function installGlobals(): void {
  pinDate();
  pinIntl();
  reseedRandom();
  installTimers();
  const performance = Object.freeze({ now: () => 0, timeOrigin: fixedInstant, mark() {}, measure() {}, toJSON: () => ({}) });
  define('performance', performance);
  define('global', globalThis);
  define('process', createProcess());
  define('console', createConsole());
  define('Buffer', Buffer);
  define('URL', UrlShim);
  define('URLSearchParams', UrlSearchParamsShim);
  define('TextEncoder', TextEncoderShim);
  define('TextDecoder', TextDecoderShim);
  define('atob', (text: string) => Buffer.from(text, 'base64').toString('latin1'));
  define('btoa', (text: string) => Buffer.from(text, 'latin1').toString('base64'));
  define('structuredClone', (value: unknown) => JSON.parse(JSON.stringify(value)));
  define('fetch', () => {
    throw notHermetic('fetch (the network)', 'commit the data the app needs as a file of the repository');
  });
}

/** Starts the pseudo-random sequence anew, so that each app sees the same numbers whatever ran before. */
export function reseedRandom(): void {
  let state = randomSeed;
  Math.random = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** V8 expects its own globals in a snapshot, so these are only taken away when the context of an app is made. */
export function removeSharedState(): void {
  for (const name of ['WebAssembly', 'SharedArrayBuffer', 'Atomics', 'FinalizationRegistry', 'WeakRef', 'Temporal', 'gc']) {
    Reflect.deleteProperty(globalThis, name);
  }
}

function define(name: string, value: unknown): void {
  Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
}

function pinDate(): void {
  const RealDate = Date;
  function PinnedDate(this: unknown, ...parts: unknown[]): unknown {
    if (new.target === undefined) return new RealDate(fixedInstant).toString();
    return Reflect.construct(RealDate, parts.length === 0 ? [fixedInstant] : parts, new.target);
  }
  PinnedDate.prototype = RealDate.prototype;
  Object.defineProperty(PinnedDate, 'name', { value: 'Date' });
  Object.defineProperty(PinnedDate, 'length', { value: 7 });
  Object.assign(PinnedDate, { now: () => fixedInstant, parse: RealDate.parse, UTC: RealDate.UTC });
  Object.defineProperty(RealDate.prototype, 'constructor', { value: PinnedDate, writable: true, configurable: true });
  define('Date', PinnedDate);
}

/** A formatter without an argument formats "now". */
function pinIntl(): void {
  const prototype = Intl.DateTimeFormat.prototype;
  const realFormat = Object.getOwnPropertyDescriptor(prototype, 'format')?.get;
  const realParts = prototype.formatToParts;
  if (realFormat === undefined) return;
  Object.defineProperty(prototype, 'format', {
    configurable: true,
    get(this: Intl.DateTimeFormat) {
      const format = realFormat.call(this) as (date: Date | number) => string;
      return (date?: Date | number) => format(date ?? fixedInstant);
    },
  });
  prototype.formatToParts = function formatToParts(this: Intl.DateTimeFormat, date?: Date | number) {
    return realParts.call(this, date ?? fixedInstant);
  };
}
