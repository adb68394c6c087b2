/**
 * The access model as the Tracker has it: which keys are good for which torrent, told by the
 * Announcer, and from which addresses their holders came, told to the SourceNodes. In memory only: after a
 * restart the Announcer tells everything again. Until then, and when it was not heard for five
 * minutes, what is not public is closed, and what is public stays open.
 */
import { formatIp, type IpBytes, parseIp } from "../base/ip-address.ts";
import type { InfoHash, Millis } from "../base/units.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type {
  AccessUpdate,
  Admission,
  Revocation,
  SourceOrder,
  TorrentAccess,
  TrackerKey,
} from "../protocol/control/access-values.ts";
import type { KeyBytes } from "../protocol/tracker/key.ts";
import type { AccessAsker, AccessDecision, AnnounceAccess } from "./announce-access.ts";
import { AdmissionBook } from "./admission-book.ts";
import { type KeyPeersLimits, markOf } from "./key-peers.ts";
import { type KnownKey, KeyRing } from "./key-ring.ts";
import { MAX_KEY_BYTES } from "./key-table.ts";
import { expiryMs } from "./options.ts";

/** What a Tracker's access works with. */
export interface TrackerAccessDependencies {
  readonly clock: Clock;
  /** The digest that `key` has under `digestKey`. */
  readonly digestOf: (digestKey: string, key: string) => string;
  /** Whether a torrent that nobody told about has BEP 27's flag: then it is closed. */
  readonly isPrivate: (infoHash: InfoHash) => boolean;
  readonly onEvent: (event: TrackerAccessEvent) => void;
  /** What SourceNodes check tickets with, and answer them; undefined: there are none. */
  readonly tickets?: TicketKeys;
  /** How often peers announce: an admission lasts well beyond it. */
  readonly intervalMs: Millis;
  /** 32 random bits; default 0, for tests. */
  readonly seed?: number;
  /** Peers that may use one key at a time; default 32. */
  readonly maxPeersPerKey?: number;
}

/** The keys about tickets that SourceNodes are told; each has 64 hexadecimal digits. */
export interface TicketKeys {
  readonly publicKey: string;
  readonly sourceSecret: string;
}

/** For logs; without a secret. */
export type TrackerAccessEvent =
  /** One user's key comes from so many addresses at once that it is likely shared. */
  { readonly type: "key-spread"; readonly principal: string; readonly infoHash: InfoHash };

/** Keys cannot be guessed; whoever tries so many a minute is not computed for any more (T11). */
const MAX_FAILURES = 120;
const MAX_FAILING_HOSTS = 10_000;
const FAILURES_MS: Millis = 60_000;
/** Without a word of the Announcer for this long, nothing that is not public is allowed. */
export const LEASE_MS: Millis = 5 * 60_000;
/** An admission lasts at least so long. */
const MIN_ADMISSION_MS: Millis = 15 * 60_000;
/** Peers of one user in one swarm: a house full of machines, and not a thousand made-up ones (T4). */
const MAX_PEERS_PER_KEY = 32;

const denied: AccessDecision = { type: "denied", code: "denied" };
const crowded: AccessDecision = { type: "denied", code: "key-crowded" };
const everybody: AccessDecision = { type: "allowed", principal: undefined };

/** What a decision came of. Only metrics tell: who is denied hears the same, whatever the cause. */
export type AccessOutcome = keyof TrackerAccess["counters"];

export class TrackerAccess implements AnnounceAccess {
  /** Decisions since the start. `not-known-yet`: the Announcer has not told, or not for long. */
  readonly counters = {
    open: 0,
    key: 0,
    "no-key": 0,
    "wrong-key": 0,
    "ended-key": 0,
    "key-crowded": 0,
    "not-known-yet": 0,
  };
  readonly #dependencies: TrackerAccessDependencies;
  readonly #torrents = new Map<InfoHash, TorrentAccess["level"]>();
  readonly #keys: KeyRing;
  readonly #peersLimits: KeyPeersLimits;
  /** How long a peer with a key is not looked at again: it stays admitted and counted for longer. */
  readonly #restMs: Millis;
  readonly #seed: number;
  readonly #book: AdmissionBook;
  readonly #sources = new Set<(order: SourceOrder) => void>();
  readonly #failures = new Map<string, number>();
  /** Parts of everything that did not all come yet. */
  #parts: AccessUpdate[] = [];
  #feed = "";
  #number = -1;
  #digestKey = "";
  #leaseEndsAt = Number.NEGATIVE_INFINITY;
  #timer: Timer | undefined;

  constructor(dependencies: TrackerAccessDependencies) {
    this.#dependencies = dependencies;
    const lifeMs = Math.max(MIN_ADMISSION_MS, 3 * dependencies.intervalMs);
    this.#book = new AdmissionBook(lifeMs);
    this.#peersLimits = {
      maxPeers: dependencies.maxPeersPerKey ?? MAX_PEERS_PER_KEY,
      lifeMs: expiryMs(dependencies),
    };
    this.#restMs = Math.min(this.#book.renewMs, this.#peersLimits.lifeMs / 2);
    this.#seed = dependencies.seed ?? 0;
    this.#keys = new KeyRing(this.#seed);
    this.#housekeep();
  }

  close(): void {
    this.#timer?.cancel();
  }

  /** Takes in what the Announcer tells. @returns whether everything is known now. */
  apply(update: AccessUpdate): boolean {
    const isNext = update.feed === this.#feed && update.number === this.#number + 1;
    if (!isNext && !update.isWhole) return false;
    this.#feed = update.feed;
    this.#number = update.number;
    this.#digestKey = update.digestKey;
    if (update.isWhole) this.#parts = [];
    if (!update.isLast || this.#parts.length > 0) this.#parts.push(update);
    if (!update.isLast) return true;
    const parts = this.#parts.length > 0 ? this.#parts : [update];
    this.#parts = [];
    this.#leaseEndsAt = this.#now() + LEASE_MS;
    for (const part of parts) this.#take(part);
    if (parts[0]?.isWhole === true) this.#forgetWhatIsGone(parts);
    return true;
  }

  decide(infoHash: InfoHash, key: string | undefined, asker: AccessAsker): AccessDecision {
    const now = this.#now();
    // Nearly every announce with a key: one look-up, and nothing to be told.
    const known = key === undefined ? undefined : this.#keys.remembered(key);
    if (known !== undefined && this.#isResting(now, known, infoHash, asker)) {
      return this.#allow("key", known.decision);
    }
    const level = this.#torrents.get(infoHash);
    if (level === "open") return this.#allow("open", everybody);
    if (level === undefined && !this.#dependencies.isPrivate(infoHash)) {
      return this.#allow("open", everybody);
    }
    if (key === undefined) return this.#deny("no-key");
    if (level === undefined || now > this.#leaseEndsAt) return this.#deny("not-known-yet");
    return this.#judge(now, known ?? this.#lookUp(key, asker.address), infoHash, asker);
  }

  recall(infoHash: InfoHash, key: KeyBytes, asker: AccessAsker): AccessDecision | undefined {
    const known = this.#keys.remembered(key);
    if (known === undefined || !this.#isResting(this.#now(), known, infoHash, asker)) {
      return undefined;
    }
    return this.#allow("key", known.decision);
  }

  leave(key: string | undefined, peerId: Uint8Array): void {
    const known = key === undefined ? undefined : this.#keys.remembered(key);
    if (known === undefined) return;
    known.peers.leave(markOf(peerId, this.#seed));
    known.restUntil = 0;
  }

  /** A SourceNode connects: it is told all there is, and from then on what changes. */
  attachSource(send: (order: SourceOrder) => void): { detach(): void } {
    this.#sources.add(send);
    const torrents = [...this.#torrents].map(([infoHash, level]) => ({ infoHash, level }));
    send(this.#guard(torrents));
    send({ type: "admit", admissions: this.#book.all(this.#now()) });
    return { detach: () => void this.#sources.delete(send) };
  }

  #guard(torrents: readonly TorrentAccess[]): SourceOrder {
    const { tickets } = this.#dependencies;
    if (tickets === undefined) return { type: "guard", torrents };
    const { publicKey: ticketKey, sourceSecret } = tickets;
    return { type: "guard", torrents, ticketKey, sourceSecret };
  }

  #lookUp(key: string, address: IpBytes): KnownKey | undefined {
    if (key.length > MAX_KEY_BYTES) return undefined;
    const host = formatIp(address);
    const failures = this.#failures.get(host) ?? 0;
    if (failures >= MAX_FAILURES) return undefined;
    const known = this.#keys.lookUp(key, this.#dependencies.digestOf(this.#digestKey, key));
    const canCount = failures > 0 || this.#failures.size < MAX_FAILING_HOSTS;
    if (known === undefined && canCount) this.#failures.set(host, failures + 1);
    return known;
  }

  #isExpired({ expiresAt }: TrackerKey): boolean {
    return expiresAt !== undefined && expiresAt <= this.#dependencies.clock.unixNow();
  }

  /** Whether that peer was looked at lately, with that key, from that address. */
  #isResting(
    now: Millis,
    known: KnownKey,
    infoHash: InfoHash,
    { peerId, address }: AccessAsker,
  ): boolean {
    if (peerId === undefined || now >= known.restUntil * 1000 || now > this.#leaseEndsAt)
      return false;
    const mark = markOf(address, markOf(peerId, this.#seed));
    return mark === known.lastMark && known.infoHash === infoHash && !this.#isExpired(known);
  }

  #judge(
    now: Millis,
    known: KnownKey | undefined,
    infoHash: InfoHash,
    { peerId, address }: AccessAsker,
  ): AccessDecision {
    if (known === undefined || known.infoHash !== infoHash) return this.#deny("wrong-key");
    if (this.#isExpired(known)) return this.#deny("ended-key");
    if (peerId === undefined) return this.#allow("key", known.decision);
    const mark = markOf(peerId, this.#seed);
    if (!known.peers.take(now, mark, this.#peersLimits)) return this.#deny("key-crowded");
    this.#admit(now, known, address);
    known.infoHash = infoHash;
    known.lastMark = markOf(address, mark);
    known.restUntil = Math.floor((now + this.#restMs) / 1000);
    return this.#allow("key", known.decision);
  }

  /** Has the SourceNodes let the address in, where it is not known well enough. */
  #admit(now: Millis, { infoHash, principal }: KnownKey, address: IpBytes): void {
    const host = formatIp(address);
    const outcome = this.#book.add(now, { infoHash, host, principal });
    if (outcome.admission !== undefined) this.#tell([outcome.admission]);
    if (outcome.isSpread) this.#dependencies.onEvent({ type: "key-spread", principal, infoHash });
  }

  /** Everything was told anew: what is in none of `parts` is no more. */
  #forgetWhatIsGone(parts: readonly AccessUpdate[]): void {
    const digests = new Set(parts.flatMap(({ keys }) => keys.map(({ digest }) => digest)));
    const gone = [...this.#keys.values()].filter(({ digest }) => !digests.has(digest));
    this.#revoke(gone.map(({ digest }) => digest));
    const torrents = new Set(parts.flatMap((part) => part.torrents.map((each) => each.infoHash)));
    for (const infoHash of this.#torrents.keys()) {
      if (!torrents.has(infoHash)) this.#torrents.delete(infoHash);
    }
  }

  #take({ torrents, keys, revoked, guests }: AccessUpdate): void {
    for (const { infoHash, level } of torrents) this.#torrents.set(infoHash, level);
    if (torrents.length > 0) this.#order(this.#guard(torrents));
    for (const key of keys) this.#keys.put(key);
    this.#revoke(revoked);
    const now = this.#now();
    const fresh: Admission[] = [];
    for (const guest of guests) {
      const isOpen = this.#torrents.get(guest.infoHash) === "open";
      if (isOpen || parseIp(guest.host) === undefined) continue;
      const { admission } = this.#book.add(now, guest);
      if (admission !== undefined) fresh.push(admission);
    }
    this.#tell(fresh);
  }

  /** Whoever has no good key left for a torrent is let in no more. */
  #revoke(digests: readonly string[]): void {
    const revocations: Revocation[] = [];
    for (const digest of digests) {
      const last = this.#keys.remove(digest);
      if (last === undefined) continue;
      this.#book.remove(last);
      revocations.push({ infoHash: last.infoHash, principal: last.principal });
    }
    if (revocations.length > 0) this.#order({ type: "revoke", revocations });
  }

  #allow(outcome: AccessOutcome, decision: AccessDecision): AccessDecision {
    this.counters[outcome]++;
    return decision;
  }

  #deny(outcome: AccessOutcome): AccessDecision {
    this.counters[outcome]++;
    return outcome === "key-crowded" ? crowded : denied;
  }

  #tell(admissions: readonly Admission[]): void {
    if (admissions.length > 0) this.#order({ type: "admit", admissions });
  }

  #order(order: SourceOrder): void {
    for (const send of this.#sources) send(order);
  }

  /** Once a minute: keys that ended are revoked, addresses forgotten, failures forgiven. */
  #housekeep(): void {
    const { clock } = this.#dependencies;
    this.#timer = clock.setTimer(FAILURES_MS, () => {
      this.#failures.clear();
      this.#book.sweep(this.#now());
      const ended = [...this.#keys.values()].filter((key) => this.#isExpired(key));
      this.#revoke(ended.map(({ digest }) => digest));
      this.#housekeep();
    });
  }

  #now(): Millis {
    return this.#dependencies.clock.now();
  }
}
