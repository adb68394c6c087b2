/**
 * Bencoded values (BEP 3) as views over bytes that a decoder has checked: lists and dictionaries
 * hold no children, they read them when asked. So hostile input of a few million tiny values
 * costs one outline of numbers, not a few million objects, and nothing is ever copied.
 */
import { assert } from "../../base/assert.ts";
import { parseUtf8 } from "../../base/bytes.ts";
import { COLON, DICTIONARY, END, INTEGER, LIST, ZERO } from "./syntax.ts";

/**
 * A decoded value: a byte string (a view of the input), an integer (bigint only beyond what a
 * number holds exactly), a list or a dictionary.
 */
export type BencodeValue = Uint8Array | number | bigint | BencodeList | BencodeDictionary;

/**
 * Checked input, and where its lists and dictionaries end, numbered in the order in which they
 * begin: number `n` ends before byte `ends[n]`, and `nextNumbers[n]` is the first that begins
 * after it. With these a reader steps over a value of any size at once.
 */
export interface Outline {
  readonly bytes: Uint8Array;
  readonly ends: readonly number[];
  readonly nextNumbers: readonly number[];
}

/** A list; iterate over it for its elements. */
export class BencodeList implements Iterable<BencodeValue> {
  readonly #outline: Outline;
  readonly #start: number;
  readonly #number: number;

  /** Made by the decoder: list number `number` of `outline` begins at byte `start`. */
  constructor(outline: Outline, start: number, number: number) {
    this.#outline = outline;
    this.#start = start;
    this.#number = number;
  }

  *[Symbol.iterator](): Generator<BencodeValue> {
    const reader = new Reader(this.#outline, this.#start + 1, this.#number + 1);
    while (!reader.isAtEnd) yield reader.readValue();
  }
}

/**
 * A dictionary. Keys are byte strings; `get` and its kin take them as a string with one character
 * per byte, which for BEP keys is just their text. A value of another type than asked for reads as
 * undefined, as an absent one does.
 */
export class BencodeDictionary {
  readonly #outline: Outline;
  readonly #start: number;
  readonly #number: number;

  /** Made by the decoder: dictionary number `number` of `outline` begins at byte `start`. */
  constructor(outline: Outline, start: number, number: number) {
    this.#outline = outline;
    this.#start = start;
    this.#number = number;
  }

  /** Keys (raw bytes) and values in the order of the input. */
  *entries(): Generator<readonly [key: Uint8Array, value: BencodeValue]> {
    const reader = this.#reader();
    while (!reader.isAtEnd) yield [reader.readString(), reader.readValue()];
  }

  get(key: string): BencodeValue | undefined {
    return this.#find(key)?.readValue();
  }

  has(key: string): boolean {
    return this.#find(key) !== undefined;
  }

  /** The integer at `key`, when a number holds it exactly. */
  getInteger(key: string): number | undefined {
    const value = this.get(key);
    return typeof value === "number" ? value : undefined;
  }

  /** The byte string at `key`: a view of the input. */
  getBytes(key: string): Uint8Array | undefined {
    const value = this.get(key);
    return value instanceof Uint8Array ? value : undefined;
  }

  /** The byte string at `key` as text, when it is strict UTF-8. */
  getText(key: string): string | undefined {
    const value = this.getBytes(key);
    return value === undefined ? undefined : parseUtf8(value);
  }

  getList(key: string): BencodeList | undefined {
    const value = this.get(key);
    return value instanceof BencodeList ? value : undefined;
  }

  getDictionary(key: string): BencodeDictionary | undefined {
    const value = this.get(key);
    return value instanceof BencodeDictionary ? value : undefined;
  }

  /** The value at `key` still bencoded, as received: a view of the input. Info hashes are over it. */
  rawOf(key: string): Uint8Array | undefined {
    const reader = this.#find(key);
    if (reader === undefined) return undefined;
    const start = reader.position;
    reader.skipValue();
    return this.#outline.bytes.subarray(start, reader.position);
  }

  /** A reader that stands before the value of `key`. */
  #find(key: string): Reader | undefined {
    const reader = this.#reader();
    while (!reader.isAtEnd) {
      if (reader.matchString(key)) return reader;
      reader.skipValue();
    }
    return undefined;
  }

  #reader(): Reader {
    return new Reader(this.#outline, this.#start + 1, this.#number + 1);
  }
}

/**
 * Steps through checked values. Meeting anything else means that somebody changed the bytes after
 * they were checked: that is a bug, and fails as one instead of looping.
 */
export class Reader {
  /** Offset of the next byte. */
  position: number;
  readonly #outline: Outline;
  readonly #bytes: Uint8Array;
  /** Number of the next list or dictionary that begins at or after `position`. */
  #nextNumber: number;

  constructor(outline: Outline, position: number, nextNumber: number) {
    this.#outline = outline;
    this.#bytes = outline.bytes;
    this.position = position;
    this.#nextNumber = nextNumber;
  }

  /** Whether the list or dictionary that is being read has no more elements. */
  get isAtEnd(): boolean {
    return this.#bytes[this.position] === END;
  }

  readValue(): BencodeValue {
    const start = this.position;
    const number = this.#nextNumber;
    switch (this.#bytes[start]) {
      case INTEGER:
        this.position++;
        return this.#readInteger();
      case LIST:
        this.skipValue();
        return new BencodeList(this.#outline, start, number);
      case DICTIONARY:
        this.skipValue();
        return new BencodeDictionary(this.#outline, start, number);
      default:
        return this.readString();
    }
  }

  skipValue(): void {
    switch (this.#bytes[this.position]) {
      case INTEGER:
        while (this.#readByte() !== END);
        break;
      case LIST:
      case DICTIONARY:
        this.position = this.#outline.ends[this.#nextNumber] as number;
        this.#nextNumber = this.#outline.nextNumbers[this.#nextNumber] as number;
        break;
      default:
        this.#skipString();
    }
  }

  readString(): Uint8Array {
    const start = this.#skipString();
    return this.#bytes.subarray(start, this.position);
  }

  /** Reads a string and tells whether its bytes are the characters of `text`. */
  matchString(text: string): boolean {
    const start = this.#skipString();
    if (this.position - start !== text.length) return false;
    for (let i = 0; i < text.length; i++) {
      if (this.#bytes[start + i] !== text.charCodeAt(i)) return false;
    }
    return true;
  }

  /** Where the string's bytes begin; they end at `position`. */
  #skipString(): number {
    let length = 0;
    for (let byte = this.#readByte(); byte !== COLON; byte = this.#readByte()) {
      length = length * 10 + byte - ZERO;
    }
    const start = this.position;
    this.position += length;
    return start;
  }

  #readInteger(): number | bigint {
    let text = "";
    for (let byte = this.#readByte(); byte !== END; byte = this.#readByte()) {
      text += String.fromCharCode(byte);
    }
    const value = Number(text);
    return Number.isSafeInteger(value) ? value : BigInt(text);
  }

  #readByte(): number {
    const byte = this.#bytes[this.position++];
    assert(byte !== undefined, "bencoded bytes changed after they were checked");
    return byte;
  }
}
