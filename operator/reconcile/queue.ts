// A keyed work queue: one job per key at a time, a bounded number at once, fair between namespaces. What a job does is not known here.

/** The place a running job holds; long waits give it back. */
export interface WorkSlot {
  /** Lets other keys run while `wait` is pending. The key itself stays taken. */
  park<Result>(wait: () => Promise<Result>): Promise<Result>;
}

/** Runs the job of one key. Must not throw: what it throws is handed to `onError`. */
export type Work = (key: string, slot: WorkSlot) => Promise<void>;

/** Sizes, for metrics. */
export interface QueueCounts {
  readonly waiting: number;
  readonly running: number;
  readonly parked: number;
}

/** Settings of a queue. */
export interface WorkQueueOptions {
  /** Jobs that may run at once, parked ones not counted. */
  readonly workers: number;
  readonly work: Work;
  readonly onError: (key: string, error: unknown) => void;
  /** The group of a key; groups take turns. @default the text before the first '/' */
  readonly groupOf?: (key: string) => string;
}

/**
 * Guarantees: a key added while it waits runs once; a key added while it runs runs once more afterwards; of all groups with
 * waiting keys each gets a worker in turn, so that a thousand keys of one group delay a key of another by one job.
 */
export class WorkQueue {
  readonly #options: WorkQueueOptions;
  readonly #groups = new Map<string, Set<string>>();
  readonly #running = new Set<string>();
  readonly #again = new Set<string>();
  #active = 0;
  #waiting = 0;
  #closed = false;
  #idle: (() => void) | undefined;

  constructor(options: WorkQueueOptions) {
    this.#options = options;
  }

  /** Asks for a run of `key`. */
  add(key: string): void {
    if (this.#closed) return;
    if (this.#running.has(key)) {
      this.#again.add(key);
      return;
    }
    const group = (this.#options.groupOf ?? groupOfKey)(key);
    const keys = this.#groups.get(group) ?? new Set();
    if (keys.has(key)) return;
    keys.add(key);
    this.#groups.set(group, keys);
    this.#waiting += 1;
    this.#startNext();
  }

  counts(): QueueCounts {
    return { waiting: this.#waiting, running: this.#active, parked: this.#running.size - this.#active };
  }

  /** Takes nothing more; resolves when all running jobs have ended. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#groups.clear();
    this.#again.clear();
    this.#waiting = 0;
    if (this.#running.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#idle = resolve;
    });
  }

  #startNext(): void {
    while (this.#active < this.#options.workers) {
      const key = this.#takeNext();
      if (key === undefined) return;
      void this.#run(key);
    }
  }

  // The first group gives its first key and goes to the end of the line.
  #takeNext(): string | undefined {
    for (const [group, keys] of this.#groups) {
      const [key] = keys;
      this.#groups.delete(group);
      if (key === undefined) continue;
      keys.delete(key);
      if (keys.size > 0) this.#groups.set(group, keys);
      this.#waiting -= 1;
      return key;
    }
    return undefined;
  }

  async #run(key: string): Promise<void> {
    this.#running.add(key);
    this.#active += 1;
    const waits = { count: 0 };
    try {
      await this.#options.work(key, { park: (wait) => this.#park(waits, wait) });
    } catch (error) {
      this.#options.onError(key, error);
    }
    this.#active -= 1;
    this.#running.delete(key);
    if (this.#again.delete(key)) this.add(key);
    this.#startNext();
    if (this.#running.size === 0) this.#idle?.();
  }

  /** A job may wait for several things at once: its slot is given back with the first and taken back after the last. */
  async #park<Result>(waits: { count: number }, wait: () => Promise<Result>): Promise<Result> {
    waits.count += 1;
    if (waits.count === 1) {
      this.#active -= 1;
      this.#startNext();
    }
    try {
      return await wait();
    } finally {
      waits.count -= 1;
      // Taken back at once: a moment with one job too many does less harm than a job that waits for its own slot.
      if (waits.count === 0) this.#active += 1;
    }
  }
}

function groupOfKey(key: string): string {
  const slash = key.indexOf('/');
  return slash < 0 ? key : key.slice(0, slash);
}
