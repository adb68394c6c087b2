/**
 * The peers of one torrent that came over WebSocket: they reach each other only, by WebRTC, so they
 * have a list of their own. Who gets whom is decided as among the others: leeches get anybody, seeds
 * get leeches only, at random, in a time that does not grow with the swarm.
 */
import type { Random } from "../base/random.ts";
import type { Millis } from "../base/units.ts";
import { asciiJson } from "../protocol/tracker/ws-message.ts";
import { Runs, sampleRuns } from "./sample.ts";

/** An offer waits for its answer so long (T9). */
const OFFER_MS = 120_000;
/** Offers of one peer that wait at a time: four announces' worth. */
const MAX_OPEN_OFFERS = 40;

/** One peer in one swarm. Only its swarm changes `isSeed` and `place`. */
export class WebMember {
  readonly peerId: string;
  /** Whoever carries its messages. */
  readonly carrier: object;
  /** Where it comes from, in text: an address, or a /64 in IPv6. */
  readonly network: string;
  isSeed = false;
  hasCompleted = false;
  /** Where it stands in its swarm's list. */
  place = -1;
  readonly #openOffers = new Map<string, { readonly to: WebMember; readonly at: Millis }>();

  constructor(peerId: string, network: string, carrier: object) {
    this.peerId = peerId;
    this.network = network;
    this.carrier = carrier;
  }

  /** This member's offer went to `to`. */
  openOffer(now: Millis, offerId: string, to: WebMember): void {
    this.#openOffers.delete(offerId);
    this.#openOffers.set(offerId, { to, at: now });
    if (this.#openOffers.size <= MAX_OPEN_OFFERS) return;
    const [oldest = ""] = this.#openOffers.keys();
    this.#openOffers.delete(oldest);
  }

  /** Whether `from` may answer that offer of this member: once, in time, and nobody else. */
  takeAnswer(now: Millis, offerId: string, from: WebMember): boolean {
    const open = this.#openOffers.get(offerId);
    if (open?.to !== from) return false;
    this.#openOffers.delete(offerId);
    return now - open.at <= OFFER_MS;
  }
}

/** Others that one answer names. */
const MAX_CHOSEN = 10;
// Shared, since nothing here waits.
const runs = new Runs(MAX_CHOSEN);

export class WebSwarm {
  /** Its info hash, as answers have it. */
  readonly infoHashJson: string;
  readonly #random: Random;
  readonly #byId = new Map<string, WebMember>();
  /** Seeds first. */
  readonly #members: WebMember[] = [];
  readonly #networks = new Map<string, number>();
  #seedCount = 0;

  /** `name`: the info hash, a character for each byte. */
  constructor(random: Random, name: string) {
    this.#random = random;
    this.infoHashJson = asciiJson(name);
  }

  get count(): number {
    return this.#members.length;
  }

  get seedCount(): number {
    return this.#seedCount;
  }

  get(peerId: string): WebMember | undefined {
    return this.#byId.get(peerId);
  }

  /** Members of a network. */
  countOfNetwork(network: string): number {
    return this.#networks.get(network) ?? 0;
  }

  /** Adds a member, a leech at first, whose id is not there yet. */
  add(member: WebMember): void {
    this.#byId.set(member.peerId, member);
    this.#networks.set(member.network, this.countOfNetwork(member.network) + 1);
    member.isSeed = false;
    member.place = this.#members.push(member) - 1;
  }

  setSeed(member: WebMember, isSeed: boolean): void {
    if (member.isSeed === isSeed) return;
    member.isSeed = isSeed;
    this.#swap(member.place, isSeed ? this.#seedCount++ : --this.#seedCount);
  }

  remove(member: WebMember): void {
    if (this.#byId.get(member.peerId) !== member) return;
    this.setSeed(member, false);
    this.#swap(member.place, this.#members.length - 1);
    this.#members.pop();
    const left = this.countOfNetwork(member.network) - 1;
    if (left === 0) this.#networks.delete(member.network);
    else this.#networks.set(member.network, left);
    this.#byId.delete(member.peerId);
  }

  /** At most `count` (≤ 10) random others for `asker`; for a seed no other seeds. */
  choose(asker: WebMember, count: number): readonly WebMember[] {
    const first = asker.isSeed ? this.#seedCount : 0;
    const isInRange = asker.place >= first;
    const bound = this.#members.length - first - (isInRange ? 1 : 0);
    runs.clear(first, asker.place);
    sampleRuns(bound, count, this.#random, runs);
    const chosen: WebMember[] = [];
    for (let run = 0; run < runs.count; run++) {
      chosen.push(...this.#members.slice(runs.begins[run], runs.ends[run]));
    }
    return chosen;
  }

  #swap(a: number, b: number): void {
    const atA = this.#members[a] as WebMember;
    const atB = this.#members[b] as WebMember;
    this.#members[a] = atB;
    this.#members[b] = atA;
    atB.place = a;
    atA.place = b;
  }
}
