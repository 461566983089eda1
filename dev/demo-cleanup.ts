// What the demo must end and remove, whatever happens.

/** What must be ended and removed, last first. */
export class DemoCleanup {
  readonly #actions: (() => Promise<void> | void)[] = [];

  add(action: () => Promise<void> | void): void {
    this.#actions.unshift(action);
  }

  /** Runs every action even when one fails, and throws the first failure. */
  async run(): Promise<void> {
    const failures: unknown[] = [];
    for (const action of this.#actions.splice(0)) {
      try {
        await action();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
