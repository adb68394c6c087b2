/** Peers as they join a source that serves by the participation controller. */
import { Bitfield } from "../../src/base/bitfield.ts";
import type { JoinedPeer } from "../../src/participation/downloader.ts";

/** What is special about a peer; by default it is a downloader that has nothing. */
export interface JoinedOptions {
  /** Pieces of the torrent. */
  readonly size: number;
  readonly have?: Iterable<number>;
  readonly isSourceNode?: boolean;
  /** Number of its peer id and address, when it is somebody who was here by another key. */
  readonly as?: number;
}

/** A peer of its own id and address, numbered by its key. */
export function joinedPeer(key: number, options: JoinedOptions): JoinedPeer {
  const { size, have = [], isSourceNode = false, as = key } = options;
  const pieces = new Bitfield(size);
  for (const piece of have) pieces.add(piece);
  const peerId = new Uint8Array(20);
  new DataView(peerId.buffer).setUint32(16, as);
  return { key, peerId, host: `192.0.2.${as}`, isSourceNode, pieces };
}
