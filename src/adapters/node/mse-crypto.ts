/** Message stream encryption's key exchange and hashes by `node:crypto`. */
import { createDiffieHellman, createHash, type DiffieHellman, randomBytes } from "node:crypto";
import { KEY_LENGTH, type MseCrypto } from "../../protocol/encryption/mse-handshake.ts";

/** The specification's P, of 768 bits; its G is 2. */
const PRIME =
  "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74" +
  "020bbea63b139b22514a08798e3404ddef9519b3cd3a431b302b0a6df25f1437" +
  "4fe1356d6d51c245e485b576625e7ec6f44c42e9a63a36210000000000090563";
const GENERATOR = 2;
/** 160 bits, as the specification recommends. */
const PRIVATE_KEY_LENGTH = 20;

let group: DiffieHellman | undefined;

/** The group. Made once, since checking the prime takes 50 ms; its private key changes. */
function groupWith(privateKey: Uint8Array): DiffieHellman {
  group ??= createDiffieHellman(PRIME, "hex", GENERATOR);
  group.setPrivateKey(privateKey);
  return group;
}

/** The platform's part. */
export const mseCrypto: MseCrypto = {
  sha1(parts) {
    const hash = createHash("sha1");
    for (const part of parts) hash.update(part);
    return new Uint8Array(hash.digest());
  },
  randomBytes: (length) => new Uint8Array(randomBytes(length)),
  createKey() {
    const privateKey = randomBytes(PRIVATE_KEY_LENGTH);
    const generated = groupWith(privateKey).generateKeys();
    const publicKey = new Uint8Array(KEY_LENGTH);
    publicKey.set(generated, KEY_LENGTH - generated.length);
    return {
      publicKey,
      secretWith(remoteKey) {
        try {
          return new Uint8Array(groupWith(privateKey).computeSecret(remoteKey));
        } catch {
          // 0, 1, P - 1 and above: with those anybody would know the secret.
          return undefined;
        }
      },
    };
  },
};
