// V8 isolates made from the library snapshot, and one run of an app's code in one. Only strings and the one host function cross the border.
import ivm from 'isolated-vm';
import { appScript } from './app-script.ts';
import type { AppStart } from './guest/library.ts';

/** An isolate that waits for its app. */
export interface PreparedIsolate {
  readonly isolate: ivm.Isolate;
  readonly context: ivm.Context;
  /** A second one like it. */
  again(): PreparedIsolate;
}

/** What a run is given. */
export interface RunInput {
  /** The bundle. */
  readonly code: string;
  readonly start: AppStart;
  /** Limits on the output, as JSON. */
  readonly outputLimits: string;
  /** The app's end may come before it is done. */
  readonly mayBeUnfinished: boolean;
  readonly host: (...parameters: unknown[]) => string;
  /** Milliseconds that are left; throws when none are. */
  readonly timeout: () => number;
}

/** How a run ended: the collected output, or the description of an error of the app. */
export type RunEnd = { readonly kind: 'output'; readonly text: string } | { readonly kind: 'error'; readonly text: string };

/** The app has replaced what the sandbox needs. */
export class SandboxReplaced extends Error {}

/** Makes an isolate from the snapshot, before there is an app. */
export function prepareIsolate(snapshot: ArrayBuffer, memoryMegabytes: number): PreparedIsolate {
  const copy = new ivm.ExternalCopy(snapshot, { transferOut: true });
  const prepare = (): PreparedIsolate => {
    const isolate = new ivm.Isolate({ memoryLimit: memoryMegabytes, snapshot: copy });
    return { isolate, context: isolate.createContextSync(), again: prepare };
  };
  return prepare();
}

/** Runs an app to its end. Throws errors of isolated-vm, whose messages say whether time or memory ran out. */
export function runInIsolate({ isolate, context }: PreparedIsolate, input: RunInput): RunEnd {
  const { timeout } = input;
  context.evalClosureSync('__setpoint.start($0, $1)', [new ivm.Callback(input.host), JSON.stringify(input.start)], { timeout: timeout() });
  isolate.compileScriptSync(input.code, { filename: appScript }).runSync(context, { timeout: timeout() });
  while (context.evalSync('__setpoint.tick()', { timeout: timeout() }) === 'more');
  const failure = textOf(context.evalSync('__setpoint.finish()', { timeout: timeout() }));
  if (failure !== '') return { kind: 'error', text: failure };
  const call = `__setpoint.collect(${JSON.stringify(input.outputLimits)}, '${input.mayBeUnfinished}')`;
  const answer = textOf(context.evalSync(call, { timeout: timeout() }));
  return { kind: answer.startsWith('+') ? 'output' : 'error', text: answer.slice(1) };
}

function textOf(value: unknown): string {
  if (typeof value !== 'string') throw new SandboxReplaced('the app replaced the internals of the sandbox');
  return value;
}
