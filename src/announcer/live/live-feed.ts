/**
 * One thing that is watched, and all who watch it: measured only while there are any, once for all
 * of them. Who is too slow for a change gets no queue but, when it reads again, the newest state.
 */
import { BtPublisherError } from "../../base/errors.ts";
import type { Millis } from "../../base/units.ts";
import type { Clock } from "../../ports/clock.ts";

/** Why a stream ends. */
export type LiveEnd = "session-ended" | "not-found" | "closing";

/** Somebody who watches. */
export interface LiveReader {
  /** Whether it has read what it was sent. */
  readonly isReady: boolean;
  send(event: "snapshot" | "delta", text: string): void;
  end(reason: LiveEnd): void;
}

/** What a feed is of. */
export interface LiveSubject<State, Delta> {
  /** The states, as often as they are looked at. Rejects with NOT_FOUND when there are no more. */
  states(): AsyncIterable<State>;
  /** What makes `after` of `before`; undefined: they say the same. */
  deltaOf(before: State, after: State): Delta | undefined;
}

/** Between two attempts to reach a SourceNode that is away. */
const RETRY_MS: Millis = 2000;

export class LiveFeed<State, Delta> {
  readonly #subject: LiveSubject<State, Delta>;
  readonly #clock: Clock;
  /** Whether each has the state before the next one. */
  readonly #readers = new Map<LiveReader, { isCurrent: boolean }>();
  readonly #onIdle: () => void;
  #state: State | undefined;
  #isRunning = false;
  #isClosed = false;

  /** `onIdle` is called when nobody watches any more. */
  constructor(subject: LiveSubject<State, Delta>, clock: Clock, onIdle: () => void) {
    this.#subject = subject;
    this.#clock = clock;
    this.#onIdle = onIdle;
  }

  /** From now on `reader` is told, first of the state that is. Its end is `remove`'s. */
  add(reader: LiveReader): void {
    this.#readers.set(reader, { isCurrent: false });
    if (this.#state !== undefined) this.#tell(this.#state, undefined);
    if (!this.#isRunning) void this.#run();
  }

  remove(reader: LiveReader): void {
    if (this.#readers.delete(reader) && this.#readers.size === 0) this.#onIdle();
  }

  /** Ends it for everybody. */
  close(reason: LiveEnd): void {
    this.#isClosed = true;
    for (const reader of this.#readers.keys()) {
      this.remove(reader);
      reader.end(reason);
    }
  }

  get #isWanted(): boolean {
    return !this.#isClosed && this.#readers.size > 0;
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.#isWanted) {
      try {
        for await (const state of this.#subject.states()) {
          if (!this.#isWanted) break;
          this.#take(state);
        }
      } catch (error) {
        if (error instanceof BtPublisherError && error.code === "NOT_FOUND") {
          this.close("not-found");
        }
      }
      if (this.#isWanted) await this.#pause();
    }
    this.#isRunning = false;
    this.#state = undefined;
  }

  #take(state: State): void {
    const before = this.#state;
    this.#state = state;
    this.#tell(state, before === undefined ? undefined : this.#subject.deltaOf(before, state));
  }

  /** Texts are made once for all, and only when somebody needs them. */
  #tell(state: State, delta: Delta | undefined): void {
    let snapshotText: string | undefined;
    let deltaText: string | undefined;
    for (const [reader, reading] of this.#readers) {
      if (!reader.isReady) {
        reading.isCurrent &&= delta === undefined;
      } else if (!reading.isCurrent) {
        snapshotText ??= JSON.stringify(state);
        reading.isCurrent = true;
        reader.send("snapshot", snapshotText);
      } else if (delta !== undefined) {
        deltaText ??= JSON.stringify(delta);
        reader.send("delta", deltaText);
      }
    }
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => void this.#clock.setTimer(RETRY_MS, resolve));
  }
}
