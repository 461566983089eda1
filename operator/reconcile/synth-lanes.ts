// Who may synthesize now. Most synths take a blink; one that takes long is moved aside, so that it blocks only others that take long.

/** Settings of the lanes. */
interface SynthLanesOptions {
  /** Synths that may be under way and young. */
  readonly quick: number;
  /** Synths that may be under way and old. */
  readonly slow: number;
  /** When a synth counts as old. */
  readonly slowAfterMilliseconds: number;
}

const defaultSynthLanes: SynthLanesOptions = { quick: 2, slow: 4, slowAfterMilliseconds: 1_000 };

/** How many synths a synthesizer must be able to run at once for the lanes to work. */
export const synthConcurrency = defaultSynthLanes.quick + defaultSynthLanes.slow;

/**
 * Guarantees: groups (namespaces) take turns, so that one with many waiting synths delays another by one at most; while no more synths than
 * there are slow places take long, a new one waits no longer than a young one takes.
 */
export class SynthLanes {
  readonly #options: SynthLanesOptions;
  readonly #waiting = new Map<string, (() => void)[]>();
  #quick = 0;
  #slow = 0;

  constructor(options: SynthLanesOptions = defaultSynthLanes) {
    this.#options = options;
  }

  /** Runs `work` when it is the group's turn. */
  async run<Result>(group: string, work: () => Promise<Result>): Promise<Result> {
    await this.#turn(group);
    let isOld = false;
    let timer: NodeJS.Timeout | undefined;
    const age = (): void => {
      if (this.#slow < this.#options.slow) {
        isOld = true;
        this.#slow += 1;
        this.#quick -= 1;
        this.#startNext();
      } else timer = setTimeout(age, this.#options.slowAfterMilliseconds);
    };
    timer = setTimeout(age, this.#options.slowAfterMilliseconds);
    try {
      return await work();
    } finally {
      clearTimeout(timer);
      if (isOld) this.#slow -= 1;
      else this.#quick -= 1;
      this.#startNext();
    }
  }

  #turn(group: string): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.set(group, [...(this.#waiting.get(group) ?? []), resolve]);
      this.#startNext();
    });
  }

  /** The first group's first; then the group goes to the end of the line. */
  #startNext(): void {
    while (this.#quick < this.#options.quick) {
      const [next] = this.#waiting;
      if (next === undefined) return;
      const [group, [start, ...others]] = next;
      this.#waiting.delete(group);
      if (others.length > 0) this.#waiting.set(group, others);
      this.#quick += 1;
      start?.();
    }
  }
}
