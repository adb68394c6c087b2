/**
 * Message stream encryption's key exchange and hashes.
 *
 * The powers are of BigInt: `node:crypto` takes 50 ms for its first key in this group, since it makes
 * sure that the prime is one, and then saves 0.2 ms of 0.4 a power. Its time tells somebody who can
 * measure it about the key, but what this encryption hides is only what kind of traffic it is.
 */
import { createHash, randomBytes } from "node:crypto";
import { toHex } from "../../base/bytes.ts";
import { KEY_LENGTH, type MseCrypto } from "../../protocol/encryption/mse-handshake.ts";

/** The specification's P, of 768 bits; its G is 2. */
const PRIME = BigInt(
  "0xffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74" +
    "020bbea63b139b22514a08798e3404ddef9519b3cd3a431b302b0a6df25f1437" +
    "4fe1356d6d51c245e485b576625e7ec6f44c42e9a63a36210000000000090563",
);
const GENERATOR = 2n;
/** 160 bits, as the specification recommends. */
const PRIVATE_KEY_LENGTH = 20;

/** The platform's part. */
export const mseCrypto: MseCrypto = {
  sha1(parts) {
    const hash = createHash("sha1");
    for (const part of parts) hash.update(part);
    return new Uint8Array(hash.digest());
  },
  randomBytes: (length) => new Uint8Array(randomBytes(length)),
  createKey() {
    const privateKey = toNumber(randomBytes(PRIVATE_KEY_LENGTH));
    return {
      publicKey: toKey(power(GENERATOR, privateKey)),
      secretWith(remoteKey) {
        const remote = toNumber(remoteKey);
        // 0, 1, P - 1 and above: with those anybody would know the secret.
        if (remote <= 1n || remote >= PRIME - 1n) return undefined;
        return toKey(power(remote, privateKey));
      },
    };
  },
};

/** `base` to the power of `exponent` in the group. */
function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let [square, rest] = [base, exponent]; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = (result * square) % PRIME;
    square = (square * square) % PRIME;
  }
  return result;
}

function toNumber(bytes: Uint8Array): bigint {
  return BigInt(`0x${toHex(bytes)}`);
}

function toKey(number: bigint): Uint8Array {
  return new Uint8Array(Buffer.from(number.toString(16).padStart(2 * KEY_LENGTH, "0"), "hex"));
}
