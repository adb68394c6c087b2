/**
 * The ledger of one torrent: which piece went to which node, by which door. Pure aggregation:
 * bytes of the same node and piece add up between two `takeEntries`. `add` is on the data path of
 * a source that sends 1 GB/s, so it is one map update and makes no object.
 *
 * Invariant: the bytes of all entries taken equal the bytes added before.
 */
import { toHex } from "../base/bytes.ts";
import type { InfoHash, PieceIndex, UnixMillis } from "../base/units.ts";
import type { Door, LedgerEntry } from "../ports/content-service.ts";
import type { LedgerSummary, NodeBytes } from "../ports/ledger-store.ts";
import { addressKey, type PeerAddress } from "../ports/peer-transport.ts";
import type { PieceGeometry } from "../protocol/metainfo/piece-geometry.ts";

/**
 * Nodes that the summary names. A peer id lives for one session, so that the number of nodes ever
 * seen is the choice of strangers; 10,000 take about 2 MB.
 */
const MAX_NODES = 10_000;

/** Bytes of one piece that left for one peer. */
export interface SentToPeer {
  /** 20 bytes; best the same array for the whole connection, which makes the look-up cheap. */
  readonly peerId: Uint8Array;
  readonly address: PeerAddress;
  readonly pieceIndex: PieceIndex;
  readonly bytes: number;
}

/** One torrent's ledger. */
export class Ledger {
  readonly infoHash: InfoHash;
  readonly geometry: PieceGeometry;
  /** Bytes added since this object was made. */
  sentBytes = 0;
  readonly #nodes = new Map<string, LedgerNode>();
  /** Peers by the identity of their peer id's array: no text is built for each batch of blocks. */
  readonly #peers = new WeakMap<Uint8Array, LedgerNode>();
  /** Nodes that have something to take. */
  #pending: LedgerNode[] = [];
  #takenBytes = 0;
  #restoredBytes = 0;
  /** Ids of the peers among the nodes. */
  readonly #peerIds = new Set<string>();
  #otherNodesBytes = 0;
  readonly #bytesByDoor: Record<Door, number> = { bittorrent: 0, webseed: 0, webrtc: 0, http: 0 };
  readonly #pieceBytes: Float64Array;
  readonly #hooks: NodeHooks;

  constructor(infoHash: InfoHash, geometry: PieceGeometry) {
    this.infoHash = infoHash;
    this.geometry = geometry;
    this.#pieceBytes = new Float64Array(geometry.pieceCount);
    this.#hooks = {
      pieceLength: geometry.pieceLength,
      onFirst: (node) => this.#pending.push(node),
      onBytes: (bytes) => {
        this.sentBytes += bytes;
      },
    };
  }

  /** The node behind `address` (a host) at one of the HTTP doors. */
  nodeAt(door: Door, address: string): LedgerNode {
    return this.#node({ door, peerId: "", address, bytes: 0 });
  }

  /** Blocks left for a peer behind the door `bittorrent`. */
  add(sent: SentToPeer): void {
    let node = this.#peers.get(sent.peerId);
    if (node === undefined) {
      const address = addressKey(sent.address);
      node = this.#node({ door: "bittorrent", peerId: toHex(sent.peerId), address, bytes: 0 });
      this.#peers.set(sent.peerId, node);
    }
    node.add(sent.pieceIndex, sent.bytes);
  }

  /** One entry for each node and piece that got bytes since the call before; `at` dates them. */
  takeEntries(at: UnixMillis): readonly LedgerEntry[] {
    const entries: LedgerEntry[] = [];
    const pending = this.#pending;
    this.#pending = [];
    for (const node of pending) {
      for (const [pieceIndex, bytes] of node.takePieces()) {
        const { door, peerId, address } = node;
        entries.push({ at, infoHash: this.infoHash, door, peerId, address, pieceIndex, bytes });
        this.#count(node, pieceIndex, bytes);
      }
      this.#keep(node);
    }
    return entries;
  }

  /** Totals of what was taken, and of what was restored. */
  summary(): LedgerSummary {
    const nodes = [...this.#nodes.values()].filter((node) => node.bytes > 0);
    return {
      sentBytes: this.#takenBytes,
      bytesByDoor: { ...this.#bytesByDoor },
      nodes: nodes.map(({ door, peerId, address, bytes }) => ({ door, peerId, address, bytes })),
      otherNodesBytes: this.#otherNodesBytes,
      pieceBytes: Array.from(this.#pieceBytes),
    };
  }

  /** Bytes ever sent by each door, also those that were not taken yet. */
  get bytesByDoor(): Record<Door, number> {
    const bytes = { ...this.#bytesByDoor };
    for (const node of this.#pending) bytes[node.door] += node.pendingBytes;
    return bytes;
  }

  /** How often a piece was sent, rounded up: 1 when some of it was. */
  timesSent(pieceIndex: PieceIndex): number {
    return Math.ceil((this.#pieceBytes[pieceIndex] ?? 0) / this.geometry.lengthOf(pieceIndex));
  }

  /** Bytes ever sent: those of earlier runs, and those that were not taken yet. */
  get totalBytes(): number {
    return this.#restoredBytes + this.sentBytes;
  }

  /** Whether the peer with this id (20 bytes) had bytes from us, by the nodes that are remembered. */
  knowsPeer(peerId: Uint8Array): boolean {
    return this.#peerIds.has(toHex(peerId));
  }

  /** Content bytes sent ÷ content length: what this torrent cost its sources. */
  get copiesSent(): number {
    return this.#takenBytes / Math.max(1, this.geometry.contentLength);
  }

  /** Adds an earlier run's totals. */
  restoreSummary(earlier: LedgerSummary): void {
    this.#takenBytes += earlier.sentBytes;
    this.#restoredBytes += earlier.sentBytes;
    this.#otherNodesBytes += earlier.otherNodesBytes;
    for (const door of Object.keys(this.#bytesByDoor) as Door[]) {
      this.#bytesByDoor[door] += earlier.bytesByDoor[door];
    }
    for (const known of earlier.nodes) {
      const node = this.#node({ ...known, bytes: 0 });
      node.bytes += known.bytes;
      this.#keep(node);
    }
    for (let i = 0; i < this.#pieceBytes.length; i++) {
      this.#pieceBytes[i] = (this.#pieceBytes[i] as number) + (earlier.pieceBytes[i] ?? 0);
    }
  }

  /** Adds an entry of an earlier run to the totals. */
  restoreEntry(entry: LedgerEntry): void {
    const { door, peerId, address, pieceIndex, bytes } = entry;
    this.#restoredBytes += bytes;
    const node = this.#node({ door, peerId, address, bytes: 0 });
    this.#count(node, pieceIndex, bytes);
    this.#keep(node);
  }

  #node(identity: NodeBytes): LedgerNode {
    const key = `${identity.door} ${identity.peerId} ${identity.address}`;
    let node = this.#nodes.get(key);
    if (node === undefined) {
      node = new LedgerNode(key, identity, this.#hooks);
      this.#keep(node);
    }
    return node;
  }

  #count(node: LedgerNode, pieceIndex: PieceIndex, bytes: number): void {
    node.bytes += bytes;
    this.#takenBytes += bytes;
    this.#bytesByDoor[node.door] += bytes;
    if (this.geometry.hasPiece(pieceIndex)) {
      this.#pieceBytes[pieceIndex] = (this.#pieceBytes[pieceIndex] as number) + bytes;
    }
  }

  /** Makes `node` the most recent one, and forgets the names of the least recent above the bound. */
  #keep(node: LedgerNode): void {
    const known = this.#nodes.get(node.key);
    if (known !== undefined && known !== node) node.bytes += known.bytes;
    this.#nodes.delete(node.key);
    this.#nodes.set(node.key, node);
    if (node.peerId !== "") this.#peerIds.add(node.peerId);
    if (this.#nodes.size <= MAX_NODES) return;
    const [oldest] = this.#nodes.values();
    if (oldest === undefined) return;
    this.#nodes.delete(oldest.key);
    this.#peerIds.delete(oldest.peerId);
    this.#otherNodesBytes += oldest.bytes;
    oldest.bytes = 0;
  }
}

/** One node behind one door; get it once for a connection or response, then `add` to it. */
export class LedgerNode {
  readonly key: string;
  readonly door: Door;
  readonly peerId: string;
  readonly address: string;
  /** Bytes taken so far. */
  bytes = 0;
  #pieces = new Map<PieceIndex, number>();
  readonly #hooks: NodeHooks;

  constructor(key: string, identity: NodeBytes, hooks: NodeHooks) {
    this.key = key;
    this.door = identity.door;
    this.peerId = identity.peerId;
    this.address = identity.address;
    this.#hooks = hooks;
  }

  /** `bytes` of piece `pieceIndex` left for this node. */
  add(pieceIndex: PieceIndex, bytes: number): void {
    if (this.#pieces.size === 0) this.#hooks.onFirst(this);
    this.#pieces.set(pieceIndex, (this.#pieces.get(pieceIndex) ?? 0) + bytes);
    this.#hooks.onBytes(bytes);
  }

  /** `length` bytes from content offset `offset` on left for this node. */
  addRange(offset: number, length: number): void {
    const { pieceLength } = this.#hooks;
    const end = offset + length;
    for (let at = offset; at < end; ) {
      const pieceIndex = Math.floor(at / pieceLength);
      const next = Math.min(end, (pieceIndex + 1) * pieceLength);
      this.add(pieceIndex, next - at);
      at = next;
    }
  }

  /** Bytes that `takePieces` would return. */
  get pendingBytes(): number {
    let bytes = 0;
    for (const each of this.#pieces.values()) bytes += each;
    return bytes;
  }

  /** Bytes by piece since the call before. */
  takePieces(): ReadonlyMap<PieceIndex, number> {
    const pieces = this.#pieces;
    this.#pieces = new Map();
    return pieces;
  }
}

/** How a node reports to its ledger. */
interface NodeHooks {
  readonly pieceLength: number;
  /** It has bytes to take from now on. */
  readonly onFirst: (node: LedgerNode) => void;
  readonly onBytes: (bytes: number) => void;
}
