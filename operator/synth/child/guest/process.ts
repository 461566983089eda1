// `process` and `console` of the isolate: no environment, no streams, an exit that ends the app and nothing else.

/** Thrown by process.exit; caught where the app is started. */
export class ExitRequest extends Error {
  readonly exitCode: number;
  constructor(exitCode: number) {
    super(`process.exit(${exitCode})`);
    this.exitCode = exitCode;
  }
}

interface ProcessState {
  cwd: string;
  exitListeners: ((code: number) => void)[];
}

const state: ProcessState = { cwd: '/', exitListeners: [] };

/** The folder the app believes to run in. */
export function currentFolder(): string {
  return state.cwd;
}

/** What the app sees of its own start. */
export interface ProcessStart {
  readonly cwd: string;
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** Fills in what differs from app to app. */
export function startProcess(start: ProcessStart): void {
  state.cwd = start.cwd;
  process.argv = [...start.argv];
  Object.assign(process.env, start.environment);
}

/** Calls what the app registered by `process.on('exit')` and `'beforeExit'`. */
export function runExitListeners(): void {
  const listeners = state.exitListeners;
  state.exitListeners = [];
  for (const listener of listeners) listener(Number(process.exitCode ?? 0));
}

/** A `process` that says little and can do less. */
export function createProcess(): object {
  const version = '24.0.0';
  const stream = { isTTY: false, columns: 80, write: () => true, on() {}, once() {}, end() {} };
  const self = {
    env: {},
    argv: [] as string[],
    argv0: 'node',
    execArgv: [],
    execPath: '/usr/local/bin/node',
    title: 'node',
    pid: 1,
    ppid: 0,
    platform: 'linux',
    arch: 'x64',
    version: `v${version}`,
    versions: { node: version },
    release: { name: 'node' },
    exitCode: undefined,
    stdout: stream,
    stderr: { ...stream },
    stdin: { isTTY: false, on() {}, once() {} },
    cwd: () => state.cwd,
    chdir: (folder: string) => {
      state.cwd = folder;
    },
    exit: (code?: number) => {
      throw new ExitRequest(Number(code ?? self.exitCode ?? 0));
    },
    abort: () => {
      throw new ExitRequest(134);
    },
    nextTick: (callback: (...parameters: unknown[]) => void, ...parameters: unknown[]) =>
      void Promise.resolve().then(() => callback(...parameters)),
    hrtime: Object.assign(() => [0, 0], { bigint: () => 0n }),
    uptime: () => 0,
    memoryUsage: Object.assign(() => ({ rss: 0, heapTotal: 0, heapUsed: 0, external: 0, arrayBuffers: 0 }), { rss: () => 0 }),
    cpuUsage: () => ({ user: 0, system: 0 }),
    umask: () => 0o22,
    getuid: () => 1000,
    getgid: () => 1000,
    emitWarning() {},
    on(event: string, listener: (code: number) => void) {
      if (event === 'exit' || event === 'beforeExit') state.exitListeners.push(listener);
      return self;
    },
    off: () => self,
    removeListener: () => self,
    removeAllListeners: () => self,
    emit: () => false,
    listenerCount: () => 0,
  };
  Object.assign(self, { once: self.on, addListener: self.on });
  return self;
}

/** A console that prints nowhere: output of an app is its manifests. */
export function createConsole(): object {
  const names = [
    'log',
    'info',
    'warn',
    'error',
    'debug',
    'trace',
    'dir',
    'table',
    'group',
    'groupEnd',
    'groupCollapsed',
    'time',
    'timeEnd',
  ];
  const silent = Object.fromEntries([...names, 'timeLog', 'count', 'countReset', 'clear'].map((name) => [name, () => {}]));
  const assert = (condition: unknown) => void condition;
  return { ...silent, assert };
}
