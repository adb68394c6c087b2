/**
 * Virtual time: a clock that stands still until the next thing is due and then jumps to it.
 * Everything that happens in a simulated world is an event of this clock, so that a run is decided
 * by its seed alone.
 */
import type { Millis } from "../../base/units.ts";
import type { Clock, Timer } from "../../ports/clock.ts";

interface Event {
  readonly at: Millis;
  /** Events of one instant happen in the order in which they were set. */
  readonly sequence: number;
  callback: (() => void) | undefined;
}

const settled: Promise<void> = Promise.resolve();

/**
 * Turns of the promise queue after each event. The ports' promises in memory are resolved at once,
 * so one turn runs their continuations; a longer chain goes on after the next event, which is as
 * repeatable. Every turn costs time in runs of millions of events.
 */
const SETTLE_ROUNDS = 2;

export class VirtualClock implements Clock {
  #now: Millis = 0;
  #sequence = 0;
  readonly #heap: Event[] = [];

  now(): Millis {
    return this.#now;
  }

  /** Virtual wall clock: the epoch plus virtual time. */
  unixNow(): Millis {
    return this.#now;
  }

  setTimer(delayMs: Millis, callback: () => void): Timer {
    const event: Event = { at: this.#now + delayMs, sequence: this.#sequence++, callback };
    this.#push(event);
    return {
      cancel: () => {
        event.callback = undefined;
      },
    };
  }

  /**
   * Runs events in order until `isDone()`, until none is left, or until virtual time `until`.
   * @returns whether `isDone()` became true.
   */
  async run(options: {
    readonly isDone?: () => boolean;
    readonly until?: Millis;
  }): Promise<boolean> {
    const isDone = options.isDone ?? (() => false);
    const until = options.until ?? Number.POSITIVE_INFINITY;
    await this.#settle();
    while (!isDone()) {
      const event = this.#heap[0];
      if (event === undefined || event.at > until) {
        if (Number.isFinite(until)) this.#now = Math.max(this.#now, until);
        return isDone();
      }
      this.#pop();
      if (event.callback === undefined) continue;
      this.#now = event.at;
      event.callback();
      await this.#settle();
    }
    return true;
  }

  /** Lets promises that the last event resolved have their say before the next event. */
  async #settle(): Promise<void> {
    for (let i = 0; i < SETTLE_ROUNDS; i++) await settled;
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(event, heap[parent] as Event)) break;
      heap[at] = heap[parent] as Event;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Event;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      const right = heap[child + 1];
      if (right !== undefined && isBefore(right, heap[child] as Event)) child++;
      if (!isBefore(heap[child] as Event, last)) break;
      heap[at] = heap[child] as Event;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.sequence < b.sequence);
}
