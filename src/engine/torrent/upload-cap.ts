/**
 * How much a downloader does best to upload. On a link of 1 Mbit/s up and 80 down, what we give is a
 * twentieth of what we get, and an uplink that is full of uploads holds up the acknowledgements and
 * requests of our own download; so uploads leave a part of it free until that changes. Where uploads
 * count, the download of a swarm is never that much faster.
 */
import type { Millis } from "../../base/units.ts";

/** What the decision is made from; rates are bytes per second. */
export interface UploadView {
  readonly downRate: number;
  readonly upRate: number;
  /** Peers wait for more than we can send. */
  readonly isBacklogged: boolean;
  readonly isComplete: boolean;
}

/** Download ÷ upload from which uploads are capped, and at which they are free again. */
const CAP_RATIO = 8;
const RELEASE_RATIO = 4;
/** Bytes per second: such an uplink is needed for acknowledging a fast download. */
const WEAK_UPLINK = 250_000;
const WEAK_CAP_RATIO = 4;
const WEAK_RELEASE_RATIO = 2;
/** The part of what the uplink could do that uploads may use. */
const UPLOAD_PART = 0.65;
/** So long our uplink must have been the limit before its rate says what it can do. */
const MEASURE_MS: Millis = 2000;
/** A line may change: it is measured again after this. */
const RETRY_MS: Millis = 60_000;

export class UploadCap {
  #backlogSince: Millis | undefined;
  #cappedSince: Millis | undefined;
  /** What the uplink could do when it was capped. */
  #capacity = 0;

  /** Called about once a second. @returns bytes per second that uploads may take now; undefined: all. */
  update(now: Millis, view: UploadView): number | undefined {
    if (this.#cappedSince === undefined) this.#measure(now, view);
    else if (this.#isOver(now - this.#cappedSince, view)) this.#release();
    return this.#cappedSince === undefined ? undefined : this.#capacity * UPLOAD_PART;
  }

  #measure(now: Millis, { downRate, upRate, isBacklogged, isComplete }: UploadView): void {
    if (!isBacklogged || isComplete) this.#backlogSince = undefined;
    else this.#backlogSince ??= now;
    const isMeasured = this.#backlogSince !== undefined && now - this.#backlogSince >= MEASURE_MS;
    const ratio = upRate < WEAK_UPLINK ? WEAK_CAP_RATIO : CAP_RATIO;
    if (!isMeasured || downRate <= ratio * upRate) return;
    this.#cappedSince = now;
    this.#capacity = upRate;
  }

  #isOver(cappedMs: Millis, { downRate, isComplete }: UploadView): boolean {
    const ratio = this.#capacity < WEAK_UPLINK ? WEAK_RELEASE_RATIO : RELEASE_RATIO;
    return isComplete || downRate < ratio * this.#capacity || cappedMs > RETRY_MS;
  }

  #release(): void {
    this.#cappedSince = undefined;
    this.#backlogSince = undefined;
  }
}
