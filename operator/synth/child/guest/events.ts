// `events`: a small EventEmitter, for classes that extend it.
type Listener = (...parameters: unknown[]) => void;

/** EventEmitter with the everyday methods. */
export class EventEmitter {
  readonly #listeners = new Map<string | symbol, Listener[]>();

  on(event: string | symbol, listener: Listener): this {
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener]);
    return this;
  }
  addListener(event: string | symbol, listener: Listener): this {
    return this.on(event, listener);
  }
  once(event: string | symbol, listener: Listener): this {
    const wrapped: Listener = (...parameters) => {
      this.off(event, wrapped);
      listener(...parameters);
    };
    return this.on(event, wrapped);
  }
  off(event: string | symbol, listener: Listener): this {
    this.#listeners.set(
      event,
      (this.#listeners.get(event) ?? []).filter((known) => known !== listener),
    );
    return this;
  }
  removeListener(event: string | symbol, listener: Listener): this {
    return this.off(event, listener);
  }
  removeAllListeners(event: string | symbol): this {
    this.#listeners.delete(event);
    return this;
  }
  emit(event: string | symbol, ...parameters: unknown[]): boolean {
    const listeners = this.#listeners.get(event) ?? [];
    for (const listener of listeners) listener.apply(this, parameters);
    return listeners.length > 0;
  }
  listenerCount(event: string | symbol): number {
    return this.#listeners.get(event)?.length ?? 0;
  }
}
