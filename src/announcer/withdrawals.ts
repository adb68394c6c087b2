/**
 * What is published and not served at the moment, because its files are not what was published any
 * more: as the SourceNode says it. Pages must not fail while that one is away, so the last answer
 * stays good; and a crowd of readers asks only once in a while.
 */
import { assertNever } from "../base/assert.ts";
import type { Millis } from "../base/units.ts";
import type { Clock } from "../ports/clock.ts";
import type { ContentService, Withdrawal } from "../ports/content-service.ts";
import { Waiting } from "./waiting.ts";

/** How old an answer may be. */
const MAX_AGE_MS: Millis = 1_000;

/** Withdrawals by the publication's name. */
export type WithdrawalsByName = ReadonlyMap<string, Withdrawal>;

/** The Announcer's view of them. */
export class Withdrawals {
  readonly #content: Pick<ContentService, "withdrawals">;
  readonly #clock: Clock;
  readonly #waiting: Waiting;
  #last: { readonly at: Millis; readonly found: Promise<WithdrawalsByName> } | undefined;
  #lastGood: WithdrawalsByName = new Map();

  constructor(content: Pick<ContentService, "withdrawals">, clock: Clock) {
    this.#content = content;
    this.#clock = clock;
    this.#waiting = new Waiting(clock);
  }

  /** Never rejects: while the SourceNode is away it is what was last known. */
  look(): Promise<WithdrawalsByName> {
    const now = this.#clock.now();
    if (this.#last === undefined || now - this.#last.at > MAX_AGE_MS) {
      const found = this.#waiting.for(this.#ask()).then(() => this.#lastGood);
      this.#last = { at: now, found };
    }
    return this.#last.found;
  }

  async #ask(): Promise<void> {
    const found = await this.#content.withdrawals();
    this.#lastGood = new Map(found.map((each) => [each.name, each]));
  }
}

/** Why it is not served, and what ends that, as a sentence for people. */
export function withdrawalText({ reason, path = "a file" }: Withdrawal): string {
  switch (reason) {
    case "file-missing":
      return `${path} is missing on the server's disk, or cannot be read; once it is back as it was published, it is served again`;
    case "file-changed":
      return `${path} was changed on the server's disk after it was published; publish it anew under another name, or put back what was published`;
    case "not-removed":
      return "it was unpublished, and its files could not be deleted; unpublish it again";
    case "damaged":
      return "the server's own record of it cannot be read; unpublish it and publish it again";
    default:
      return assertNever(reason);
  }
}
