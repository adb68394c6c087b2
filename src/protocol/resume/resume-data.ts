/**
 * What a download remembers about itself between two runs, as bytes. Never ahead of the disk: it
 * says what may be trusted only for content that nobody writes to any more.
 *
 *     d4:body  N:<bencoded dictionary>  4:sha1  20:<of the body>  7:version  i1ee
 */
import { Bitfield } from "../../base/bitfield.ts";
import { equalBytes, infoHashOf, parseUtf8 } from "../../base/bytes.ts";
import { fail, ok, type Result } from "../../base/errors.ts";
import type { InfoHash } from "../../base/units.ts";
import { decodeBencode } from "../bencode/decode.ts";
import { Bencoded, type BencodeInput, encodeBencode } from "../bencode/encode.ts";
import { BencodeDictionary, BencodeList } from "../bencode/value.ts";

/** The version that is written; older ones, should there be any, are read too. */
const VERSION = 1;

/** How far the content can be trusted. */
export type ResumePhase =
  /** Pieces were being written when it was saved: what is there must be hashed. */
  | "open"
  /** No more writing, but the disk may lack some of it: good until the system restarts. */
  | "closed"
  /** No more writing, and the disk has it all. */
  | "durable";

/** How a file was when the data was saved; undefined when there was none. */
export type SavedFile = { readonly size: number; readonly mtimeMicros: number } | undefined;

export interface ResumeData {
  /** Of `info`. */
  readonly infoHash: InfoHash;
  /** The info dictionary as received, so that a magnet link needs no metadata exchange again. */
  readonly info: Uint8Array;
  readonly phase: ResumePhase;
  /** Names the run of the system that it was saved in; empty when that has no name. */
  readonly boot: string;
  /** The pieces that were there, in BEP 3's layout; possibly of another length than it should be. */
  readonly pieces: Uint8Array;
  /** In content order, pad files left out. */
  readonly files: readonly SavedFile[];
  /** Tracker URLs by tier (BEP 12). */
  readonly announceTiers: readonly (readonly string[])[];
  /** Web seed URLs (BEP 19). */
  readonly webSeeds: readonly string[];
}

/** What resume data is made of; the info hash follows from the rest. */
export type ResumeFields = Omit<ResumeData, "infoHash">;

/** SHA-1, which the platform brings. */
export type Sha1 = (bytes: Uint8Array) => Uint8Array;

/** The bytes of `data`. */
export function encodeResumeData(data: ResumeFields, sha1: Sha1): Uint8Array {
  const body = encodeBencode({
    announce: data.announceTiers,
    boot: data.boot,
    files: data.files.map((file) => (file === undefined ? [] : [file.size, file.mtimeMicros])),
    info: new Bencoded(data.info),
    phase: data.phase,
    pieces: data.pieces,
    webseeds: data.webSeeds,
  } satisfies Record<string, BencodeInput>);
  return encodeBencode({ body, sha1: sha1(body), version: VERSION });
}

/**
 * The resume data in `bytes`: RESUME_BAD when they are damaged, RESUME_VERSION when a newer
 * BTPublisher wrote them. `bytes` must not change as long as the value is used.
 */
export function parseResumeData(
  bytes: Uint8Array,
  sha1: Sha1,
): Result<ResumeData, "RESUME_BAD" | "RESUME_VERSION"> {
  const envelope = decodeBencode(bytes);
  if (!envelope.ok || !(envelope.value instanceof BencodeDictionary)) return bad("no dictionary");
  const version = envelope.value.getInteger("version");
  if (version !== undefined && version > VERSION) {
    return fail(
      "RESUME_VERSION",
      `the resume data is of version ${version}; use the newer program`,
    );
  }
  const body = envelope.value.getBytes("body");
  const checksum = envelope.value.getBytes("sha1");
  if (version !== VERSION || body === undefined || checksum === undefined) return bad("no body");
  if (!equalBytes(sha1(body), checksum)) return bad("wrong checksum");
  return parseBody(body, sha1);
}

/** The pieces that `data` claims: bits beyond `pieceCount` are ignored, missing ones are not there. */
export function claimedPieces(data: ResumeData, pieceCount: number): Bitfield {
  const pieces = new Bitfield(pieceCount);
  for (let i = 0; i < pieceCount; i++) {
    if (((data.pieces[i >> 3] ?? 0) & (128 >> (i & 7))) !== 0) pieces.add(i);
  }
  return pieces;
}

function parseBody(body: Uint8Array, sha1: Sha1): Result<ResumeData, "RESUME_BAD"> {
  const decoded = decodeBencode(body);
  if (!decoded.ok || !(decoded.value instanceof BencodeDictionary)) return bad("no dictionary");
  const fields = decoded.value;
  const info = fields.getDictionary("info") === undefined ? undefined : fields.rawOf("info");
  const phase = parsePhase(fields.getText("phase"));
  const boot = fields.getText("boot");
  const pieces = fields.getBytes("pieces");
  const files = parseFiles(fields.getList("files"));
  const announceTiers = parseTiers(fields.getList("announce"));
  const webSeeds = parseTexts(fields.getList("webseeds"));
  if (info === undefined || phase === undefined || boot === undefined) return bad("field missing");
  if (pieces === undefined || files === undefined) return bad("field missing");
  if (announceTiers === undefined || webSeeds === undefined) return bad("field missing");
  const infoHash = infoHashOf(sha1(info));
  return ok({ infoHash, info, phase, boot, pieces, files, announceTiers, webSeeds });
}

function parsePhase(text: string | undefined): ResumePhase | undefined {
  return text === "open" || text === "closed" || text === "durable" ? text : undefined;
}

function parseFiles(list: BencodeList | undefined): SavedFile[] | undefined {
  if (list === undefined) return undefined;
  const files: SavedFile[] = [];
  for (const entry of list) {
    if (!(entry instanceof BencodeList)) return undefined;
    const [size, mtimeMicros, ...more] = entry;
    if (size === undefined) files.push(undefined);
    else if (typeof size !== "number" || typeof mtimeMicros !== "number") return undefined;
    else if (more.length > 0) return undefined;
    else files.push({ size, mtimeMicros });
  }
  return files;
}

function parseTiers(list: BencodeList | undefined): string[][] | undefined {
  if (list === undefined) return undefined;
  const tiers: string[][] = [];
  for (const entry of list) {
    const tier = entry instanceof BencodeList ? parseTexts(entry) : undefined;
    if (tier === undefined) return undefined;
    tiers.push(tier);
  }
  return tiers;
}

function parseTexts(list: BencodeList | undefined): string[] | undefined {
  if (list === undefined) return undefined;
  const texts: string[] = [];
  for (const entry of list) {
    const text = entry instanceof Uint8Array ? parseUtf8(entry) : undefined;
    if (text === undefined) return undefined;
    texts.push(text);
  }
  return texts;
}

function bad(reason: string): { ok: false; code: "RESUME_BAD"; message: string } {
  return fail("RESUME_BAD", `the resume data is damaged (${reason})`);
}
