// Pre-warmed synth children: each is started ahead, used once and killed with everything it started. What they compute is not known here.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import path from 'node:path';
import { OperatorError } from '../model/error.ts';
import type { ChildChannel } from './exchange.ts';
import { FrameReader, frameTypes } from './frames.ts';
import type { Jail } from './jail.ts';
import { keepToolchain } from './toolchain.ts';

/** A running child. */
export interface SynthChild {
  readonly channel: ChildChannel;
  /** Ends the child and whatever it started, at once. */
  kill(): void;
  /** How it ended; resolves when it has. */
  readonly ended: Promise<ChildEnd>;
}

/** How a child ended. */
export interface ChildEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The end of what it wrote on stderr. */
  readonly errors: string;
  /** It was killed because its time was over. */
  readonly timedOut: boolean;
}

/** What a pool needs. */
export interface PoolOptions {
  readonly jail: Jail;
  readonly toolchainFolder: string;
  readonly memoryMegabytes: number;
  /** Children kept ready. */
  readonly spares: number;
  /** Children that work at the same time. */
  readonly concurrency: number;
  /** How long after a synth the next spare is started, so that it does not compete with what follows the synth. */
  readonly refillMilliseconds: number;
  readonly startMilliseconds: number;
}

const keptErrorBytes = 8_192;

/** Whoever lends children: a pool here, or a server elsewhere. */
export interface ChildLender {
  /** Lends a ready child to `work` for at most `milliseconds`, and ends it afterwards. Waits while too many are working. */
  use<Result>(work: (child: SynthChild) => Promise<Result>, milliseconds: number, signal: AbortSignal): Promise<Result>;
}

/** Children that are ready or on their way. */
export class ChildPool implements ChildLender {
  readonly #options: PoolOptions;
  readonly #spares: Promise<OwnChild>[] = [];
  readonly #living = new Set<OwnChild>();
  readonly #waiting: (() => void)[] = [];
  #working = 0;
  #refill: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#fill();
  }

  async use<Result>(work: (child: SynthChild) => Promise<Result>, milliseconds: number, signal: AbortSignal): Promise<Result> {
    await this.#enter(signal);
    const child = await this.#take();
    const timer = setTimeout(() => child.expire(), milliseconds);
    try {
      return await work(child);
    } finally {
      clearTimeout(timer);
      child.kill();
      // its memory is its own until it is gone; the result need not wait for that
      void child.ended.then(() => this.#leave());
    }
  }

  /** A spare, or a new child: a spare that could not be started says nothing about the next one. */
  async #take(): Promise<OwnChild> {
    try {
      return await (this.#spares.shift()?.catch(() => this.#start()) ?? this.#start());
    } catch (error) {
      this.#leave();
      throw error;
    }
  }

  /** Resolves when a child is ready; rejects with the reason why none can be. */
  async ready(): Promise<void> {
    await this.#spares[0];
  }

  /** Kills all children. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#refill);
    await Promise.allSettled(this.#spares);
    const living = [...this.#living];
    for (const child of living) child.kill();
    await Promise.all(living.map((child) => child.ended));
  }

  async #enter(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#working < this.#options.concurrency) {
      this.#working++;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const onAbort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(proceed), 1);
        reject(signal.reason);
      };
      const proceed = (): void => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting.push(proceed);
    });
  }

  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#working--;
    else next();
    if (this.#closed) return;
    if (next !== undefined) {
      this.#fill();
      return;
    }
    clearTimeout(this.#refill);
    this.#refill = setTimeout(() => this.#fill(), this.#options.refillMilliseconds);
    this.#refill.unref();
  }

  #fill(): void {
    while (!this.#closed && this.#spares.length < this.#options.spares) {
      const spare = this.#start();
      this.#spares.push(spare);
      spare.then(
        (child) => child.ended.then(() => this.#forget(spare)),
        () => this.#forget(spare),
      );
    }
  }

  /** A spare that died before it was used is replaced when the next one is asked for. */
  #forget(spare: Promise<OwnChild>): void {
    const index = this.#spares.indexOf(spare);
    if (index >= 0) this.#spares.splice(index, 1);
  }

  async #start(): Promise<OwnChild> {
    const child = startChild(this.#options);
    this.#living.add(child);
    void child.ended.then(() => this.#living.delete(child));
    await untilReady(child, this.#options.startMilliseconds);
    return child;
  }
}

/** A child of this process. */
interface OwnChild extends SynthChild {
  /** Kills it because its time is over. */
  expire(): void;
}

function startChild({ jail, toolchainFolder, memoryMegabytes }: PoolOptions): OwnChild {
  const program = [
    '--no-node-snapshot',
    '--max-old-space-size=256',
    path.join(toolchainFolder, 'child.cjs'),
    toolchainFolder,
    String(memoryMegabytes),
  ];
  keepToolchain(toolchainFolder);
  const child = spawnConfined(jail, program);
  let errors = '';
  let timedOut = false;
  child.stderr.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString('latin1')).slice(-keptErrorBytes);
  });
  // a broken pipe shows as the end of the child
  child.stdin.on('error', () => {});
  const ended = new Promise<ChildEnd>((resolve) => {
    child.on('error', (error) => resolve({ code: null, signal: null, errors: error.message, timedOut }));
    child.on('close', (code, signal) => resolve({ code, signal, errors, timedOut }));
  });
  const expire = (): void => {
    timedOut = true;
    killGroup(child);
  };
  return { channel: { input: child.stdin, output: child.stdout }, kill: () => killGroup(child), expire, ended };
}

/** Starts a program in the jail: empty environment, no descriptor but three pipes, a process group of its own. */
export function spawnConfined(jail: Jail, program: readonly string[]): ChildProcessWithoutNullStreams {
  const { file, parameters } = jail.command(program);
  return spawn(file, [...parameters], { env: {}, cwd: '/', stdio: ['pipe', 'pipe', 'pipe'], detached: true });
}

function killGroup(child: ChildProcessWithoutNullStreams): void {
  child.stdin.destroy();
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    child.kill('SIGKILL');
  }
}

async function untilReady(child: SynthChild, milliseconds: number): Promise<void> {
  const { output } = child.channel;
  const reader = new FrameReader(65_536);
  let timer: NodeJS.Timeout | undefined;
  let failure = '';
  const ready = new Promise<boolean>((resolve) => {
    const onData = (chunk: Buffer): void => {
      for (const frame of reader.push(chunk)) {
        if (frame.type === frameTypes.failure) failure = frame.payload.toString('utf8');
        output.off('data', onData);
        output.pause();
        resolve(frame.type === frameTypes.ready);
        return;
      }
    };
    output.on('data', onData);
    void child.ended.then(() => resolve(false));
    timer = setTimeout(() => resolve(false), milliseconds);
  });
  const isReady = await ready;
  clearTimeout(timer);
  if (isReady) return;
  child.kill();
  const { code, signal, errors } = await child.ended;
  const why = (failure || errors).trim().slice(-500);
  throw new OperatorError(`start a synth child: it did not become ready (${code ?? signal}): ${why}`, {
    code: 'SynthUnavailable',
    stage: 'synth',
    fate: 'transient',
  });
}
