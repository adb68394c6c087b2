/**
 * From which addresses the holders of keys came lately. An admission is told to the SourceNodes when
 * it is new, and again before it ends. Bounded: one key is good for so many addresses at a time.
 */
import type { InfoHash, Millis } from "../base/units.ts";
import type { Admission, GuestAdmission } from "../protocol/control/access-values.ts";

/** Addresses of one user in one swarm; with more of them the oldest go. */
const MAX_HOSTS = 64;
/** So many at once are more than a person's networks: the key is likely shared (T12). */
const SPREAD_HOSTS = 12;

interface Holder {
  /** By address, when its admission ends; the oldest first. */
  readonly endsAt: Map<string, Millis>;
  isReported: boolean;
}

/** What became of an address that was seen. */
export interface BookOutcome {
  /** To be told; undefined when it is known well enough. */
  readonly admission: Admission | undefined;
  /** The key comes from suspiciously many addresses; said once. */
  readonly isSpread: boolean;
}

export class AdmissionBook {
  /** How long an admission lasts. */
  readonly #lifeMs: Millis;
  /** By info hash and principal. */
  readonly #holders = new Map<string, Holder>();

  constructor(lifeMs: Millis) {
    this.#lifeMs = lifeMs;
  }

  /** Seen again within this long, an address need not be told again. */
  get renewMs(): Millis {
    return this.#lifeMs / 3;
  }

  /** The holder of a key for `infoHash` was seen at `host`. */
  add(now: Millis, { infoHash, host, principal }: GuestAdmission): BookOutcome {
    const name = nameOf(infoHash, principal);
    const holder = this.#holders.get(name) ?? { endsAt: new Map(), isReported: false };
    this.#holders.set(name, holder);
    const { endsAt } = holder;
    if ((endsAt.get(host) ?? 0) > now + this.#lifeMs - this.renewMs) return known;
    endsAt.delete(host);
    endsAt.set(host, now + this.#lifeMs);
    for (const oldest of endsAt.keys()) {
      if (endsAt.size <= MAX_HOSTS) break;
      endsAt.delete(oldest);
    }
    const isSpread = endsAt.size > SPREAD_HOSTS && !holder.isReported;
    holder.isReported ||= isSpread;
    return { admission: { infoHash, host, principal, forMs: this.#lifeMs }, isSpread };
  }

  /** All that are in force. */
  all(now: Millis): readonly Admission[] {
    const found: Admission[] = [];
    for (const [name, { endsAt }] of this.#holders) {
      const [infoHash, principal] = name.split(" ") as [InfoHash, string];
      for (const [host, end] of endsAt) {
        if (end > now) found.push({ infoHash, host, principal, forMs: end - now });
      }
    }
    return found;
  }

  /** Forgets somebody in one swarm. */
  remove({ infoHash, principal }: Pick<GuestAdmission, "infoHash" | "principal">): void {
    this.#holders.delete(nameOf(infoHash, principal));
  }

  /** Forgets what has ended. */
  sweep(now: Millis): void {
    for (const [name, { endsAt }] of this.#holders) {
      for (const [host, end] of endsAt) if (end <= now) endsAt.delete(host);
      if (endsAt.size === 0) this.#holders.delete(name);
    }
  }
}

const known: BookOutcome = { admission: undefined, isSpread: false };

function nameOf(infoHash: InfoHash, principal: string): string {
  return `${infoHash} ${principal}`;
}
