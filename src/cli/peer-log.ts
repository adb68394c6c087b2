/** What `--verbose` says of connections that ended, so that a flood of them floods no log. */
import { closeReasonText } from "../runtime/close-reason.ts";
import { addressKey } from "../ports/peer-transport.ts";
import type { PeerClosed } from "../runtime/torrent-setup.ts";
import type { EventFields, Output } from "./output.ts";

/** Lines within a second; what is beyond them is counted, and told with the next line. */
const LINES_PER_SECOND = 20;

/** Says ends of connections on `output`. */
export class PeerLog {
  readonly #output: Output;
  readonly #now: () => number;
  #secondBegan = Number.NEGATIVE_INFINITY;
  #lines = 0;
  #omitted = 0;

  /** `now`: milliseconds on any clock that does not go back. */
  constructor(output: Output, now: () => number) {
    this.#output = output;
    this.#now = now;
  }

  /** `fields` tell which torrent it is. */
  say({ address, direction, reason }: PeerClosed, fields: EventFields): void {
    if (this.#now() - this.#secondBegan >= 1000) {
      this.#secondBegan = this.#now();
      this.#lines = 0;
    }
    if (this.#lines === LINES_PER_SECOND) {
      this.#omitted++;
      return;
    }
    this.#lines++;
    const peer = addressKey(address);
    const message = closeReasonText(reason);
    const omitted = this.#omitted;
    this.#omitted = 0;
    this.#output.event(
      "peer-closed",
      { ...fields, address: peer, direction, reason, message, ...(omitted > 0 && { omitted }) },
      `${direction} ${peer}: ${message}${omitted > 0 ? ` (and ${omitted} more before it)` : ""}`,
    );
  }
}
