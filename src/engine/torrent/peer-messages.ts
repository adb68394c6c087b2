/**
 * What a connected peer says (BEP 3, 6, 9, 10), turned into changes of its session and of the
 * parts that care. Every handler answers with the reason to end the connection, or undefined.
 */
import { assertNever } from "../../base/assert.ts";
import { Bitfield } from "../../base/bitfield.ts";
import type { Millis } from "../../base/units.ts";
import type { Info } from "../../protocol/metainfo/metainfo.ts";
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
import {
  type CloseWhy,
  MAX_QUEUED_REQUESTS,
  OUR_EXTENSIONS,
  PARTICIPATION_ID,
  type PeerSession,
  UT_METADATA_ID,
} from "../peer-session/peer-session.ts";
import type { Chokes } from "./chokes.ts";
import type { Downloads } from "./downloads.ts";
import { isTalkingSource, type SourceTalk } from "./source-talk.ts";
import type { TorrentState } from "./torrent-state.ts";
import type { Uploads } from "./uploads.ts";

/** A pass over all pieces: as much work as many small messages. */
const LATE_PIECES_COST = 20;
/** A metadata piece is 16 KiB: as much as 160 small messages of the budget. */
const METADATA_REQUEST_COST = 20;

export class PeerMessages {
  readonly #state: TorrentState;
  readonly #info: Info;
  readonly #downloads: Downloads;
  readonly #uploads: Uploads;
  readonly #chokes: Chokes;
  readonly #talk: SourceTalk;

  constructor(
    state: TorrentState,
    info: Info,
    parts: {
      readonly downloads: Downloads;
      readonly uploads: Uploads;
      readonly chokes: Chokes;
      readonly talk: SourceTalk;
    },
  ) {
    this.#state = state;
    this.#info = info;
    this.#downloads = parts.downloads;
    this.#uploads = parts.uploads;
    this.#chokes = parts.chokes;
    this.#talk = parts.talk;
  }

  /** Says what we have and can, right after the handshake. */
  greet(session: PeerSession): void {
    const { have, options } = this.#state;
    if (this.#state.serving !== undefined) {
      if (session.info.supportsFast) this.#state.send(session, { type: "have-none" });
    } else if (session.info.supportsFast && have.isFull)
      this.#state.send(session, { type: "have-all" });
    else if (session.info.supportsFast && have.isEmpty) {
      this.#state.send(session, { type: "have-none" });
    } else if (!have.isEmpty) {
      this.#state.send(session, { type: "bitfield", bytes: have.toBytes() });
    }
    if (!session.info.supportsExtended) return;
    const payload = encodeExtensionHandshake({
      extensions: OUR_EXTENSIONS,
      clientName: options.clientName,
      listenPort: options.listenPort,
      maxRequests: MAX_QUEUED_REQUESTS,
      metadataSize: this.#info.raw.length,
    });
    this.#state.send(session, { type: "extended", id: 0, payload });
  }

  handle(now: Millis, session: PeerSession, message: PeerMessage): CloseWhy | undefined {
    const cost = message.type === "have" || message.type === "reject" ? 0 : 1;
    if (!session.budget.spend(now, cost)) return "flood";
    switch (message.type) {
      case "keep-alive":
      case "suggest":
      case "allowed-fast":
      case "port":
        return undefined;
      case "choke":
      case "unchoke":
        return this.#handleChoke(now, session, message.type === "choke");
      case "interested":
      case "not-interested":
        return this.#handleInterest(now, session, message.type === "interested");
      case "have":
        return this.#handleHave(now, session, message.pieceIndex);
      case "bitfield":
      case "have-all":
      case "have-none":
        return this.#handlePieces(now, session, message);
      case "cancel":
        this.#uploads.handleCancel(session, message.block);
        return undefined;
      case "reject":
        return this.#downloads.handleReject(now, session, message.block);
      case "extended":
        return this.#handleExtended(now, session, message);
      default:
        return assertNever(message);
    }
  }

  #handleChoke(now: Millis, session: PeerSession, isChoke: boolean): undefined {
    if (session.peerChoking === isChoke) return;
    session.peerChoking = isChoke;
    if (isChoke) this.#downloads.handleChoke(now, session);
    else this.#downloads.handleUnchoke(now, session);
  }

  #handleInterest(now: Millis, session: PeerSession, isInterested: boolean): undefined {
    if (session.peerInterested === isInterested) return;
    session.peerInterested = isInterested;
    if (isInterested) this.#chokes.handleInterested(now, session);
    else this.#chokes.handleNotInterested(now, session);
  }

  #handleHave(now: Millis, session: PeerSession, index: number): CloseWhy | undefined {
    if (!this.#state.geometry.hasPiece(index)) return "bad-index";
    // New pieces are the swarm's life; only repetitions count as chatter.
    if (session.pieces.has(index)) return session.budget.spend(now) ? undefined : "flood";
    this.#downloads.handleHave(now, session, index);
    return this.#bothSeeds(session);
  }

  #handlePieces(
    now: Millis,
    session: PeerSession,
    message: Extract<PeerMessage, { type: "bitfield" | "have-all" | "have-none" }>,
  ): CloseWhy | undefined {
    if (message.type !== "bitfield" && !session.info.supportsFast) return "unexpected-message";
    const isLate = session.saidPieces || !session.pieces.isEmpty;
    session.saidPieces = true;
    if (message.type === "have-none") return isLate ? "unexpected-message" : undefined;
    const pieces = this.#piecesOf(message);
    if (pieces === undefined) return "bad-bitfield";
    if (isLate) return this.#handleLatePieces(now, session, pieces);
    session.pieces.copyFrom(pieces);
    this.#downloads.handleAllPieces(now, session);
    return this.#bothSeeds(session);
  }

  #piecesOf(
    message: Extract<PeerMessage, { type: "bitfield" | "have-all" }>,
  ): Bitfield | undefined {
    const { pieceCount } = this.#state.geometry;
    return message.type === "have-all"
      ? Bitfield.full(pieceCount)
      : Bitfield.parse(message.bytes, pieceCount);
  }

  /** Against BEP 3, but aria2 does it: a bitfield in place of many HAVEs. It can only add. */
  #handleLatePieces(now: Millis, session: PeerSession, pieces: Bitfield): CloseWhy | undefined {
    if (session.pieces.isFull) return "unexpected-message";
    if (!session.budget.spend(now, LATE_PIECES_COST)) return "flood";
    for (const index of pieces) this.#downloads.handleHave(now, session, index);
    return this.#bothSeeds(session);
  }

  #bothSeeds(session: PeerSession): CloseWhy | undefined {
    const { have, options } = this.#state;
    const isKept = options.keepsSeeds || isTalkingSource(session);
    const isUseless = session.isSeed && have.isFull && !isKept;
    return isUseless ? "both-seeds" : undefined;
  }

  #handleExtended(
    now: Millis,
    session: PeerSession,
    message: Extract<PeerMessage, { type: "extended" }>,
  ): CloseWhy | undefined {
    if (message.id === 0) {
      const handshake = parseExtensionHandshake(message.payload);
      if (handshake === undefined) return undefined;
      session.learnExtensions(handshake.extensions);
      if (handshake.clientName !== undefined) session.clientName = handshake.clientName;
      session.window.limitTo(handshake.maxRequests);
      return undefined;
    }
    if (message.id === UT_METADATA_ID) return this.#handleMetadata(now, session, message.payload);
    if (message.id === PARTICIPATION_ID) this.#talk.handleMessage(session, message.payload);
    return undefined;
  }

  /** Serves the info dictionary (BEP 9). We have it, so we never ask. */
  #handleMetadata(now: Millis, session: PeerSession, payload: Uint8Array): CloseWhy | undefined {
    const id = session.extensionIds.get("ut_metadata");
    const request = parseMetadataMessage(payload);
    if (request?.type === "malformed") return "unexpected-message";
    if (id === undefined || request?.type !== "request") return undefined;
    if (!session.budget.spend(now, METADATA_REQUEST_COST)) return "flood";
    const { raw } = this.#info;
    const begin = request.piece * METADATA_PIECE_LENGTH;
    const answer = encodeMetadataMessage(
      begin < raw.length
        ? {
            type: "data",
            piece: request.piece,
            totalSize: raw.length,
            data: raw.subarray(begin, begin + METADATA_PIECE_LENGTH),
          }
        : { type: "reject", piece: request.piece },
    );
    this.#state.send(session, { type: "extended", id, payload: answer });
    return undefined;
  }
}
