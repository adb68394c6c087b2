/** The two directions of a simulated host's access to the network, with their rates and queues. */
import type { Millis } from "../../base/units.ts";
import type { Clock } from "../../ports/clock.ts";

/** Something to send: how long it is, whether it may start now, and what happens when it is out. */
export interface Sending {
  readonly bytes: number;
  /** undefined: now; else when the receiver has room again. */
  startsAt(): Millis | undefined;
  sent(): void;
}

/** A turn of a flow: small messages leave together, as in one segment. */
const TURN_BYTES = 1448;

/** The flows of one uplink take turns, one block or one segment of small messages each. */
export class Uplink {
  readonly #clock: Clock;
  readonly #bytesPerSecond: number | undefined;
  /** Flows with something to send, in the order of their turns. */
  readonly #flows = new Set<{ next(): Sending | undefined }>();
  #isBusy = false;
  /** Whose turn it is, and what it has sent of it. */
  #turn: { readonly flow: object | undefined; bytes: number } = { flow: undefined, bytes: 0 };

  constructor(clock: Clock, bytesPerSecond: number | undefined) {
    this.#clock = clock;
    this.#bytesPerSecond = bytesPerSecond;
  }

  /** `flow` has something to send: `next()` gives its oldest item, until that is sent. */
  wake(flow: { next(): Sending | undefined }): void {
    this.#flows.add(flow);
    this.#send();
  }

  #send(): void {
    if (this.#isBusy) return;
    let retryAt = Number.POSITIVE_INFINITY;
    for (const flow of this.#flows) {
      const sending = flow.next();
      if (sending === undefined) {
        this.#flows.delete(flow);
        continue;
      }
      const startsAt = sending.startsAt();
      if (startsAt !== undefined && startsAt > this.#clock.now()) {
        retryAt = Math.min(retryAt, startsAt);
        continue;
      }
      if (this.#turn.flow !== flow) this.#turn = { flow, bytes: 0 };
      this.#turn.bytes += sending.bytes;
      if (this.#turn.bytes >= TURN_BYTES) {
        this.#turn = { flow: undefined, bytes: 0 };
        this.#flows.delete(flow);
        this.#flows.add(flow);
      }
      this.#occupy(this.#timeFor(sending.bytes), () => sending.sent());
      return;
    }
    if (retryAt !== Number.POSITIVE_INFINITY) {
      this.#occupy(retryAt - this.#clock.now(), () => {});
    }
  }

  #occupy(durationMs: Millis, done: () => void): void {
    this.#isBusy = true;
    this.#clock.setTimer(durationMs, () => {
      this.#isBusy = false;
      done();
      this.#send();
    });
  }

  #timeFor(bytes: number): Millis {
    return this.#bytesPerSecond === undefined ? 0 : (bytes * 1000) / this.#bytesPerSecond;
  }
}

/** Longest queue for a downlink before its senders hold back (a TCP window's worth). */
const MAX_DOWN_QUEUE_MS = 150;

/** What arrives is delivered in order, at the downlink's rate. */
export class Downlink {
  readonly #clock: Clock;
  readonly #bytesPerSecond: number | undefined;
  #busyUntil: Millis = 0;

  constructor(clock: Clock, bytesPerSecond: number | undefined) {
    this.#clock = clock;
    this.#bytesPerSecond = bytesPerSecond;
  }

  /** When a sender may send more; undefined when it may now. */
  roomAt(): Millis | undefined {
    const roomAt = this.#busyUntil - MAX_DOWN_QUEUE_MS;
    return roomAt > this.#clock.now() ? roomAt : undefined;
  }

  deliver(bytes: number, callback: () => void): void {
    const now = this.#clock.now();
    const duration = this.#bytesPerSecond === undefined ? 0 : (bytes * 1000) / this.#bytesPerSecond;
    this.#busyUntil = Math.max(now, this.#busyUntil) + duration;
    this.#clock.setTimer(this.#busyUntil - now, callback);
  }
}
