/** A `Torrent` with scripted peers: tells it what a peer says, and collects what it wants done. */
import { Bitfield } from "../../src/base/bitfield.ts";
import { createRandom } from "../../src/base/random.ts";
import { TokenBucket } from "../../src/base/token-bucket.ts";
import { defaultChokerOptions } from "../../src/engine/choking/choker.ts";
import { Torrent } from "../../src/engine/torrent/torrent.ts";
import type { TorrentOptions, TorrentOutput } from "../../src/engine/torrent/torrent-state.ts";
import type { Info } from "../../src/protocol/metainfo/metainfo.ts";
import type { BlockRef } from "../../src/protocol/metainfo/piece-geometry.ts";
import type { PeerMessage } from "../../src/protocol/wire/message.ts";

const OUR_ID = new Uint8Array(20).fill(1);

export class TorrentWorld {
  now = 1000;
  readonly have: Bitfield;
  readonly torrent: Torrent;
  readonly outputs: TorrentOutput[] = [];
  #nextKey = 0;

  constructor(
    info: Info,
    options: Partial<TorrentOptions> & {
      readonly have?: Bitfield;
      readonly webSeeds?: number;
    } = {},
  ) {
    const { have, webSeeds, ...rest } = options;
    this.have = have ?? new Bitfield(info.geometry.pieceCount);
    const setup = { info, have: this.have, webSeedCount: webSeeds ?? 0 };
    const torrentOptions: TorrentOptions = {
      choker: defaultChokerOptions,
      maxPeers: 50,
      maxConnecting: 5,
      dialsPeers: true,
      keepsSeeds: false,
      serving: undefined,
      pieceBufferBytes: 1024 * 1024,
      listenPort: 6881,
      peerId: OUR_ID,
      clientName: "test",
      uploadLimit: new TokenBucket(undefined),
      downloadLimit: new TokenBucket(undefined),
      ...rest,
    };
    this.torrent = new Torrent(setup, torrentOptions, createRandom(1), this.now);
  }

  /** A new connected peer. What the torrent says in greeting is not kept. */
  connect(
    options: {
      readonly fast?: boolean;
      readonly id?: number;
      readonly outgoing?: boolean;
      readonly host?: string;
      readonly isSourceNode?: boolean;
    } = {},
  ): number {
    const key = this.#nextKey++;
    const host = options.host ?? `10.0.0.${key + 1}`;
    this.torrent.handleLinkOpened(this.now, {
      key,
      peerId: new Uint8Array(20).fill(options.id ?? key + 2),
      host,
      addressKey: `${host}:${6881 + key}`,
      direction: options.outgoing === true ? "outgoing" : "incoming",
      supportsFast: options.fast ?? true,
      supportsExtended: false,
      isSourceNode: options.isSourceNode ?? false,
    });
    this.collect();
    return key;
  }

  /** The peer says `messages`. @returns what the torrent wants done about it. */
  say(peer: number, ...messages: PeerMessage[]): readonly TorrentOutput[] {
    for (const message of messages) this.torrent.handleMessage(this.now, peer, message);
    return this.collect();
  }

  request(peer: number, ...blocks: BlockRef[]): readonly TorrentOutput[] {
    this.torrent.handleRequests(this.now, peer, blocks);
    return this.collect();
  }

  /** The peer sends `block`. */
  give(peer: number, block: BlockRef): readonly TorrentOutput[] {
    const wasKept = this.torrent.wantsBlock(peer, block);
    this.torrent.handleBlock(this.now, peer, block, wasKept);
    this.torrent.handleReadEnd(this.now, peer);
    return this.collect();
  }

  /** Time passes, in steps of a second. */
  wait(milliseconds: number): readonly TorrentOutput[] {
    const from = this.outputs.length;
    for (const end = this.now + milliseconds; this.now < end; ) {
      this.now = Math.min(end, this.now + 1000);
      this.torrent.handleTimeout(this.now);
      this.collect();
    }
    return this.outputs.slice(from);
  }

  collect(): readonly TorrentOutput[] {
    const outputs = this.torrent.takeOutputs();
    this.outputs.push(...outputs);
    return outputs;
  }

  /** Why the torrent closed the connection to `peer`, or undefined. */
  whyClosed(peer: number): string | undefined {
    const close = this.outputs.find((output) => output.type === "close" && output.peer === peer);
    return close?.type === "close" ? close.why : undefined;
  }
}

/** Blocks that `outputs` ask `peer` for. */
export function requestedFrom(peer: number, outputs: readonly TorrentOutput[]): BlockRef[] {
  return outputs.flatMap((output) =>
    output.type === "request" && output.peer === peer ? [...output.blocks] : [],
  );
}

/** Messages that `outputs` send to `peer`. */
export function sentTo(peer: number, outputs: readonly TorrentOutput[]): PeerMessage[] {
  return outputs.flatMap((output) =>
    output.type === "send" && output.peer === peer ? [output.message] : [],
  );
}
