/**
 * The Tracker's WebSocket door: WebTorrent's signalling, offers, answers and scrapes. Knows no socket:
 * an adapter opens a session for each connection and feeds it what comes.
 *
 * A peer is bound to its connection: nobody answers in its name (T9), and when the connection ends
 * the peer is gone. Every few seconds it is asked again whether each may still be there (WS-23).
 * Our own clients are no such peers: they announce here as over the other doors.
 */
import { infoHashBytes, infoHashOf, latin1, latin1Bytes } from "../base/bytes.ts";
import { formatIp } from "../base/ip-address.ts";
import type { Random } from "../base/random.ts";
import type { InfoHash, Millis } from "../base/units.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import {
  asciiJson,
  encodeWsAnnounceAnswer,
  encodeWsAnswer,
  encodeWsCompactAnswer,
  encodeWsFailure,
  encodeWsOffer,
  encodeWsScrapeAnswer,
  MAX_WS_OFFERS,
  parseWsRequest,
  type WsRequest,
} from "../protocol/tracker/ws-message.ts";
import type { Asker } from "./sources.ts";
import type { Tracker } from "./tracker.ts";
import { WebMember, WebSwarm } from "./web-swarm.ts";

/** A connection, as an adapter has it. */
export interface WebLink {
  /** Drops what a slow reader does not take. */
  send(text: string): void;
  /** `code` as in RFC 6455; `reason` in at most 123 bytes. */
  close(code: number, reason: string): void;
}

/** Who is at the other end. */
export interface WebAsker extends Asker {
  readonly key: string | undefined;
}

/** What the door is built on. */
export interface TrackerWebDoorOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Peers of one address that are listed in one swarm; as over the other doors. */
  readonly maxPeersPerNetwork: number;
}

type AnnounceRequest = Extract<WsRequest, { type: "announce" }>;
type AnswerRequest = Extract<WsRequest, { type: "answer" }>;

/** Closing codes of RFC 6455. */
const POLICY_VIOLATION = 1008;
/** Messages that are no JSON before a connection is closed (WS-02). */
const MAX_SYNTAX_ERRORS = 3;
/** Swarms of one connection (WS-14). */
const MAX_SWARMS = 100;
const RECHECK_MS = 4000;

/** Opens a session for each connection, and keeps the peers that come over them. */
export class TrackerWebDoor {
  readonly #tracker: Tracker;
  readonly #options: TrackerWebDoorOptions;
  readonly #swarms = new Map<InfoHash, WebSwarm>();
  readonly #sessions = new Set<WebSession>();
  #timer: Timer | undefined;
  /** Messages by kind; `dropped` are answers that nobody asked for (WS-11). */
  readonly counters = { announce: 0, answer: 0, scrape: 0, offersSent: 0, dropped: 0, bad: 0 };

  constructor(tracker: Tracker, options: TrackerWebDoorOptions) {
    this.#tracker = tracker;
    this.#options = options;
    tracker.attachWebPeers((infoHash) => this.#swarms.get(infoHash));
    this.#scheduleRecheck();
  }

  get sessionCount(): number {
    return this.#sessions.size;
  }

  /** A connection opened. */
  open(link: WebLink, asker: WebAsker): WebSession {
    const parts = { tracker: this.#tracker, swarms: this.#swarms, counters: this.counters };
    const session = new WebSession({ ...parts, ...this.#options, link, asker });
    this.#sessions.add(session);
    session.onClosed = () => this.#sessions.delete(session);
    return session;
  }

  close(): void {
    this.#timer?.cancel();
  }

  #scheduleRecheck(): void {
    this.#timer = this.#options.clock.setTimer(RECHECK_MS, () => {
      for (const session of this.#sessions) session.recheck();
      this.#scheduleRecheck();
    });
  }
}

interface SessionParts extends TrackerWebDoorOptions {
  readonly tracker: Tracker;
  readonly swarms: Map<InfoHash, WebSwarm>;
  readonly counters: TrackerWebDoor["counters"];
  readonly link: WebLink;
  readonly asker: WebAsker;
}

/** A member and where it is one. */
interface Membership {
  readonly swarm: WebSwarm;
  readonly member: WebMember;
}

/** One connection: what its peer says, and where it takes part. */
export class WebSession {
  readonly link: WebLink;
  readonly #parts: SessionParts;
  readonly #memberships = new Map<InfoHash, Membership>();
  readonly #network: string;
  #syntaxErrors = 0;
  #isClosed = false;
  /** Set by the door. */
  onClosed: () => void = () => undefined;

  constructor(parts: SessionParts) {
    this.#parts = parts;
    this.link = parts.link;
    const { address } = parts.asker;
    this.#network = address.length === 4 ? formatIp(address) : latin1(address.subarray(0, 8));
  }

  /** A text message came. */
  handle(text: string): void {
    if (this.#isClosed) return;
    const request = parseWsRequest(text);
    if (!request.ok) return this.#refuse(request.code, request.message);
    const { counters } = this.#parts;
    counters[request.value.type]++;
    if (request.value.type === "announce") this.#announced(request.value);
    else if (request.value.type === "answer") this.#answer(request.value);
    else this.#scrape(request.value.infoHashes);
  }

  /** The connection is gone; so are its peers (WS-22). Idempotent. */
  closed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const infoHash of this.#memberships.keys()) this.#leave(infoHash);
    this.onClosed();
  }

  /** Turns out whoever may not be there any more. */
  recheck(): void {
    for (const [infoHash, { member }] of this.#memberships) {
      const bytes = infoHashBytes(infoHash);
      const verdict = this.#judge(bytes, member.peerId);
      if (verdict.type === "allowed") continue;
      this.#end(encodeWsFailure(verdict.reason, latin1(bytes)), verdict.reason);
      return;
    }
  }

  #refuse(code: "syntax" | "shape" | "field", message: string): void {
    this.#parts.counters.bad++;
    if (code === "shape") return this.#end(undefined, message);
    this.link.send(encodeWsFailure(message));
    if (code === "syntax" && ++this.#syntaxErrors === MAX_SYNTAX_ERRORS) {
      this.#end(undefined, message);
    }
  }

  #announced(request: AnnounceRequest): void {
    if (request.port === undefined) this.#announce(request);
    else this.#announceListener(request, request.port);
  }

  /** A peer that listens for TCP is listed with those of the other doors, and stays when the connection ends. */
  #announceListener(
    { infoHash: name, peerId, event, left, numWant }: AnnounceRequest,
    port: number,
  ): void {
    const { tracker, asker } = this.#parts;
    const [infoHash, id] = [latin1Bytes(name), latin1Bytes(peerId)];
    const wanted = numWant === undefined ? undefined : Math.floor(numWant);
    const announce = { infoHash, peerId: id, port, event, left, numWant: wanted };
    const verdict = tracker.announce({ ...announce, wantsBothFamilies: true }, asker, asker.key);
    if (verdict.type === "refused") this.link.send(encodeWsFailure(verdict.reason, name));
    else this.link.send(encodeWsCompactAnswer(asciiJson(name), verdict.answer));
  }

  #announce(request: AnnounceRequest): void {
    const { infoHash: name, peerId } = request;
    const verdict = this.#judge(latin1Bytes(name), peerId);
    if (verdict.type === "refused") return this.link.send(encodeWsFailure(verdict.reason, name));
    const { infoHash } = verdict;
    let infoHashJson: string;
    if (request.event === "stopped") {
      this.#leave(infoHash);
      infoHashJson = asciiJson(name);
    } else {
      const membership = this.#join(infoHash, peerId);
      if (typeof membership === "string") {
        return this.link.send(encodeWsFailure(membership, name));
      }
      this.#update(infoHash, membership, request);
      this.#passOffers(membership, request);
      ({ infoHashJson } = membership.swarm);
    }
    const { intervalMs, counts } = this.#parts.tracker.webAnswer(infoHash);
    this.link.send(encodeWsAnnounceAnswer(infoHashJson, Math.ceil(intervalMs / 1000), counts));
  }

  /** The membership, made when there is none; or why there can be none. */
  #join(infoHash: InfoHash, peerId: string): Membership | string {
    const own = this.#memberships.get(infoHash);
    if (own !== undefined) {
      return own.member.peerId === peerId ? own : "peer_id changed";
    }
    if (this.#memberships.size >= MAX_SWARMS) return "too many torrents on one connection";
    const { swarms, random } = this.#parts;
    const swarm = swarms.get(infoHash) ?? new WebSwarm(random, latin1(infoHashBytes(infoHash)));
    const other = swarm.get(peerId);
    if (other !== undefined) {
      const session = other.carrier as WebSession;
      const isSameHolder =
        other.network === this.#network && session.#parts.asker.key === this.#parts.asker.key;
      if (!isSameHolder) return "peer_id is in use";
      // It reconnected before its old connection was known to be dead.
      session.#leave(infoHash);
    }
    if (swarm.countOfNetwork(this.#network) >= this.#parts.maxPeersPerNetwork) {
      return "too many peers of your network";
    }
    swarms.set(infoHash, swarm);
    const membership = { swarm, member: new WebMember(peerId, this.#network, this) };
    swarm.add(membership.member);
    this.#memberships.set(infoHash, membership);
    return membership;
  }

  #update(infoHash: InfoHash, { swarm, member }: Membership, request: AnnounceRequest): void {
    swarm.setSeed(member, request.left === 0);
    if (request.event !== "completed" || member.hasCompleted) return;
    member.hasCompleted = true;
    this.#parts.tracker.countWebDownload(infoHash, this.#parts.asker.address);
  }

  #passOffers(
    { swarm, member }: Membership,
    { infoHash, offers, numWant = offers.length }: AnnounceRequest,
  ): void {
    const count = Math.min(offers.length, numWant, MAX_WS_OFFERS);
    if (count === 0) return;
    const now = this.#now();
    for (const [i, other] of swarm.choose(member, count).entries()) {
      const offer = offers[i];
      if (offer === undefined) return;
      member.openOffer(now, offer.offerId, other);
      (other.carrier as WebSession).link.send(encodeWsOffer(infoHash, member.peerId, offer));
      this.#parts.counters.offersSent++;
    }
  }

  #answer({ infoHash: name, peerId, answer }: AnswerRequest): void {
    const own = this.#memberships.get(infoHashOf(latin1Bytes(name)));
    if (own !== undefined && own.member.peerId !== peerId) {
      return this.#end(encodeWsFailure("peer_id is not yours", name), "peer_id is not yours");
    }
    const offerer = own?.swarm.get(answer.toPeerId);
    const isWanted =
      own !== undefined && offerer?.takeAnswer(this.#now(), answer.offerId, own.member) === true;
    if (isWanted) {
      (offerer.carrier as WebSession).link.send(encodeWsAnswer(name, peerId, answer));
    } else this.#parts.counters.dropped++;
  }

  #scrape(names: readonly string[]): void {
    const { tracker, asker } = this.#parts;
    const hashes = new Map(names.map((name) => [infoHashOf(latin1Bytes(name)), name]));
    const found = tracker.scrapeFor([...hashes.keys()], asker.key, {
      address: asker.address,
      peerId: undefined,
    });
    const files = Array.from(found, ([infoHash, counts]) => {
      return [hashes.get(infoHash) as string, counts] as const;
    });
    this.link.send(encodeWsScrapeAnswer(new Map(files)));
  }

  #judge(infoHash: Uint8Array, peerId: string): ReturnType<Tracker["judgeWebPeer"]> {
    const { address, key } = this.#parts.asker;
    return this.#parts.tracker.judgeWebPeer(infoHash, key, {
      address,
      peerId: latin1Bytes(peerId),
    });
  }

  #leave(infoHash: InfoHash): void {
    const membership = this.#memberships.get(infoHash);
    if (membership === undefined) return;
    this.#memberships.delete(infoHash);
    membership.swarm.remove(membership.member);
    const { swarms, tracker, asker } = this.#parts;
    tracker.forgetWebPeer(asker.key, latin1Bytes(membership.member.peerId));
    if (membership.swarm.count === 0 && swarms.get(infoHash) === membership.swarm) {
      swarms.delete(infoHash);
    }
  }

  #end(lastWords: string | undefined, reason: string): void {
    if (lastWords !== undefined) this.link.send(lastWords);
    this.link.close(POLICY_VIOLATION, reason);
    this.closed();
  }

  #now(): Millis {
    return this.#parts.clock.now();
  }
}
