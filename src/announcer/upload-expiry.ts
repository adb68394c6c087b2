/** Uploads whose publisher never came back are dropped, so that they do not fill the disk. */
import type { Millis } from "../base/units.ts";
import type { Clock, Timer } from "../ports/clock.ts";

/** An upload without any byte for this long is dropped: the longest pause that people take. */
const MAX_IDLE_MS: Millis = 24 * 60 * 60 * 1000;
const SWEEP_MS: Millis = 60 * 60 * 1000;

/** Watches the uploads of one Announcer. Idle time counts from the last byte, or from the start. */
export class UploadExpiry {
  readonly #clock: Clock;
  readonly #expire: (name: string) => void;
  readonly #touchedAt = new Map<string, Millis>();
  #timer: Timer | undefined;

  constructor(clock: Clock, expire: (name: string) => void) {
    this.#clock = clock;
    this.#expire = expire;
  }

  start(): void {
    this.#timer = this.#clock.setTimer(SWEEP_MS, () => {
      this.#sweep();
      this.start();
    });
  }

  close(): void {
    this.#timer?.cancel();
  }

  /** The upload `name` lives now. */
  touch(name: string): void {
    this.#touchedAt.set(name, this.#clock.now());
  }

  /** `name` is no upload any more. */
  forget(name: string): void {
    this.#touchedAt.delete(name);
  }

  #sweep(): void {
    const oldest = this.#clock.now() - MAX_IDLE_MS;
    for (const [name, at] of this.#touchedAt) {
      if (at > oldest) continue;
      this.#touchedAt.delete(name);
      this.#expire(name);
    }
  }
}
