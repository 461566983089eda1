// Entry of the script that becomes the V8 snapshot: the provided packages, the Node built-ins, and the four calls the host makes. No app's code.
import './install.ts';
import type { IConstruct } from 'constructs';
import { appScript } from '../app-script.ts';
import { collectOutput, type OutputLimits } from './collect.ts';
import { removeSharedState, reseedRandom } from './globals.ts';
import { bindHost, type HostCall, notHermetic, refusal } from './host.ts';
import { builtIns, setRequire } from './node-modules.ts';
import { keepStacks, positionsOf, rememberOrigins } from './origin.ts';
import { ExitRequest, type ProcessStart, runExitListeners, startProcess } from './process.ts';
import { modules, packageVersions } from './provided.ts';
import { speedUpResolution } from './resolution.ts';
import { replaceOutput, setDefaultOutput } from './synthesis.ts';
import { runNextTimer } from './timers.ts';

/** What the app is started with. */
export interface AppStart extends ProcessStart {
  readonly output: string;
  readonly inputs: unknown;
}

/** How the app ended, so far. */
interface RunState {
  error: unknown;
  failed: boolean;
  settled: boolean;
}

type AppMain = (require: (name: string) => unknown, module: object, exports: object) => unknown;

const state: RunState = { error: undefined, failed: false, settled: true };

function requireModule(given: unknown): unknown {
  const name = String(given).replace(/^node:/, '');
  const builtIn = builtIns[name];
  if (builtIn !== undefined) return builtIn;
  const load = modules[name];
  if (load !== undefined) return load();
  throw notHermetic(`a module whose name is only known when the app runs (${JSON.stringify(name)})`, 'import it by a literal name');
}

function fail(error: unknown): void {
  if (error instanceof ExitRequest) {
    if (error.exitCode === 0 || state.failed) return;
    error.message = `the app ended itself with process.exit(${error.exitCode})`;
  }
  if (!state.failed) state.error = error;
  state.failed = true;
}

/** Runs a piece of the app; its error is kept, not thrown. */
function attempt(run: () => void): void {
  try {
    run();
  } catch (error) {
    fail(error);
  }
}

interface NamedConstruct {
  readonly construct: IConstruct;
  readonly text: string;
}

/** An error as data: message, text of the stack, and what our own errors carry. */
function describeError(error: unknown): string {
  const { name, message, stack, setpointFinding, setpointHint, setpointConstructs, cycle } = Object(error) as Record<string, unknown>;
  const named = Array.isArray(setpointConstructs) ? (setpointConstructs as NamedConstruct[]) : [];
  const constructs = Array.isArray(cycle) ? (cycle as NamedConstruct['construct'][]).map((construct) => ({ construct, text: '' })) : named;
  return JSON.stringify({
    name: typeof name === 'string' ? name : 'Error',
    message: typeof message === 'string' && message !== '' ? message : String(error),
    stack: typeof stack === 'string' ? stack : '',
    code: setpointFinding,
    hint: setpointHint,
    constructs: constructs.map(({ construct, text }) => ({ path: construct.node.path, text, positions: positionsOf(construct) })),
  });
}

/** The calls of the host; texts in, texts out. */
const host = {
  start(call: HostCall, text: string): void {
    const start = JSON.parse(text) as AppStart;
    removeSharedState();
    keepStacks();
    reseedRandom();
    bindHost(call);
    startProcess(start);
    setDefaultOutput(start.output);
    if (start.inputs !== undefined) {
      Object.defineProperty(globalThis, '__setpointInputs', { value: JSON.stringify(start.inputs), configurable: true });
    }
  },
  /** Called by the bundle itself, around its code. */
  run(main: AppMain): void {
    attempt(() => {
      const module = { exports: {}, filename: appScript };
      const require = Object.assign(requireModule, { main: module });
      const result = main(require, module, module.exports);
      if (!(result instanceof Promise)) return;
      state.settled = false;
      result.then(
        () => {
          state.settled = true;
        },
        (error: unknown) => {
          state.settled = true;
          fail(error);
        },
      );
    });
  },
  rejected(error: unknown): void {
    fail(error);
  },
  /** Runs the next timer; '' when none is left. */
  tick(): string {
    let more = '';
    attempt(() => {
      if (!state.failed && runNextTimer()) more = 'more';
    });
    return more;
  },
  /** The error the app ended with, or ''. */
  finish(): string {
    if (!state.failed) attempt(runExitListeners);
    if (!state.failed && !state.settled) {
      fail(
        refusal({
          code: 'SynthFailed',
          message: 'the app awaits something that never happens',
          hint: 'there is no network and no other process to wait for',
        }),
      );
    }
    return state.failed ? describeError(state.error) : '';
  },
  collect(limits: string, mayBeUnfinished: string): string {
    try {
      const { objects, output } = collectOutput(JSON.parse(limits) as OutputLimits, mayBeUnfinished === 'true');
      return `+${output}\n${objects}`;
    } catch (error) {
      return `-${describeError(error)}`;
    }
  },
};

setRequire(requireModule);
rememberOrigins();
replaceOutput();
speedUpResolution(modules['cdk8s/lib/resolve']?.());
// loaded now, so that they are part of the snapshot
for (const name of Object.keys(packageVersions)) modules[name]?.();
Object.defineProperty(globalThis, '__setpoint', { value: host, configurable: true, enumerable: false, writable: true });
