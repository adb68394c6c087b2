/** A whole swarm in virtual time, of the very runtime that ships. */
import { Bitfield } from "../../src/base/bitfield.ts";
import { createRandom, type Random, shuffle } from "../../src/base/random.ts";
import { TokenBucket } from "../../src/base/token-bucket.ts";
import { MemoryHttp } from "../../src/adapters/memory/memory-http.ts";
import { MemoryNetwork, type HostOptions } from "../../src/adapters/memory/memory-network.ts";
import { MemoryPieceStore } from "../../src/adapters/memory/memory-piece-store.ts";
import { VirtualClock } from "../../src/adapters/memory/virtual-clock.ts";
import type { HttpClient } from "../../src/ports/http-client.ts";
import type { PeerAddress } from "../../src/ports/peer-transport.ts";
import type { Info } from "../../src/protocol/metainfo/metainfo.ts";
import { createPeerId, isSourcePeerId } from "../../src/protocol/wire/peer-id.ts";
import { PeerHost, type TorrentRoleOptions, unlimited } from "../../src/runtime/peer-host.ts";
import type { TorrentRunner } from "../../src/runtime/torrent-runner.ts";
import { sha1 } from "./torrents.ts";

const PEER_PORT = 6881;
/** What a tracker names in one answer. */
const ANSWERED_PEERS = 50;

/** One line of the event log: virtual time, who, what. */
export type SwarmEvent = readonly [at: number, ip: string, what: string];

export interface SwarmMember {
  readonly ip: string;
  readonly address: PeerAddress;
  readonly isSource: boolean;
  readonly host: PeerHost;
  readonly runner: TorrentRunner;
  readonly store: MemoryPieceStore;
  readonly have: Bitfield;
  completedAt: number | undefined;
}

export interface MemberOptions extends HostOptions {
  readonly content?: Uint8Array;
  readonly have?: Bitfield;
  readonly role?: TorrentRoleOptions;
  readonly kind?: "peer" | "source";
  readonly maxUploadBytesPerSecond?: number;
  readonly http?: HttpClient;
  /** Changes what the member serves: a liar or a broken disk. */
  readonly corrupt?: (offset: number, bytes: Uint8Array) => void;
}

export class MemorySwarm {
  readonly clock: VirtualClock;
  readonly network: MemoryNetwork;
  readonly info: Info;
  readonly members: SwarmMember[] = [];
  readonly events: SwarmEvent[] = [];
  readonly #random: Random;

  /** `beside`: another swarm of the same world. */
  constructor(info: Info, seed: number, beside?: MemorySwarm) {
    this.clock = beside?.clock ?? new VirtualClock();
    this.network = beside?.network ?? new MemoryNetwork(this.clock);
    this.info = info;
    this.#random = createRandom(seed);
  }

  /** A member that knows nobody yet. With `content` and no `have` it is a seed. */
  async add(ip: string, options: MemberOptions = {}): Promise<SwarmMember> {
    const { pieceCount } = this.info.geometry;
    const store = new MemoryPieceStore(this.info, {
      sha1,
      ...(options.content === undefined ? {} : { content: options.content.slice() }),
    });
    const seedHave =
      options.content === undefined ? new Bitfield(pieceCount) : Bitfield.full(pieceCount);
    const have = options.have ?? seedHave;
    const { corrupt } = options;
    if (corrupt !== undefined) {
      const read = store.read.bind(store);
      store.read = async (offset, views) => {
        await read(offset, views);
        let at = offset;
        for (const view of views) {
          corrupt(at, view);
          at += view.length;
        }
      };
    }
    const random = createRandom(this.#random.nextUint32());
    const http = options.http ?? new MemoryHttp(this.clock, () => undefined);
    const ports = {
      clock: this.clock,
      transport: this.network.addHost(ip, options),
      http,
      random,
      isSourceNode: isSourcePeerId,
    };
    const host = new PeerHost(ports, {
      peerId: createPeerId(options.kind ?? "peer", random),
      clientName: "test",
      host: undefined,
      port: PEER_PORT,
      uploadLimit: new TokenBucket(options.maxUploadBytesPerSecond),
      downloadLimit: unlimited(),
    });
    await host.listen();
    return this.#join(
      host,
      { ip, isSource: options.kind === "source" },
      { store, have, role: options.role },
    );
  }

  /** The host of `other`, a member of a swarm beside, takes part here too, with `content`. */
  addTo(other: SwarmMember, content: Uint8Array, role: TorrentRoleOptions): SwarmMember {
    const store = new MemoryPieceStore(this.info, { sha1, content: content.slice() });
    const have = Bitfield.full(this.info.geometry.pieceCount);
    return this.#join(other.host, other, { store, have, role });
  }

  #join(
    host: PeerHost,
    { ip, isSource }: Pick<SwarmMember, "ip" | "isSource">,
    torrent: {
      readonly store: MemoryPieceStore;
      readonly have: Bitfield;
      readonly role: TorrentRoleOptions | undefined;
    },
  ): SwarmMember {
    const { store, have, role } = torrent;
    const member: SwarmMember = {
      ip,
      address: { host: ip, port: PEER_PORT },
      isSource,
      host,
      store,
      have,
      completedAt: undefined,
      runner: host.add(
        { info: this.info, store, have },
        {
          onPieceStored: (index) => this.#log(ip, `piece ${index}`),
          onComplete: () => {
            member.completedAt = this.clock.now();
            this.#log(ip, "complete");
          },
        },
        role,
      ),
    };
    this.members.push(member);
    return member;
  }

  /** Tells every member of the source and of a random sample of the others, as a tracker does. */
  introduceAll(): void {
    const sources = this.members.filter((member) => member.isSource);
    const peers = this.members.filter((member) => !member.isSource);
    for (const member of this.members) {
      const sample = shuffle([...peers], this.#random).slice(0, ANSWERED_PEERS);
      const told = [...sources, ...sample].filter((each) => each !== member);
      member.runner.addAddresses(told.map(({ address }) => address));
    }
  }

  /** Runs until all of `members` are complete. @returns whether they are. */
  runUntilComplete(members: readonly SwarmMember[], until = 36_000_000): Promise<boolean> {
    return this.clock.run({ isDone: () => members.every((member) => member.have.isFull), until });
  }

  #log(ip: string, what: string): void {
    this.events.push([this.clock.now(), ip, what]);
  }
}
