/**
 * Bencoding to values (BEP 3). One pass checks all of the input without recursion, and without
 * an allocation that its claims could inflate; what it returns is read on demand (value.ts).
 *
 * Integers and string lengths must be canonical, and keys unique, in both modes: what two readers
 * could take differently is refused. Lenient mode forgives unsorted keys, which real files have.
 */
import { latin1 } from "../../base/bytes.ts";
import { fail, type MetainfoErrorCode, ok, type Result } from "../../base/errors.ts";
import {
  COLON,
  DICTIONARY,
  END,
  INTEGER,
  isDigit,
  LIST,
  MAX_DEPTH,
  MAX_INTEGER_DIGITS,
  MINUS,
  ZERO,
} from "./syntax.ts";
import { type BencodeValue, type Outline, Reader } from "./value.ts";

/** What can be wrong with bencoding. */
export type BencodeErrorCode = Extract<MetainfoErrorCode, `BENC_${string}`>;

/** How strict to be, and how much to take. */
export interface DecodeOptions {
  /** Refuses unsorted keys, as a writer must sort them. Default false. */
  readonly isStrict?: boolean;
  /** Lists and dictionaries open at once. Default 100. */
  readonly maxDepth?: number;
  /** Values and keys in all. Default 3,000,000 (libtorrent's), enough for 10 MB of .torrent. */
  readonly maxTokens?: number;
}

/** The value that `bytes` begin with, and the offset of the byte after it. */
export interface DecodedPrefix {
  readonly value: BencodeValue;
  readonly end: number;
}

/**
 * The one value that `bytes` hold, or a BENC_* code with the offset of the first bad byte.
 * The value is a view: `bytes` must not change as long as it is used.
 */
export function decodeBencode(
  bytes: Uint8Array,
  options: DecodeOptions = {},
): Result<BencodeValue, BencodeErrorCode> {
  const prefix = decodeBencodePrefix(bytes, options);
  if (!prefix.ok) return prefix;
  const { value, end } = prefix.value;
  if (end === bytes.length) return ok(value);
  return fail("BENC_TRAILING", `${bytes.length - end} bytes follow the value, from byte ${end} on`);
}

/**
 * The value that `bytes` begin with; any bytes may follow it, as the data of ut_metadata
 * messages does (BEP 9). Otherwise as `decodeBencode`.
 */
export function decodeBencodePrefix(
  bytes: Uint8Array,
  options: DecodeOptions = {},
): Result<DecodedPrefix, BencodeErrorCode> {
  if (bytes.length === 0) return fail("BENC_EMPTY", "there are no bytes to decode");
  // A Buffer is taken for the Uint8Array that it is, so that views of it are plain ones.
  const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  const scanner = new Scanner(plain, options);
  const failure = scanner.scan();
  if (failure !== undefined) return failure;
  const outline = scanner.outline;
  return ok({ value: new Reader(outline, 0, 0).readValue(), end: scanner.position });
}

/** So many digits a number holds exactly. */
const MAX_LENGTH_DIGITS = 15;

type Failure = ReturnType<typeof fail<BencodeErrorCode>>;

/** A list or dictionary whose end has not been reached. */
interface OpenContainer {
  readonly isDictionary: boolean;
  readonly start: number;
  readonly number: number;
  /** Dictionaries: what comes next is a key (or the end). */
  awaitsKey: boolean;
  /** Dictionaries: whether keys so far ascend, and the last one; it is empty before the first. */
  isSorted: boolean;
  keyCount: number;
  lastKeyStart: number;
  lastKeyEnd: number;
}

/** Checks one value from byte 0 on. Methods return the failure that they met, if any. */
class Scanner {
  position = 0;
  readonly #bytes: Uint8Array;
  readonly #isStrict: boolean;
  readonly #maxDepth: number;
  #tokensLeft: number;
  readonly #open: OpenContainer[] = [];
  readonly #ends: number[] = [];
  readonly #nextNumbers: number[] = [];
  /** Where the string read last begins; it ends at `position`. */
  #stringStart = 0;

  constructor(bytes: Uint8Array, options: DecodeOptions) {
    this.#bytes = bytes;
    this.#isStrict = options.isStrict ?? false;
    this.#maxDepth = options.maxDepth ?? MAX_DEPTH;
    this.#tokensLeft = options.maxTokens ?? 3_000_000;
  }

  get outline(): Outline {
    return { bytes: this.#bytes, ends: this.#ends, nextNumbers: this.#nextNumbers };
  }

  scan(): Failure | undefined {
    do {
      const failure = this.#step();
      if (failure !== undefined) return failure;
    } while (this.#open.length > 0);
    return undefined;
  }

  /** One key, one string or integer, or the begin or end of a list or dictionary. */
  #step(): Failure | undefined {
    const container = this.#open.at(-1);
    const byte = this.#bytes[this.position];
    if (byte === END && container !== undefined) return this.#close(container);
    if (this.#tokensLeft-- === 0) return this.#failure("BENC_TOKENS", "too many values");
    if (container?.awaitsKey === true) return this.#scanKey(container);
    if (container?.isDictionary === true) container.awaitsKey = true;
    if (byte === INTEGER) return this.#scanInteger();
    if (byte === LIST || byte === DICTIONARY) return this.#openContainer(byte === DICTIONARY);
    return this.#scanString();
  }

  #openContainer(isDictionary: boolean): Failure | undefined {
    if (this.#open.length === this.#maxDepth) {
      return this.#failure("BENC_DEPTH", `more than ${this.#maxDepth} nested lists`);
    }
    this.#open.push({
      isDictionary,
      start: this.position,
      number: this.#ends.length,
      awaitsKey: isDictionary,
      isSorted: true,
      keyCount: 0,
      lastKeyStart: 0,
      lastKeyEnd: 0,
    });
    this.#ends.push(0);
    this.#nextNumbers.push(0);
    this.position++;
    return undefined;
  }

  #close(container: OpenContainer): Failure | undefined {
    if (container.isDictionary && !container.awaitsKey) {
      return this.#failure("BENC_SYNTAX", "a dictionary key has no value");
    }
    this.position++;
    this.#ends[container.number] = this.position;
    this.#nextNumbers[container.number] = this.#ends.length;
    this.#open.pop();
    return container.isSorted ? undefined : this.#checkUnique(container);
  }

  #scanKey(dictionary: OpenContainer): Failure | undefined {
    const keyAt = this.position;
    const failure = this.#scanString();
    if (failure !== undefined) return failure;
    const order = dictionary.keyCount === 0 ? 1 : this.#compareToLastKey(dictionary);
    if (order === 0) return this.#duplicate(keyAt);
    if (order < 0) {
      if (this.#isStrict) {
        return fail("BENC_ORDER", `the dictionary key at byte ${keyAt} is not in sorted order`);
      }
      dictionary.isSorted = false;
    }
    dictionary.keyCount++;
    dictionary.lastKeyStart = this.#stringStart;
    dictionary.lastKeyEnd = this.position;
    dictionary.awaitsKey = false;
    return undefined;
  }

  /** Order of the string just read and the dictionary's last key: raw bytes, without a copy. */
  #compareToLastKey({ lastKeyStart, lastKeyEnd }: OpenContainer): number {
    const length = this.position - this.#stringStart;
    const lastLength = lastKeyEnd - lastKeyStart;
    for (let i = 0; i < length && i < lastLength; i++) {
      const difference =
        (this.#bytes[this.#stringStart + i] as number) - (this.#bytes[lastKeyStart + i] as number);
      if (difference !== 0) return difference;
    }
    return length - lastLength;
  }

  /** Only an unsorted dictionary needs it: in a sorted one equal keys are neighbours. */
  #checkUnique({ start, number, keyCount }: OpenContainer): Failure | undefined {
    const reader = new Reader(this.outline, start + 1, number + 1);
    const keys = new Set<string>();
    for (let i = 0; i < keyCount; i++) {
      const keyAt = reader.position;
      keys.add(latin1(reader.readString()));
      if (keys.size === i) return this.#duplicate(keyAt);
      reader.skipValue();
    }
    return undefined;
  }

  #duplicate(keyAt: number): Failure {
    return fail("BENC_DUP_KEY", `the dictionary key at byte ${keyAt} is there twice`);
  }

  #scanString(): Failure | undefined {
    const start = this.position;
    let length = 0;
    while (isDigit(this.#bytes[this.position])) {
      length = length * 10 + (this.#bytes[this.position] as number) - ZERO;
      this.position++;
      if (this.position - start > MAX_LENGTH_DIGITS) {
        return this.#failure("BENC_LENGTH", "a string length has too many digits");
      }
    }
    const digitCount = this.position - start;
    const byte = this.#bytes[this.position];
    if (byte === undefined) return this.#truncated();
    if (digitCount === 0) return this.#failure("BENC_SYNTAX", `0x${byte.toString(16)} is no value`);
    if (byte !== COLON) return this.#failure("BENC_SYNTAX", "a string length has no colon");
    if (digitCount > 1 && this.#bytes[start] === ZERO) {
      return fail("BENC_LENGTH", `the string length at byte ${start} has a leading zero`);
    }
    this.position++;
    if (length > this.#bytes.length - this.position) return this.#truncated();
    this.#stringStart = this.position;
    this.position += length;
    return undefined;
  }

  #scanInteger(): Failure | undefined {
    this.position++;
    const isNegative = this.#bytes[this.position] === MINUS;
    if (isNegative) this.position++;
    const start = this.position;
    while (isDigit(this.#bytes[this.position])) {
      this.position++;
      if (this.position - start > MAX_INTEGER_DIGITS) {
        return this.#failure("BENC_INT_RANGE", `an integer has over ${MAX_INTEGER_DIGITS} digits`);
      }
    }
    const byte = this.#bytes[this.position];
    if (byte === undefined) return this.#truncated();
    const digitCount = this.position - start;
    const hasLeadingZero = this.#bytes[start] === ZERO && (digitCount > 1 || isNegative);
    if (byte !== END || digitCount === 0 || hasLeadingZero) {
      return this.#failure("BENC_INT", "an integer is not written as its decimal digits");
    }
    this.position++;
    return undefined;
  }

  #truncated(): Failure {
    return fail("BENC_TRUNCATED", `the input ends at byte ${this.#bytes.length} inside a value`);
  }

  #failure(code: BencodeErrorCode, what: string): Failure {
    return fail(code, `${what} at byte ${this.position}`);
  }
}
