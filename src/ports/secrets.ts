/** Making and checking secrets: what the access model needs of cryptography. */

/** Answers are lower-case hexadecimal where nothing else is said. */
export interface Secrets {
  /** `length` random bytes. */
  randomHex(length: number): string;
  /** A new secret of 256 bits, in the letters of base64url. */
  randomText(): string;
  /** With which key digests of passkeys are made: for Trackers, which must make them, too. */
  readonly digestKey: string;
  /** 32 bytes that only the holder of this server's access key can make of `text`. */
  keyedDigest(
    purpose: "token" | "session" | "passkey" | "passkey-digest" | "call",
    text: string,
  ): string;
  /** Encrypts `text` for whoever knows `context`, on this server: neither alone is enough. */
  seal(context: string, text: string): Uint8Array;
  /** What was sealed; undefined with another context or access key, or when it was changed. */
  unseal(context: string, sealed: Uint8Array): string | undefined;
  /** SHA-256. */
  digest(text: string): string;
  /** In a time that does not tell how far they agree. */
  isEqual(a: string, b: string): boolean;
  /** Argon2id, in the PHC string format. Takes tens of milliseconds and 46 MiB. */
  hashPassword(password: string): Promise<string>;
  /** Takes as long when `hash` is undefined, and is then false. */
  isPassword(password: string, hash: string | undefined): Promise<boolean>;
}
