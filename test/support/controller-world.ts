/** One swarm's participation controller without a network: tests play its peers. */
import { unwrap } from "../../src/base/errors.ts";
import { Allocation } from "../../src/participation/allocation.ts";
import type { JoinedPeer } from "../../src/participation/downloader.ts";
import type { Show } from "../../src/participation/offer.ts";
import {
  type PolicyName,
  type PolicyNumbers,
  resolvePolicy,
} from "../../src/participation/policy.ts";
import { SwarmController } from "../../src/participation/swarm-controller.ts";
import { Uplink } from "../../src/participation/uplink.ts";
import { PieceGeometry } from "../../src/protocol/metainfo/piece-geometry.ts";
import { type JoinedOptions, joinedPeer } from "./served-peers.ts";

/** Bytes of a piece; a peer asks for it in one request. */
export const PIECE = 1000;

/** What a controller is made of; its uplink has room for two offers unless more is said. */
export interface ControllerOptions {
  readonly policy?: PolicyName;
  readonly numbers?: PolicyNumbers;
  readonly pieces?: number;
  readonly uplink?: number;
}

/** See the head of this file. */
export class ControllerWorld {
  readonly controller: SwarmController;
  readonly pieces: number;
  /** Content bytes that count against the budget. */
  spentBytes = 0;
  now = 0;
  readonly #peers = new Map<number, JoinedPeer>();

  constructor({ policy = "thrifty", numbers, pieces = 8, uplink = PIECE }: ControllerOptions = {}) {
    this.pieces = pieces;
    this.controller = new SwarmController(
      new PieceGeometry(PIECE, PIECE * pieces),
      {
        policy: unwrap(resolvePolicy(policy, numbers)),
        allocation: new Allocation(new Uplink(() => uplink)),
        spentBytes: () => this.spentBytes,
        knowsPeer: () => false,
      },
      0,
    );
  }

  setPolicy(policy: PolicyName, numbers?: PolicyNumbers): void {
    this.controller.setPolicy(unwrap(resolvePolicy(policy, numbers)));
  }

  join(key: number, options: Omit<JoinedOptions, "size"> = {}): void {
    // Its bitfield comes after it connected.
    const peer = joinedPeer(key, { ...options, size: this.pieces, have: [] });
    this.#peers.set(key, peer);
    this.controller.handleJoined(this.now, peer);
    for (const piece of options.have ?? []) peer.pieces.add(piece);
    this.controller.handlePieces(this.now, key);
  }

  leave(key: number): void {
    this.#peers.delete(key);
    this.controller.handleLeft(this.now, key);
  }

  /** The peer has `pieces` now. Time passes a little, since HAVEs in crowds are looked at later. */
  have(key: number, ...pieces: readonly number[]): void {
    for (const piece of pieces) {
      this.now += 5;
      this.#peers.get(key)?.pieces.add(piece);
      this.controller.handleHave(this.now, key, piece);
    }
  }

  request(key: number, ...pieces: readonly number[]): void {
    for (const piece of pieces) this.controller.handleRequest(this.now, key, piece);
  }

  send(key: number, piece: number, bytes = PIECE): void {
    this.now += 5;
    this.spentBytes += bytes;
    this.controller.handleSent(this.now, key, piece, bytes);
  }

  /** The peer asks for `pieces`, is sent them, and has them. */
  take(key: number, ...pieces: readonly number[]): void {
    for (const piece of pieces) {
      this.request(key, piece);
      this.send(key, piece);
      this.have(key, piece);
    }
  }

  /** Every offer from now on is taken at once, until there are no more. */
  takeAll(keys: readonly number[]): void {
    for (let shows = this.shows(); shows.length > 0; shows = this.shows()) {
      for (const { peer, piece } of shows) if (keys.includes(peer)) this.take(peer, piece);
    }
  }

  /** Lets time pass; `each` runs before every tick. */
  pass(ms: number, each: () => void = () => {}): void {
    const until = this.now + ms;
    for (;;) {
      const next = this.controller.nextTimeout();
      if (next === undefined || next > until) break;
      this.now = Math.max(this.now, next);
      each();
      this.controller.handleTimeout(this.now);
    }
    this.now = until;
  }

  /** Offers that were made since the call before. */
  shows(): readonly Show[] {
    return this.controller.takeShows();
  }

  /** The same as "peer piece reason". */
  offers(): readonly string[] {
    return this.shows().map(({ peer, piece, reason }) => `${peer} ${piece} ${reason}`);
  }
}
