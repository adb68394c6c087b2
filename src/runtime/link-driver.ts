/** One link of a running torrent: passes what the peer does to the engine, and batches to the link. */
import { assert } from "../base/assert.ts";
import type { PeerKey } from "../engine/peer-session/peer-session.ts";
import type { Torrent } from "../engine/torrent/torrent.ts";
import type {
  BlockReader,
  LinkCloseReason,
  PeerLink,
  PeerLinkHandler,
} from "../ports/peer-transport.ts";
import type { Millis } from "../base/units.ts";
import type { Info } from "../protocol/metainfo/metainfo.ts";
import type { BlockRef } from "../protocol/metainfo/piece-geometry.ts";
import type { PeerMessage } from "../protocol/wire/message.ts";

/** What a link needs of the runner. */
export interface LinkOwner {
  readonly torrent: Torrent;
  now(): number;
  /** Where a wanted block goes in its piece buffer. */
  viewOf(block: BlockRef): Uint8Array;
  /** Carry out what the engine wants now. */
  handleReadEnd(): void;
  handleBlocksSent(blocks: readonly BlockRef[]): void;
  handleClosed(reason: LinkCloseReason): void;
}

export class LinkDriver implements PeerLinkHandler {
  readonly key: PeerKey;
  readonly link: PeerLink;
  readonly #owner: LinkOwner;
  /** Batches handed to the link and not yet sent, oldest first. */
  readonly #batches: (readonly BlockRef[])[] = [];
  /** When the read began that is being told: one look at the clock serves all its messages. */
  #readAt: Millis | undefined;

  constructor(key: PeerKey, link: PeerLink, owner: LinkOwner) {
    this.key = key;
    this.link = link;
    this.#owner = owner;
  }

  sendBlocks(blocks: readonly BlockRef[], info: Info, read: BlockReader): void {
    const offsets = blocks.map((block) => info.geometry.offsetOf(block.pieceIndex) + block.begin);
    this.#batches.push(blocks);
    this.link.sendBlocks(blocks, offsets, read);
  }

  close(why: string): void {
    this.link.close(why);
  }

  handleMessage(message: PeerMessage): void {
    this.#owner.torrent.handleMessage(this.#now(), this.key, message);
  }

  handleRequests(blocks: readonly BlockRef[]): void {
    this.#owner.torrent.handleRequests(this.#now(), this.key, blocks);
  }

  blockTarget(block: BlockRef): Uint8Array | undefined {
    return this.#owner.torrent.wantsBlock(this.key, block) ? this.#owner.viewOf(block) : undefined;
  }

  handleBlock(block: BlockRef, wasKept: boolean): void {
    this.#owner.torrent.handleBlock(this.#now(), this.key, block, wasKept);
  }

  handleBlocksSent(_payloadBytes: number): void {
    const blocks = this.#batches.shift();
    assert(blocks !== undefined, "a batch was sent that nobody handed over");
    this.#owner.torrent.handleBlocksSent(this.#owner.now(), this.key, blocks);
    this.#owner.handleBlocksSent(blocks);
    this.#owner.handleReadEnd();
  }

  handleReadEnd(): void {
    this.#owner.torrent.handleReadEnd(this.#now(), this.key);
    this.#readAt = undefined;
    this.#owner.handleReadEnd();
  }

  handleClose(reason: LinkCloseReason): void {
    this.#owner.handleClosed(reason);
  }

  #now(): Millis {
    return (this.#readAt ??= this.#owner.now());
  }
}
