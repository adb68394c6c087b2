/**
 * The Tracker's answer to an announce: SourceNodes first, then peers of the swarm. There is one
 * object for all answers; a door encodes it before the next announce comes.
 */
import type { Millis } from "../base/units.ts";
import type { AnnounceAnswer } from "../protocol/tracker/announce.ts";
import {
  COMPACT_IPV4_LENGTH,
  COMPACT_IPV6_LENGTH,
  type CompactPeer,
} from "../protocol/tracker/compact-peers.ts";
import type { PeerChoice } from "./peer-choice.ts";

export class TrackerAnswer implements AnnounceAnswer {
  intervalMs: Millis = 0;
  minIntervalMs: Millis = 0;
  readonly counts = { complete: 0, incomplete: 0, downloaded: 0 };
  readonly #choice: PeerChoice;
  readonly #sources4: CompactPeer[] = [];
  readonly #sources6: CompactPeer[] = [];

  constructor(choice: PeerChoice) {
    this.#choice = choice;
  }

  /** The first `count` of `sources`, in place of those of the answer before. */
  setSources(sources: readonly CompactPeer[], count: number): void {
    if (this.sourceCount > 0) {
      this.#sources4.length = 0;
      this.#sources6.length = 0;
    }
    for (const source of sources) {
      if (this.sourceCount === count) return;
      (source.address.length === 4 ? this.#sources4 : this.#sources6).push(source);
    }
  }

  get sourceCount(): number {
    return this.#sources4.length + this.#sources6.length;
  }

  get peerCount4(): number {
    return this.#sources4.length + this.#choice.count4;
  }

  get peerCount6(): number {
    return this.#sources6.length + this.#choice.count6;
  }

  writePeers4(target: Uint8Array, at: number): void {
    this.#choice.write4(target, writeSources(this.#sources4, target, at, COMPACT_IPV4_LENGTH));
  }

  writePeers6(target: Uint8Array, at: number): void {
    this.#choice.write6(target, writeSources(this.#sources6, target, at, COMPACT_IPV6_LENGTH));
  }

  /** Undefined for a SourceNode, whose id nobody told. */
  peerIds(): readonly (Uint8Array | undefined)[] {
    return [
      ...this.#sources4.map(() => undefined),
      ...this.#choice.peerIds4(),
      ...this.#sources6.map(() => undefined),
      ...this.#choice.peerIds6(),
    ];
  }
}

/** Returns where they end. */
function writeSources(
  sources: readonly CompactPeer[],
  target: Uint8Array,
  at: number,
  length: number,
): number {
  let end = at;
  for (const { address, port } of sources) {
    target.set(address, end);
    end += length;
    target[end - 2] = port >> 8;
    target[end - 1] = port;
  }
  return end;
}
