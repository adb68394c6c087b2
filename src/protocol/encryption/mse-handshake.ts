/**
 * What both sides of message stream encryption share: a script that takes bytes as they come, and what
 * it needs of the world. The specification is Vuze's, "Message Stream Encryption":
 *
 *     1 A→B  Ya, PadA                    3 A→B  HASH('req1', S), HASH('req2', SKEY) ⊕ HASH('req3', S),
 *     2 B→A  Yb, PadB                           ENC(VC, crypto_provide, len(PadC), PadC, len(IA), IA)
 *                                        4 B→A  ENC(VC, crypto_select, len(PadD), PadD)
 */
import { concatBytes, equalBytes, latin1Bytes } from "../../base/bytes.ts";
import type { Rc4 } from "./rc4.ts";

/** Bytes of a public key and of the secret S. */
export const KEY_LENGTH = 96;
/** The longest pad, in bytes. */
export const MAX_PAD_LENGTH = 512;
/** The verification constant: zeros. */
export const VC_LENGTH = 8;
/** Bits of crypto_provide and crypto_select. */
export const PLAINTEXT = 1;
/** As `PLAINTEXT`. */
export const RC4 = 2;

/** One key exchange in the group of the specification. */
export interface MseKey {
  /** `KEY_LENGTH` bytes. */
  readonly publicKey: Uint8Array;
  /** The secret shared with the owner of `remoteKey`; undefined when that is no key of the group. */
  secretWith(remoteKey: Uint8Array): Uint8Array | undefined;
}

/** What the platform does for a handshake. */
export interface MseCrypto {
  sha1(parts: readonly Uint8Array[]): Uint8Array;
  randomBytes(length: number): Uint8Array;
  /** A new key. Costs a fraction of a millisecond, as does `secretWith`. */
  createKey(): MseKey;
}

/** What both sides agreed on. */
export interface MseAgreement {
  /** Of the torrent that the connection is for. */
  readonly infoHash: Uint8Array;
  /** Of all that follows; undefined: it is plain. */
  readonly ciphers: MseCiphers | undefined;
  /** What arrived behind the handshake, decrypted. */
  readonly received: Uint8Array;
}

/** Both directions of an encrypted stream. */
export interface MseCiphers {
  readonly incoming: Rc4;
  readonly outgoing: Rc4;
}

/** Where a handshake stands. `reply` is to be sent, and may be empty. */
export type MseProgress =
  | { readonly state: "waiting"; readonly reply: Uint8Array }
  | { readonly state: "agreed"; readonly reply: Uint8Array; readonly agreement: MseAgreement }
  /** The other side broke the rules or wants what is not here. Say nothing and close. */
  | { readonly state: "failed" };

/** Waits for bytes by yielding. @returns undefined when the handshake failed. */
export type MseScript = Generator<void, MseAgreement | undefined, void>;

/**
 * Bytes that arrived and bytes to send. A script takes what it waits for as soon as it is there, so
 * what is held is never longer than that.
 */
export class MseStream {
  #received: Uint8Array = new Uint8Array(0);
  #toSend: Uint8Array[] = [];

  receive(bytes: Uint8Array): void {
    this.#received = concatBytes([this.#received, bytes]);
  }

  send(...parts: readonly Uint8Array[]): void {
    this.#toSend.push(...parts);
  }

  /** All that `send` gathered. */
  takeReply(): Uint8Array {
    const reply = concatBytes(this.#toSend);
    this.#toSend = [];
    return reply;
  }

  /** All that was not taken yet. */
  takeRest(): Uint8Array {
    return this.#cut(this.#received.length);
  }

  /** The next `length` bytes, in an array of their own. */
  *take(length: number): Generator<void, Uint8Array, void> {
    while (this.#received.length < length) yield;
    return this.#cut(length);
  }

  /** Skips a pad and the `mark` behind it. @returns false when no pad is that long. */
  *skipPast(mark: Uint8Array): Generator<void, boolean, void> {
    for (let at = 0; at <= MAX_PAD_LENGTH; at++) {
      const end = at + mark.length;
      while (this.#received.length < end) yield;
      if (!equalBytes(this.#received.subarray(at, end), mark)) continue;
      this.#cut(end);
      return true;
    }
    return false;
  }

  #cut(length: number): Uint8Array {
    const bytes = this.#received.slice(0, length);
    this.#received = this.#received.subarray(length);
    return bytes;
  }
}

/** One side's handshake under way. */
export class MseHandshake {
  readonly #stream = new MseStream();
  readonly #script: MseScript;

  constructor(begin: (stream: MseStream) => MseScript) {
    this.#script = begin(this.#stream);
  }

  /** Takes what arrived; at the beginning, nothing may have. Not to be called when it is over. */
  push(bytes: Uint8Array): MseProgress {
    this.#stream.receive(bytes);
    const { done, value } = this.#script.next();
    const reply = this.#stream.takeReply();
    if (done !== true) return { state: "waiting", reply };
    return value === undefined ? { state: "failed" } : { state: "agreed", reply, agreement: value };
  }
}

/** HASH(label, ...parts). */
export function mseHash(
  crypto: MseCrypto,
  label: "req1" | "req2" | "req3" | "keyA" | "keyB",
  ...parts: readonly Uint8Array[]
): Uint8Array {
  return crypto.sha1([latin1Bytes(label), ...parts]);
}

/** `a` ⊕ `b`, of equal length. */
export function xorBytes(a: Uint8Array, b: Uint8Array): Uint8Array {
  return a.map((byte, i) => byte ^ (b[i] as number));
}

/** A pad of random length and content. */
export function randomPad(crypto: MseCrypto): Uint8Array {
  return crypto.randomBytes(readUint16(crypto.randomBytes(2), 0) % (MAX_PAD_LENGTH + 1));
}

/** VC, the bits of crypto_provide or crypto_select, and a pad behind its length. */
export function encodeCryptoBits(bits: number, pad: Uint8Array): Uint8Array {
  const head = new Uint8Array(VC_LENGTH + 6);
  head[VC_LENGTH + 3] = bits;
  head.set(encodeUint16(pad.length), VC_LENGTH + 4);
  return concatBytes([head, pad]);
}

/** Big-endian. */
export function encodeUint16(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value & 255);
}

/** As `encodeUint16`. */
export function readUint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}
