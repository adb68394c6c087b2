/**
 * The extension handshake (BEP 10): which extensions a peer speaks, under which ids, and what else
 * it tells about itself. Everything in it is optional and a hint, so what cannot be used is left
 * out and the rest still counts.
 */
import { parseUtf8 } from "../../base/bytes.ts";
import { decodeBencode } from "../bencode/decode.ts";
import { type BencodeInput, encodeBencode } from "../bencode/encode.ts";
import { BencodeDictionary } from "../bencode/value.ts";
import { MAX_METADATA_LENGTH } from "./ut-metadata.ts";

/** What one side tells. */
export interface ExtensionHandshake {
  /** Ids (1 … 255) under which this side wants each extension's messages, by the extension's name. */
  readonly extensions: ReadonlyMap<string, number>;
  /** Name and version, for people. */
  readonly clientName: string | undefined;
  /** Where it listens; only the side that dialled need say so. */
  readonly listenPort: number | undefined;
  /** Requests that it keeps waiting without dropping any. */
  readonly maxRequests: number | undefined;
  /** Bytes of the info dictionary (BEP 9), when it can serve it. */
  readonly metadataSize: number | undefined;
  /** Of our own peers, in torrents that want one: see ticket.ts. */
  readonly ticket?: Uint8Array | undefined;
  /** Of a SourceNode, for the ticket that it was shown: see ticket-answer.ts. */
  readonly sourceProof?: Uint8Array | undefined;
}

/** What a peer tells, with the usual value for what it left out. */
export interface RemoteExtensionHandshake extends ExtensionHandshake {
  /** 1 … 2000. */
  readonly maxRequests: number;
}

/** Names in `m` that are looked at; real clients have about ten. */
const MAX_EXTENSIONS = 64;
const MAX_NAME_LENGTH = 64;
/** What libtorrent keeps waiting, and what BEP 10 names for those who do not say. */
const DEFAULT_MAX_REQUESTS = 250;
const LARGEST_MAX_REQUESTS = 2000;

/** The payload of the extended message with id 0. */
export function encodeExtensionHandshake(handshake: ExtensionHandshake): Uint8Array {
  const { clientName, listenPort, maxRequests, metadataSize, sourceProof, ticket } = handshake;
  const dictionary = new Map<string, BencodeInput>([["m", handshake.extensions]]);
  if (sourceProof !== undefined) dictionary.set("btp_source", sourceProof);
  if (ticket !== undefined) dictionary.set("btp_ticket", ticket);
  if (metadataSize !== undefined) dictionary.set("metadata_size", metadataSize);
  if (listenPort !== undefined) dictionary.set("p", listenPort);
  if (maxRequests !== undefined) dictionary.set("reqq", maxRequests);
  if (clientName !== undefined) dictionary.set("v", clientName);
  return encodeBencode(dictionary);
}

/**
 * What a peer's payload tells, or undefined when it is no dictionary. Extensions that it disabled
 * (id 0) are left out.
 */
export function parseExtensionHandshake(payload: Uint8Array): RemoteExtensionHandshake | undefined {
  const decoded = decodeBencode(payload, { maxDepth: 16, maxTokens: 10_000 });
  if (!decoded.ok || !(decoded.value instanceof BencodeDictionary)) return undefined;
  const dictionary = decoded.value;
  const sourceProof = dictionary.getBytes("btp_source");
  const ticket = dictionary.getBytes("btp_ticket");
  return {
    extensions: parseExtensions(dictionary.getDictionary("m")),
    clientName: parseClientName(dictionary.getText("v")),
    listenPort: inRange(dictionary.getInteger("p"), 1, 65_535),
    maxRequests: parseMaxRequests(dictionary.getInteger("reqq")),
    metadataSize: inRange(dictionary.getInteger("metadata_size"), 1, MAX_METADATA_LENGTH),
    ...(sourceProof !== undefined && { sourceProof }),
    ...(ticket !== undefined && { ticket }),
  };
}

function parseExtensions(dictionary: BencodeDictionary | undefined): ReadonlyMap<string, number> {
  const extensions = new Map<string, number>();
  if (dictionary === undefined) return extensions;
  for (const [key, id] of dictionary.entries()) {
    if (extensions.size === MAX_EXTENSIONS) break;
    const name = key.length <= MAX_NAME_LENGTH ? parseUtf8(key) : undefined;
    if (name === undefined || typeof id !== "number") continue;
    if (id >= 1 && id <= 255) extensions.set(name, id);
  }
  return extensions;
}

/** Cut, and without control characters: it is shown to people and written to logs. */
function parseClientName(text: string | undefined): string | undefined {
  const name = text?.replace(/[\p{Cc}\p{Cf}]/gu, "").slice(0, MAX_NAME_LENGTH);
  return name === "" ? undefined : name;
}

function parseMaxRequests(value: number | undefined): number {
  if (value === undefined) return DEFAULT_MAX_REQUESTS;
  return Math.min(LARGEST_MAX_REQUESTS, Math.max(1, value));
}

function inRange(value: number | undefined, least: number, most: number): number | undefined {
  return value !== undefined && value >= least && value <= most ? value : undefined;
}
