/**
 * What we and the SourceNodes of our kind tell each other (wire/participation.ts): our reports to
 * them, and from one of them which pieces have too few copies. No download needs any of it, and
 * others neither send nor get it.
 */
import { equalBytes } from "../../base/bytes.ts";
import type { Millis } from "../../base/units.ts";
import {
  type BytesByPartner,
  encodeFloorChange,
  encodePeerReport,
  type FloorChange,
  PARTICIPATION_EXTENSION,
  parseParticipationMessage,
} from "../../protocol/wire/participation.ts";
import type { PeerKey, PeerSession } from "../peer-session/peer-session.ts";
import { RateMeter } from "../requests/rate-meter.ts";
import type { Downloads } from "./downloads.ts";
import type { FloorNews } from "./serving.ts";
import type { TorrentState } from "./torrent-state.ts";
import type { Uploads } from "./uploads.ts";

/** A report goes out this often, unless it would say the same as the one before. */
const REPORT_INTERVAL_MS: Millis = 2000;
/** A meter that is younger says little about a link. */
const MEASURE_MS: Millis = 5000;

/** Whether it is a SourceNode that says these things, as it says itself: no trust follows. */
export function isTalkingSource({ info, extensionIds }: PeerSession): boolean {
  return info.isSourceNode && extensionIds.has(PARTICIPATION_EXTENSION);
}

export class SourceTalk {
  readonly #state: TorrentState;
  readonly #downloads: Downloads;
  readonly #uploads: Uploads;
  readonly #down: LinkRate;
  readonly #up: LinkRate;
  /** Payload of connections with peers of our kind that are over. */
  readonly #gone = { down: 0, up: 0 };
  /** The one SourceNode whose word on the floor counts. */
  #teller: PeerKey | undefined;
  #reportAt: Millis = 0;
  readonly #reported = new Map<PeerKey, Uint8Array>();

  constructor(
    state: TorrentState,
    parts: { readonly downloads: Downloads; readonly uploads: Uploads },
    now: Millis,
  ) {
    this.#state = state;
    this.#downloads = parts.downloads;
    this.#uploads = parts.uploads;
    this.#down = new LinkRate(now);
    this.#up = new LinkRate(now);
  }

  /** A message of the extension came; what is not for us is ignored. */
  handleMessage(session: PeerSession, payload: Uint8Array): void {
    const { serving, geometry } = this.#state;
    const message = parseParticipationMessage(payload, geometry.pieceCount);
    if (message?.type === "report") serving?.handleReport(session.key, message.report);
    if (message?.type !== "floor" || serving !== undefined || !isTalkingSource(session)) return;
    this.#teller ??= session.key;
    if (this.#teller === session.key) this.#applyChange(message.change);
  }

  handleLinkClosed(session: PeerSession): void {
    this.#reported.delete(session.key);
    if (isOwnPeer(session)) {
      this.#gone.down += session.downloadRate.totalBytes;
      this.#gone.up += session.uploadRate.totalBytes;
    }
    if (this.#teller !== session.key) return;
    this.#teller = undefined;
    this.#state.belowFloor.clear();
  }

  /** Called about once a second: reports to SourceNodes when it is time. */
  handleCare(now: Millis): void {
    if (this.#state.serving !== undefined) return;
    this.#down.update(now, this.#downloads.downloadedBytes);
    this.#up.update(now, this.#uploads.uploadedBytes);
    if (now < this.#reportAt) return;
    this.#reportAt = now + REPORT_INTERVAL_MS;
    const sources = [...this.#state.peers.values()].filter(isTalkingSource);
    if (sources.length === 0) return;
    const payload = this.#makeReport();
    for (const source of sources) {
      const last = this.#reported.get(source.key);
      if (last !== undefined && equalBytes(last, payload)) continue;
      this.#reported.set(source.key, payload);
      this.#send(source, payload);
    }
  }

  /** Tells peers of our kind what a SourceNode of ours has to say. */
  tell(news: FloorNews): void {
    const payload = encodeFloorChange(news.change);
    for (const key of news.peers) {
      const session = this.#state.peers.get(key);
      if (session !== undefined) this.#send(session, payload);
    }
  }

  #send(session: PeerSession, payload: Uint8Array): void {
    const id = session.extensionIds.get(PARTICIPATION_EXTENSION);
    if (id !== undefined) this.#state.send(session, { type: "extended", id, payload });
  }

  #applyChange({ isFresh, below, enough }: FloorChange): void {
    const { belowFloor } = this.#state;
    if (isFresh) belowFloor.clear();
    for (const { first, count } of below) {
      for (let piece = first; piece < first + count; piece++) belowFloor.add(piece);
    }
    for (const { first, count } of enough) {
      for (let piece = first; piece < first + count; piece++) belowFloor.remove(piece);
    }
  }

  #makeReport(): Uint8Array {
    const { options, peers } = this.#state;
    const { downloadedBytes, fromSourceBytes } = this.#downloads;
    const own = { ...this.#gone };
    for (const session of peers.values()) {
      if (!isOwnPeer(session)) continue;
      own.down += session.downloadRate.totalBytes;
      own.up += session.uploadRate.totalBytes;
    }
    return encodePeerReport({
      downloaded: byPartner(downloadedBytes, fromSourceBytes, own.down),
      uploaded: byPartner(this.#uploads.uploadedBytes, 0, own.up),
      downRate: this.#down.mean,
      upRate: this.#up.mean,
      neighbours: peers.size,
      downlink: this.#down.peak,
      uplink: this.#up.peak,
      downLimit: options.downloadLimit.rateBytesPerSecond ?? 0,
      leavesWhenDone: options.leavesWhenDone ?? false,
    });
  }
}

function isOwnPeer({ info, extensionIds }: PeerSession): boolean {
  return !info.isSourceNode && extensionIds.has(PARTICIPATION_EXTENSION);
}

function byPartner(total: number, sources: number, ownPeers: number): BytesByPartner {
  return { sources, ownPeers, otherPeers: Math.max(0, total - sources - ownPeers) };
}

/** The mean rate of one direction over the last seconds, and the highest so far. */
class LinkRate {
  readonly #meter: RateMeter;
  readonly #startedAt: Millis;
  mean = 0;
  peak = 0;

  constructor(now: Millis) {
    this.#meter = new RateMeter(now);
    this.#startedAt = now;
  }

  update(now: Millis, totalBytes: number): void {
    this.#meter.add(now, totalBytes - this.#meter.totalBytes);
    this.mean = this.#meter.bytesPerSecond(now);
    if (now - this.#startedAt >= MEASURE_MS) this.peak = Math.max(this.peak, this.mean);
  }
}
