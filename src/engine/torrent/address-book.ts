/** The peers of one torrent that we have heard of: whom to dial, when again, and whom never. */
import type { Random } from "../../base/random.ts";
import type { Millis } from "../../base/units.ts";
import { addressKey, type PeerAddress } from "../../ports/peer-transport.ts";

/** Addresses kept; a tracker answer brings 50, so this is a large swarm's worth. */
const MAX_KNOWN = 2000;
const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 10 * 60_000;
/** Nothing to gain soon: it is connected the other way round, or both of us are seeds. */
const USELESS_RETRY_MS = 10 * 60_000;
/** After so many failed dials in a row an address is forgotten. */
const MAX_FAILURES = 12;

interface KnownAddress {
  readonly address: PeerAddress;
  state: "idle" | "dialing" | "connected";
  failures: number;
  retryAt: Millis;
}

export class AddressBook {
  readonly #random: Random;
  readonly #known = new Map<string, KnownAddress>();
  readonly #banned = new Set<string>();
  #dialingCount = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  get dialingCount(): number {
    return this.#dialingCount;
  }

  /** Adds an address that somebody named. Known, banned and superfluous ones change nothing. */
  add(now: Millis, address: PeerAddress): void {
    const key = addressKey(address);
    if (this.#known.has(key) || this.#banned.has(address.host)) return;
    if (this.#known.size >= MAX_KNOWN && !this.#forgetOne()) return;
    this.#known.set(key, { address, state: "idle", failures: 0, retryAt: now });
  }

  /** An address to dial now; it counts as dialing until one of the next calls. */
  takeNext(now: Millis): PeerAddress | undefined {
    let best: KnownAddress | undefined;
    for (const known of this.#known.values()) {
      if (known.state !== "idle" || known.retryAt > now) continue;
      if (best === undefined || known.failures < best.failures) best = known;
    }
    if (best === undefined) return undefined;
    best.state = "dialing";
    this.#dialingCount++;
    return best.address;
  }

  /** When some idle address may be dialled next. */
  nextRetryAt(): Millis | undefined {
    let next: Millis | undefined;
    for (const known of this.#known.values()) {
      if (known.state !== "idle") continue;
      if (next === undefined || known.retryAt < next) next = known.retryAt;
    }
    return next;
  }

  handleConnected(key: string): void {
    this.#enter(key, "connected");
  }

  handleFailed(now: Millis, key: string): void {
    const known = this.#enter(key, "idle");
    if (known === undefined) return;
    known.failures++;
    if (known.failures > MAX_FAILURES) this.#known.delete(key);
    known.retryAt = now + this.#backoff(known.failures);
  }

  /**
   * A connection is over. After a `fruitful` one the peer is tried again at once; one that gave
   * nothing counts as a failed dial; `useless` ones are not to be tried again soon.
   */
  handleClosed(now: Millis, key: string, verdict: "fruitful" | "fruitless" | "useless"): void {
    const known = this.#enter(key, "idle");
    if (known === undefined) return;
    if (verdict !== "useless") known.failures = verdict === "fruitful" ? 1 : known.failures + 1;
    known.retryAt =
      now + (verdict === "useless" ? USELESS_RETRY_MS : this.#backoff(known.failures));
  }

  /** Never dial or accept this host again. */
  ban(host: string): void {
    this.#banned.add(host);
    for (const [key, known] of this.#known) {
      if (known.address.host !== host) continue;
      if (known.state === "dialing") this.#dialingCount--;
      this.#known.delete(key);
    }
  }

  isBanned(host: string): boolean {
    return this.#banned.has(host);
  }

  #enter(key: string, state: KnownAddress["state"]): KnownAddress | undefined {
    const known = this.#known.get(key);
    if (known === undefined) return undefined;
    if (known.state === "dialing") this.#dialingCount--;
    known.state = state;
    return known;
  }

  /** Rises with each failure; the jitter keeps a crowd from coming back all at once. */
  #backoff(failures: number): Millis {
    const base = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** (failures - 1));
    return base * (0.75 + this.#random.fraction() / 2);
  }

  #forgetOne(): boolean {
    for (const [key, known] of this.#known) {
      if (known.state === "idle" && known.failures > 0) return this.#known.delete(key);
    }
    return false;
  }
}
