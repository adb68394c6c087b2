/** Runs actions on the same key one after the other; those on different keys do not wait. */

/** A mutual exclusion by key, first come first served. */
export class KeyedLock {
  readonly #tails = new Map<string, Promise<void>>();

  /** What `action` returns, once all that was asked for `key` before has ended. */
  run<Value>(key: string, action: () => Promise<Value>): Promise<Value> {
    const before = this.#tails.get(key) ?? Promise.resolve();
    const result = before.then(action);
    const forget = (): void => {
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
    };
    const tail = result.then(forget, forget);
    this.#tails.set(key, tail);
    return result;
  }
}
