/**
 * Gets the info dictionary of a magnet link from peers (BEP 9). Each peer is asked for the whole
 * dictionary by itself, so that a wrong one is blamed on exactly that peer; the first right one wins.
 */
import { equalBytes } from "../../base/bytes.ts";
import type { Millis } from "../../base/units.ts";
import {
  encodeExtensionHandshake,
  parseExtensionHandshake,
} from "../../protocol/wire/extension.ts";
import type { PeerMessage } from "../../protocol/wire/message.ts";
import {
  encodeMetadataMessage,
  METADATA_PIECE_LENGTH,
  parseMetadataMessage,
} from "../../protocol/wire/ut-metadata.ts";

/** Peers that are asked at once. */
const MAX_PEERS = 5;
/** A peer that says nothing useful for this long makes room for another. */
const ANSWER_TIMEOUT_MS = 15_000;
/** With all places taken for this long the slowest peer makes room: those that trickle may be many. */
const CROWDED_MS = 30_000;
/** Requests to one peer at once. */
const PIPELINE = 4;
const UT_METADATA_ID = 1;

/** What the runtime must do now, in order. */
export type MetadataOutput =
  | { readonly type: "send"; readonly peer: number; readonly message: PeerMessage }
  | { readonly type: "close"; readonly peer: number; readonly why: string }
  /** The dictionary, verified against the info hash. The last output. */
  | { readonly type: "found"; readonly info: Uint8Array };

interface Candidate {
  readonly openedAt: Millis;
  receivedBytes: number;
  lastProgressAt: Millis;
  /** Theirs for ut_metadata; undefined until their handshake. */
  remoteId: number | undefined;
  buffer: Uint8Array | undefined;
  readonly missing: Set<number>;
  readonly asked: Set<number>;
}

export class MetadataDownload {
  readonly #infoHash: Uint8Array;
  readonly #sha1: (bytes: Uint8Array) => Uint8Array;
  readonly #clientName: string;
  readonly #peers = new Map<number, Candidate>();
  #crowdedSince: Millis = 0;
  #mostBytes = 0;
  #outputs: MetadataOutput[] = [];
  #isFound = false;

  /** `infoHash`: 20 bytes that the dictionary must hash to by `sha1`. */
  constructor(infoHash: Uint8Array, sha1: (bytes: Uint8Array) => Uint8Array, clientName: string) {
    this.#infoHash = infoHash;
    this.#sha1 = sha1;
    this.#clientName = clientName;
  }

  /** Whether another peer may be connected. */
  get hasRoom(): boolean {
    return !this.#isFound && this.#peers.size < MAX_PEERS;
  }

  /** Peers that are being asked. */
  get peerCount(): number {
    return this.#peers.size;
  }

  /** The most that one peer has given so far. Never less than before, and never more than the dictionary. */
  get mostBytes(): number {
    return this.#mostBytes;
  }

  handleLinkOpened(now: Millis, peer: number, supportsExtended: boolean): void {
    if (!supportsExtended || this.#isFound) {
      this.#outputs.push({ type: "close", peer, why: "no metadata" });
      return;
    }
    this.#peers.set(peer, {
      openedAt: now,
      receivedBytes: 0,
      lastProgressAt: now,
      remoteId: undefined,
      buffer: undefined,
      missing: new Set(),
      asked: new Set(),
    });
    this.#crowdedSince = now;
    const payload = encodeExtensionHandshake({
      extensions: new Map([["ut_metadata", UT_METADATA_ID]]),
      clientName: this.#clientName,
      listenPort: undefined,
      maxRequests: undefined,
      metadataSize: undefined,
    });
    this.#send(peer, 0, payload);
  }

  handleLinkClosed(peer: number): void {
    this.#peers.delete(peer);
  }

  handleMessage(now: Millis, peer: number, message: PeerMessage): void {
    const candidate = this.#peers.get(peer);
    if (candidate === undefined || message.type !== "extended") return;
    if (message.id === 0) this.#handleHandshake(now, peer, message.payload);
    else if (message.id === UT_METADATA_ID) this.#handleMetadata(now, peer, message.payload);
  }

  handleTimeout(now: Millis): void {
    for (const [peer, candidate] of this.#peers) {
      if (now - candidate.lastProgressAt >= ANSWER_TIMEOUT_MS) this.#drop(peer, "silent");
    }
    if (this.#isCrowded && now >= this.#crowdedSince + CROWDED_MS) this.#dropSlowest(now);
  }

  nextTimeout(): Millis | undefined {
    let next = this.#isCrowded ? this.#crowdedSince + CROWDED_MS : undefined;
    for (const { lastProgressAt } of this.#peers.values()) {
      const at = lastProgressAt + ANSWER_TIMEOUT_MS;
      if (next === undefined || at < next) next = at;
    }
    return next;
  }

  takeOutputs(): readonly MetadataOutput[] {
    const outputs = this.#outputs;
    this.#outputs = [];
    return outputs;
  }

  #handleHandshake(now: Millis, peer: number, payload: Uint8Array): void {
    const candidate = this.#peers.get(peer) as Candidate;
    const handshake = parseExtensionHandshake(payload);
    const remoteId = handshake?.extensions.get("ut_metadata");
    const size = handshake?.metadataSize;
    if (remoteId === undefined || size === undefined) {
      this.#drop(peer, "no metadata");
      return;
    }
    if (candidate.buffer !== undefined) return;
    candidate.remoteId = remoteId;
    candidate.lastProgressAt = now;
    candidate.buffer = new Uint8Array(size);
    const count = Math.ceil(size / METADATA_PIECE_LENGTH);
    for (let piece = 0; piece < count; piece++) candidate.missing.add(piece);
    this.#ask(peer, candidate);
  }

  #handleMetadata(now: Millis, peer: number, payload: Uint8Array): void {
    const candidate = this.#peers.get(peer) as Candidate;
    const message = parseMetadataMessage(payload);
    const { buffer } = candidate;
    if (message === undefined || buffer === undefined) return;
    if (message.type === "reject") this.#drop(peer, "metadata refused");
    if (message.type === "malformed") this.#drop(peer, "malformed metadata");
    if (message.type !== "data" || !candidate.asked.delete(message.piece)) return;
    const begin = message.piece * METADATA_PIECE_LENGTH;
    const length = Math.min(METADATA_PIECE_LENGTH, buffer.length - begin);
    if (message.totalSize !== buffer.length || message.data.length !== length) {
      this.#drop(peer, "metadata of another size");
      return;
    }
    buffer.set(message.data, begin);
    candidate.lastProgressAt = now;
    candidate.receivedBytes += length;
    this.#mostBytes = Math.max(this.#mostBytes, candidate.receivedBytes);
    if (candidate.missing.size > 0) this.#ask(peer, candidate);
    else if (candidate.asked.size === 0) this.#verify(peer, buffer);
  }

  #ask(peer: number, candidate: Candidate): void {
    for (const piece of candidate.missing) {
      if (candidate.asked.size >= PIPELINE) return;
      candidate.missing.delete(piece);
      candidate.asked.add(piece);
      this.#send(
        peer,
        candidate.remoteId as number,
        encodeMetadataMessage({ type: "request", piece }),
      );
    }
  }

  #verify(peer: number, info: Uint8Array): void {
    if (!equalBytes(this.#sha1(info), this.#infoHash)) {
      this.#drop(peer, "wrong metadata");
      return;
    }
    this.#isFound = true;
    for (const other of this.#peers.keys()) this.#drop(other, "metadata found");
    this.#outputs.push({ type: "found", info });
  }

  get #isCrowded(): boolean {
    return this.#peers.size >= MAX_PEERS;
  }

  #dropSlowest(now: Millis): void {
    const rateOf = ({ receivedBytes, openedAt }: Candidate) => receivedBytes / (now - openedAt);
    const [slowest] = [...this.#peers].sort(([, a], [, b]) => rateOf(a) - rateOf(b));
    if (slowest !== undefined) this.#drop(slowest[0], "others may be quicker");
  }

  #send(peer: number, id: number, payload: Uint8Array): void {
    this.#outputs.push({ type: "send", peer, message: { type: "extended", id, payload } });
  }

  #drop(peer: number, why: string): void {
    this.#peers.delete(peer);
    this.#outputs.push({ type: "close", peer, why });
  }
}
