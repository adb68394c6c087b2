/**
 * The last answer of something that may be slow to answer: whoever asks gets it at once, and has it
 * asked again meanwhile. Only the first answer is waited for.
 */
export class Latest<Value> {
  readonly #ask: () => Promise<Value>;
  #value: Promise<Value> | undefined;
  #isAsking = false;

  constructor(ask: () => Promise<Value>) {
    this.#ask = ask;
  }

  /** Rejects as the last attempt to ask did. */
  get(): Promise<Value> {
    if (this.#value === undefined) {
      this.#value = this.#ask();
      return this.#value;
    }
    if (!this.#isAsking) void this.#refresh();
    return this.#value;
  }

  async #refresh(): Promise<void> {
    this.#isAsking = true;
    const next = this.#ask();
    await next.catch(() => undefined);
    this.#value = next;
    this.#isAsking = false;
  }
}
