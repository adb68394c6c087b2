/**
 * Messages of trackers over WebSocket, as WebTorrent speaks them: JSON in which 20 bytes are a string
 * of 20 characters below 256. Peers find each other by offers and answers (WebRTC session
 * descriptions) that the tracker passes on; they are strangers' text and are looked through.
 */
import { latin1, latin1Bytes } from "../../base/bytes.ts";
import { fail, ok, type Result } from "../../base/errors.ts";
import type { AnnounceAnswer, AnnounceEvent, ScrapeCounts } from "./announce.ts";
import { COMPACT_IPV4_LENGTH, COMPACT_IPV6_LENGTH } from "./compact-peers.ts";

/** A session description on its way. */
export interface SessionDescription {
  readonly type: "offer" | "answer";
  readonly sdp: string;
}

/** An offer to whoever the tracker picks. */
export interface WsOffer {
  /** 20 characters. */
  readonly offerId: string;
  readonly offer: SessionDescription;
}

/** An answer to an offer that somebody made. */
export interface WsAnswer {
  readonly toPeerId: string;
  readonly offerId: string;
  readonly answer: SessionDescription;
}

/** What a peer says. Ids are strings of 20 characters below 256. */
export type WsRequest =
  | {
      readonly type: "announce";
      readonly infoHash: string;
      readonly peerId: string;
      /** Bytes; undefined when it does not know. */
      readonly left: number | undefined;
      readonly event: AnnounceEvent | undefined;
      /** Undefined when it does not say: as many as there are offers. */
      readonly numWant: number | undefined;
      /**
       * Where the peer listens for TCP, 1 … 65535. Not WebTorrent's: with `compact` 1, as over HTTP, our own
       * clients ask for peers by address. Undefined: it is reached by offers alone.
       */
      readonly port: number | undefined;
      /** At most 10. */
      readonly offers: readonly WsOffer[];
    }
  | {
      readonly type: "answer";
      readonly infoHash: string;
      readonly peerId: string;
      readonly answer: WsAnswer;
    }
  /** 1 … 100 torrents. */
  | { readonly type: "scrape"; readonly infoHashes: readonly string[] };

/** Why a message is refused. */
export type WsMessageErrorCode =
  /** No JSON. */
  | "syntax"
  /** JSON, and no message at all. */
  | "shape"
  /** A message with a wrong field; its text is what to answer. */
  | "field";

/** Offers that are taken of one announce; the rest is left out. */
export const MAX_WS_OFFERS = 10;
/** Torrents of one scrape; the rest is left out. */
export const MAX_WS_SCRAPE_HASHES = 100;
/** Lines of a letter, `=`, and text without control characters; the last one may go without its end. */
const SDP = /^(?:[a-z]=[^\p{Cc}]*(?:\r?\n|$))+$/u;
/** Characters of a session description. */
const MAX_SDP_LENGTH = 16 * 1024;

type Fields = Readonly<Record<string, unknown>>;
type Parsed<Value> = Result<Value, WsMessageErrorCode>;

/** Reads one message. */
export function parseWsRequest(text: string): Parsed<WsRequest> {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return fail("syntax", "invalid JSON");
  }
  if (!isFields(message)) return fail("shape", "a message is an object");
  switch (message["action"]) {
    case "announce":
      return parseAnnounce(message);
    case "scrape":
      return parseScrape(message);
    default:
      return invalid("action");
  }
}

function parseAnnounce(message: Fields): Parsed<WsRequest> {
  const infoHash = message["info_hash"];
  const peerId = message["peer_id"];
  if (!isBinary20(infoHash)) return invalid("info_hash");
  if (!isBinary20(peerId)) return invalid("peer_id");
  if (message["answer"] !== undefined) {
    const answer = parseAnswer(message);
    return answer.ok ? ok({ type: "answer", infoHash, peerId, answer: answer.value }) : answer;
  }
  const left = message["left"] ?? undefined;
  if (left !== undefined && !isCount(left)) return invalid("left");
  const event = parseEvent(message["event"]);
  if (event === "unknown") return invalid("event");
  const numWant = message["numwant"] ?? undefined;
  if (numWant !== undefined && !isCount(numWant)) return invalid("numwant");
  const port = message["compact"] === 1 ? message["port"] : undefined;
  if (port !== undefined && !isPort(port)) return invalid("port");
  const offers = parseOffers(message["offers"] ?? []);
  if (!offers.ok) return offers;
  return ok({
    type: "announce",
    infoHash,
    peerId,
    left,
    event,
    numWant,
    port,
    offers: offers.value,
  });
}

function parseAnswer(message: Fields): Parsed<WsAnswer> {
  const toPeerId = message["to_peer_id"];
  const offerId = message["offer_id"];
  if (!isBinary20(toPeerId)) return invalid("to_peer_id");
  if (!isBinary20(offerId)) return invalid("offer_id");
  const answer = parseDescription(message["answer"], "answer");
  return answer === undefined ? invalid("answer") : ok({ toPeerId, offerId, answer });
}

function parseOffers(value: unknown): Parsed<readonly WsOffer[]> {
  if (!Array.isArray(value)) return invalid("offers");
  const offers: WsOffer[] = [];
  for (const entry of value.slice(0, MAX_WS_OFFERS) as readonly unknown[]) {
    if (!isFields(entry)) return invalid("offers");
    const offerId = entry["offer_id"];
    const offer = parseDescription(entry["offer"], "offer");
    if (!isBinary20(offerId)) return invalid("offer_id");
    if (offer === undefined) return invalid("offer");
    offers.push({ offerId, offer });
  }
  return ok(offers);
}

function parseScrape(message: Fields): Parsed<WsRequest> {
  const value = message["info_hash"];
  const hashes: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (value === undefined || hashes.length === 0) return fail("field", "full scrape disabled");
  const infoHashes = hashes.slice(0, MAX_WS_SCRAPE_HASHES);
  return infoHashes.every(isBinary20) ? ok({ type: "scrape", infoHashes }) : invalid("info_hash");
}

/** A description whose every line is one of RFC 8866: a letter, `=`, and text. */
function parseDescription(
  value: unknown,
  type: "offer" | "answer",
): SessionDescription | undefined {
  if (!isFields(value) || value["type"] !== type) return undefined;
  const sdp = value["sdp"];
  if (typeof sdp !== "string" || sdp === "" || sdp.length > MAX_SDP_LENGTH) return undefined;
  return SDP.test(sdp) ? { type, sdp } : undefined;
}

function parseEvent(value: unknown): AnnounceEvent | undefined | "unknown" {
  if (value === undefined || value === null || value === "" || value === "paused") return undefined;
  if (value === "update") return undefined;
  return value === "started" || value === "stopped" || value === "completed" ? value : "unknown";
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}

function isPort(value: unknown): value is number {
  return isCount(value) && Number.isInteger(value) && value >= 1 && value <= 65_535;
}

/** 20 bytes as a string of as many characters. */
function isBinary20(value: unknown): value is string {
  return typeof value === "string" && value.length === 20 && /^[\0-\xff]*$/.test(value);
}

function invalid(field: string): ReturnType<typeof fail<WsMessageErrorCode>> {
  return fail("field", `invalid ${field}`);
}

/** `text` as JSON in ASCII, which needs no encoding when it is sent. */
export function asciiJson(text: string): string {
  return JSON.stringify(text).replaceAll(
    /[\x7f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Answers an announce for the torrent whose info hash `asciiJson` made `infoHashJson` of. */
export function encodeWsAnnounceAnswer(
  infoHashJson: string,
  intervalSeconds: number,
  { complete, incomplete }: Pick<ScrapeCounts, "complete" | "incomplete">,
): string {
  const counts = `"complete":${complete},"incomplete":${incomplete}`;
  return `{"action":"announce","interval":${intervalSeconds},"info_hash":${infoHashJson},${counts}}`;
}

/** Answers a peer that listens for TCP: with peers as they are over HTTP (BEP 23, 7), bytes as characters. */
export function encodeWsCompactAnswer(infoHashJson: string, answer: AnnounceAnswer): string {
  const { intervalMs, counts, peerCount4, peerCount6 } = answer;
  const peers4 = new Uint8Array(peerCount4 * COMPACT_IPV4_LENGTH);
  const peers6 = new Uint8Array(peerCount6 * COMPACT_IPV6_LENGTH);
  answer.writePeers4(peers4, 0);
  answer.writePeers6(peers6, 0);
  const peers = `"peers":${asciiJson(latin1(peers4))},"peers6":${asciiJson(latin1(peers6))}`;
  const front = encodeWsAnnounceAnswer(infoHashJson, Math.ceil(intervalMs / 1000), counts);
  return `${front.slice(0, -1)},${peers}}`;
}

/** Passes an offer of `peerId` on. */
export function encodeWsOffer(infoHash: string, peerId: string, offer: WsOffer): string {
  const { offerId, offer: description } = offer;
  const ids = { offer_id: offerId, peer_id: peerId, info_hash: infoHash };
  return JSON.stringify({ action: "announce", offer: description, ...ids });
}

/** Passes an answer of `peerId` on to the one who offered. */
export function encodeWsAnswer(infoHash: string, peerId: string, answer: WsAnswer): string {
  const ids = { offer_id: answer.offerId, peer_id: peerId, info_hash: infoHash };
  return JSON.stringify({ action: "announce", answer: answer.answer, ...ids });
}

/** Answers a scrape; torrents that are not in `files` do not exist. */
export function encodeWsScrapeAnswer(files: ReadonlyMap<string, ScrapeCounts>): string {
  const entries = Array.from(files, ([infoHash, { complete, incomplete, downloaded }]) => {
    return [infoHash, { complete, incomplete, downloaded }] as const;
  });
  return JSON.stringify({ action: "scrape", files: Object.fromEntries(entries) });
}

/** Refuses, in words for the peer. */
export function encodeWsFailure(reason: string, infoHash?: string): string {
  const about = infoHash === undefined ? {} : { info_hash: infoHash };
  return JSON.stringify({ action: "announce", "failure reason": reason, ...about });
}

/** The 20 bytes that `text` stands for. */
export function bytesOfBinary(text: string): Uint8Array {
  return latin1Bytes(text);
}
