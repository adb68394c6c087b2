/**
 * Values to canonical bencoding (BEP 3): keys sorted by their raw bytes, each once. What cannot be
 * bencoded is a bug of ours, so it throws instead of writing something that nobody can read.
 */
import { compareBytes, concatBytes, utf8Bytes } from "../../base/bytes.ts";
import { BtPublisherError } from "../../base/errors.ts";
import { MAX_DEPTH, MAX_INTEGER_DIGITS } from "./syntax.ts";
import { BencodeDictionary, BencodeList } from "./value.ts";

/**
 * What can be encoded. A string, also as a key, stands for its UTF-8 bytes; keys that are not text
 * need a Map with byte keys. A dictionary's optional field is left out, not undefined.
 */
export type BencodeInput =
  | Uint8Array
  | string
  | number
  | bigint
  | BencodeList
  | BencodeDictionary
  | Bencoded
  | readonly BencodeInput[]
  | ReadonlyMap<string | Uint8Array, BencodeInput>
  | { readonly [key: string]: BencodeInput };

/** Bytes that are bencoded already and go in as they are: an info dictionary keeps its hash. */
export class Bencoded {
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
}

/**
 * The bencoding of `input`, in a new array.
 * @throws BtPublisherError BENC_ENCODE for a number that is not a safe integer, an integer of more
 * than 20 digits, a key given twice, nesting beyond 100 (so for circles) and foreign objects.
 */
export function encodeBencode(input: BencodeInput): Uint8Array {
  const writer = new Writer();
  writeValue(writer, input, 0);
  return writer.take();
}

function writeValue(writer: Writer, input: BencodeInput, depth: number): void {
  if (typeof input === "string") return writer.writeString(utf8Bytes(input));
  if (typeof input === "number" || typeof input === "bigint") return writeInteger(writer, input);
  if (input instanceof Uint8Array) return writer.writeString(input);
  if (input instanceof Bencoded) return writer.write(input.bytes);
  if (depth === MAX_DEPTH) throw impossible("lists and dictionaries nested over 100 deep");
  if (input instanceof BencodeList || Array.isArray(input)) {
    writer.writeAscii("l");
    for (const element of input) writeValue(writer, element, depth + 1);
  } else {
    writer.writeAscii("d");
    for (const [key, value] of sortedEntries(input)) {
      writer.writeString(key);
      writeValue(writer, value, depth + 1);
    }
  }
  writer.writeAscii("e");
}

function writeInteger(writer: Writer, value: number | bigint): void {
  if (typeof value === "number" && !Number.isSafeInteger(value)) {
    throw impossible(`the number ${value}`);
  }
  const text = String(value);
  if (text.length - (value < 0 ? 1 : 0) > MAX_INTEGER_DIGITS) throw impossible("a huge integer");
  writer.writeAscii(`i${text}e`);
}

type Entry = readonly [key: Uint8Array, value: BencodeInput];

function sortedEntries(input: BencodeInput): readonly Entry[] {
  const entries = entriesOf(input);
  entries.sort(([a], [b]) => compareBytes(a, b));
  for (let i = 1; i < entries.length; i++) {
    const [a, b] = [entries[i - 1] as Entry, entries[i] as Entry];
    if (compareBytes(a[0], b[0]) === 0) throw impossible("a dictionary key given twice");
  }
  return entries;
}

function entriesOf(input: BencodeInput): Entry[] {
  if (input instanceof BencodeDictionary) return [...input.entries()];
  if (!(input instanceof Map) && !isPlainObject(input)) throw impossible(describe(input));
  const pairs: Iterable<readonly [string | Uint8Array, BencodeInput]> =
    input instanceof Map ? input : Object.entries(input);
  return Array.from(pairs, ([key, value]) => [
    typeof key === "string" ? utf8Bytes(key) : key,
    value,
  ]);
}

function isPlainObject(value: unknown): value is { readonly [key: string]: BencodeInput } {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function describe(value: unknown): string {
  return typeof value === "object" && value !== null ? "a foreign object" : typeof value;
}

function impossible(what: string): BtPublisherError {
  return new BtPublisherError("BENC_ENCODE", `${what} cannot be bencoded`);
}

/**
 * Gathers output: small writes in chunks of its own, large byte strings by reference, so that the
 * hashes of a torrent's pieces are copied once, at the end.
 */
class Writer {
  static readonly #chunkLength = 16 * 1024;
  /** A string of this length or more is not copied into a chunk. */
  static readonly #largeLength = 1024;
  readonly #parts: Uint8Array[] = [];
  #chunk = new Uint8Array(512);
  #used = 0;

  writeString(bytes: Uint8Array): void {
    this.writeAscii(`${bytes.length}:`);
    this.write(bytes);
  }

  writeAscii(text: string): void {
    this.#reserve(text.length);
    for (let i = 0; i < text.length; i++) this.#chunk[this.#used++] = text.charCodeAt(i);
  }

  write(bytes: Uint8Array): void {
    if (bytes.length >= Writer.#largeLength) {
      this.#endChunk();
      this.#parts.push(bytes);
      return;
    }
    this.#reserve(bytes.length);
    this.#chunk.set(bytes, this.#used);
    this.#used += bytes.length;
  }

  /** All that was written, as one new array. */
  take(): Uint8Array {
    this.#endChunk();
    return concatBytes(this.#parts);
  }

  #reserve(length: number): void {
    if (this.#used + length <= this.#chunk.length) return;
    this.#endChunk();
    this.#chunk = new Uint8Array(Writer.#chunkLength);
  }

  /** Hands over what the chunk holds; the rest of it goes on serving. */
  #endChunk(): void {
    if (this.#used === 0) return;
    this.#parts.push(this.#chunk.subarray(0, this.#used));
    this.#chunk = this.#chunk.subarray(this.#used);
    this.#used = 0;
  }
}
