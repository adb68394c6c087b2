/** Two ends of a connection in the simulated network; values travel, nothing is encoded. */
import type { BlockRef } from "../../protocol/metainfo/piece-geometry.ts";
import type { Handshake, PeerMessage } from "../../protocol/wire/message.ts";
import type {
  BlockReader,
  LinkCloseReason,
  PeerAddress,
  PeerLink,
  PeerLinkHandler,
} from "../../ports/peer-transport.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Downlink, Sending, Uplink } from "./memory-access-link.ts";

/** What a link needs of the host at one of its ends. */
export interface LinkHost {
  readonly clock: Clock;
  /** One way to the backbone. */
  readonly delayMs: number;
  readonly up: Uplink;
  readonly down: Downlink;
  /** The link is over. */
  untrack(link: MemoryLink): void;
}

interface End {
  readonly host: LinkHost;
  readonly address: PeerAddress;
  readonly handshake: Handshake;
}

/** What travels over a link, in order. */
type Item =
  | { readonly type: "message"; readonly bytes: number; readonly message: PeerMessage }
  | { readonly type: "requests"; readonly bytes: number; readonly blocks: readonly BlockRef[] }
  | {
      readonly type: "block";
      readonly bytes: number;
      readonly block: BlockRef;
      readonly offset: number;
      readonly read: BlockReader;
      /** Payload of the batch that this block ends; 0 inside a batch. */
      readonly batchBytes: number;
    };

/** Wire sizes (BEP 3): a request with its length prefix, and the head of a piece message. */
const REQUEST_BYTES = 17;
const BLOCK_HEAD_BYTES = 13;

/** Both ends of a new connection from `dialler` to `acceptor`. */
export function createLinkPair(
  dialler: End,
  acceptor: End,
): { readonly dialled: MemoryLink; readonly accepted: MemoryLink } {
  const dialled = new MemoryLink(dialler.host, acceptor, "outgoing");
  const accepted = new MemoryLink(acceptor.host, dialler, "incoming");
  dialled.join(accepted);
  accepted.join(dialled);
  return { dialled, accepted };
}

export class MemoryLink implements PeerLink {
  readonly remote: Handshake;
  readonly remoteAddress: PeerAddress;
  readonly direction: "incoming" | "outgoing";
  readonly #host: LinkHost;
  readonly #remoteHost: LinkHost;
  #other: MemoryLink | undefined;
  #handler: PeerLinkHandler | undefined;
  /** Items to send, the oldest first; `#head` is the index of the first that is not sent. */
  #queue: Item[] = [];
  #head = 0;
  #isClosed = false;
  readonly #early: Item[] = [];

  constructor(host: LinkHost, remote: End, direction: "incoming" | "outgoing") {
    this.#host = host;
    this.#remoteHost = remote.host;
    this.remote = remote.handshake;
    this.remoteAddress = remote.address;
    this.direction = direction;
  }

  join(other: MemoryLink): void {
    this.#other = other;
  }

  start(handler: PeerLinkHandler): void {
    this.#handler = handler;
    for (const item of this.#early.splice(0))
      this.#host.clock.setTimer(0, () => this.#receive(item));
  }

  send(message: PeerMessage): void {
    this.#enqueue({ type: "message", bytes: messageBytes(message), message });
  }

  sendRequests(blocks: readonly BlockRef[]): void {
    this.#enqueue({ type: "requests", bytes: REQUEST_BYTES * blocks.length, blocks });
  }

  sendBlocks(blocks: readonly BlockRef[], offsets: readonly number[], read: BlockReader): void {
    let batchBytes = 0;
    blocks.forEach((block, i) => {
      batchBytes += block.length;
      this.#enqueue({
        type: "block",
        bytes: BLOCK_HEAD_BYTES + block.length,
        block,
        offset: offsets[i] as number,
        read,
        batchBytes: i === blocks.length - 1 ? batchBytes : 0,
      });
    });
  }

  close(why: string): void {
    const other = this.#other as MemoryLink;
    if (this.#isClosed) return;
    this.#end({ code: "local", why });
    this.#host.clock.setTimer(this.#delayMs, () => other.#end({ code: "remote-closed" }));
  }

  /** The host is gone: the other end finds out after the delay, as by a reset. */
  breakOff(): void {
    this.close("host gone");
  }

  /** As a flow of the uplink: the oldest item, while there is one. */
  next(): Sending | undefined {
    const item = this.#isClosed ? undefined : this.#queue[this.#head];
    if (item === undefined) return undefined;
    return {
      bytes: item.bytes,
      startsAt: () => this.#remoteHost.down.roomAt(),
      sent: () => this.#sent(item),
    };
  }

  get #delayMs(): number {
    return this.#host.delayMs + this.#remoteHost.delayMs;
  }

  #enqueue(item: Item): void {
    if (this.#isClosed) return;
    this.#queue.push(item);
    this.#host.up.wake(this);
  }

  #sent(item: Item): void {
    if (this.#isClosed) return;
    this.#head++;
    if (this.#head > 64 && this.#head * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
    const other = this.#other as MemoryLink;
    this.#host.clock.setTimer(this.#delayMs, () => {
      this.#remoteHost.down.deliver(item.bytes, () => other.#receive(item));
    });
    if (item.type === "block" && item.batchBytes > 0) {
      this.#handler?.handleBlocksSent(item.batchBytes);
    }
  }

  #receive(item: Item): void {
    if (this.#isClosed) return;
    const handler = this.#handler;
    if (handler === undefined) {
      this.#early.push(item);
      return;
    }
    if (item.type === "block") {
      this.#receiveBlock(handler, item);
      return;
    }
    if (item.type === "message") handler.handleMessage(item.message);
    else handler.handleRequests(item.blocks);
    handler.handleReadEnd();
  }

  #receiveBlock(handler: PeerLinkHandler, item: Extract<Item, { type: "block" }>): void {
    const target = handler.blockTarget(item.block);
    const finish = () => {
      if (this.#isClosed) return;
      handler.handleBlock(item.block, target !== undefined);
      handler.handleReadEnd();
    };
    if (target === undefined) finish();
    // The sender's read: a failure ends the connection, as a broken disk would.
    else {
      const reading = item.read(item.offset, [target]) ?? Promise.resolve();
      reading.then(finish, () => this.#other?.close("read failed"));
    }
  }

  #end(reason: LinkCloseReason): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#queue = [];
    this.#host.untrack(this);
    this.#host.clock.setTimer(0, () => this.#handler?.handleClose(reason));
  }
}

/** Length on the wire (BEP 3, 6, 10). */
function messageBytes(message: PeerMessage): number {
  if (message.type === "bitfield") return 5 + message.bytes.length;
  if (message.type === "extended") return 6 + message.payload.length;
  return fixedMessageBytes[message.type];
}

const fixedMessageBytes: Readonly<
  Record<Exclude<PeerMessage["type"], "bitfield" | "extended">, number>
> = {
  "keep-alive": 4,
  choke: 5,
  unchoke: 5,
  interested: 5,
  "not-interested": 5,
  "have-all": 5,
  "have-none": 5,
  port: 7,
  have: 9,
  suggest: 9,
  "allowed-fast": 9,
  cancel: REQUEST_BYTES,
  reject: REQUEST_BYTES,
};
