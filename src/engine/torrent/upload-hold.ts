/**
 * Whether a downloader does better not to upload for now. On a link of 1 Mbit/s up and 80 down, what
 * we give is a twentieth of what we get, and our uploads hold up the acknowledgements and requests
 * of our own download; so everybody is choked until that changes. Where uploads count, the download
 * of a swarm is never that much faster.
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

/** Download ÷ upload from which uploads are held, and at which they come back. */
const HOLD_RATIO = 8;
const RELEASE_RATIO = 4;
/** Bytes per second: such an uplink is needed whole for acknowledging a fast download. */
const WEAK_UPLINK = 250_000;
const WEAK_HOLD_RATIO = 4;
const WEAK_RELEASE_RATIO = 2;
/** So long our uplink must have been the limit before its rate says what it can do. */
const MEASURE_MS: Millis = 2000;
/** A line may change: it is measured again after this. */
const RETRY_MS: Millis = 60_000;

export class UploadHold {
  #backlogSince: Millis | undefined;
  #heldSince: Millis | undefined;
  /** What the uplink could do when it was held. */
  #capacity = 0;

  get isHeld(): boolean {
    return this.#heldSince !== undefined;
  }

  /** Called about once a second. @returns whether uploads are held now. */
  update(now: Millis, view: UploadView): boolean {
    const { downRate, upRate, isBacklogged, isComplete } = view;
    if (this.#heldSince !== undefined) {
      const release = this.#capacity < WEAK_UPLINK ? WEAK_RELEASE_RATIO : RELEASE_RATIO;
      const isOver = downRate < release * this.#capacity;
      if (isComplete || isOver || now - this.#heldSince > RETRY_MS) this.#release();
      return this.isHeld;
    }
    if (!isBacklogged || isComplete) this.#backlogSince = undefined;
    else this.#backlogSince ??= now;
    const isMeasured = this.#backlogSince !== undefined && now - this.#backlogSince >= MEASURE_MS;
    const ratio = upRate < WEAK_UPLINK ? WEAK_HOLD_RATIO : HOLD_RATIO;
    if (isMeasured && downRate > ratio * upRate) {
      this.#heldSince = now;
      this.#capacity = upRate;
    }
    return this.isHeld;
  }

  #release(): void {
    this.#heldSince = undefined;
    this.#backlogSince = undefined;
  }
}
