// Named timers, one per name. What happens when they are due is the caller's matter.

/** Timers by name; a later one of the same name replaces the earlier. */
export class Timers {
  readonly #running = new Map<string, NodeJS.Timeout>();

  /** Calls `due` once after a time. */
  start(name: string, milliseconds: number, due: () => void): void {
    this.stop(name);
    const timer = setTimeout(() => {
      this.#running.delete(name);
      due();
    }, milliseconds);
    this.#running.set(name, timer);
  }

  isRunning(name: string): boolean {
    return this.#running.has(name);
  }

  /** Forgets a timer; nothing happens when there is none. */
  stop(name: string): void {
    clearTimeout(this.#running.get(name));
    this.#running.delete(name);
  }

  stopAll(): void {
    for (const timer of this.#running.values()) clearTimeout(timer);
    this.#running.clear();
  }
}
