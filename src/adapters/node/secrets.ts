/** Secrets by `node:crypto`: random ones, keyed digests, and argon2id for passwords. */
import {
  argon2,
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
} from "node:crypto";
import { promisify } from "node:util";
import type { Secrets } from "../../ports/secrets.ts";

/**
 * OWASP's first choice for argon2id: 46 MiB, one pass, one lane. Its second one, 19 MiB and two passes, would
 * stay with the process, once for each thread that hashed: glibc gives back at once only what exceeds 32 MiB.
 */
const cost = { memory: 47_104, passes: 1, parallelism: 1 } as const;
const SALT_BYTES = 16;
const TAG_BYTES = 32;
/** The cost of what is hashed now; what was hashed with another one is still checked. */
const PHC = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=(\d)\$([\w+/]{22,})\$([\w+/]{43,})$/;

/** Hashes at one time: each takes a thread and 46 MiB. */
const MAX_HASHES = 2;

const derive = promisify(argon2);

/** The secrets of one server. `key`: 32 bytes that nobody else knows. */
export function createSecrets(key: Uint8Array): Secrets {
  const keys = {
    token: subKey(key, "token"),
    session: subKey(key, "session"),
    passkey: subKey(key, "passkey"),
    "passkey-digest": subKey(key, "passkey digest"),
    call: subKey(key, "call"),
  };
  const sealing = subKey(key, "sealing");
  const gate = new Gate(MAX_HASHES);
  const hash = (password: string, salt: Uint8Array, parameters: typeof cost | Cost) =>
    gate.run(() =>
      derive("argon2id", {
        message: password.normalize("NFKC"),
        nonce: salt,
        tagLength: TAG_BYTES,
        ...parameters,
      }),
    );
  return {
    randomHex: (length) => randomBytes(length).toString("hex"),
    randomText: () => randomBytes(32).toString("base64url"),
    digestKey: keys["passkey-digest"].toString("hex"),
    keyedDigest: (purpose, text) => hmac(keys[purpose], text),
    seal: (context, text) => seal(hmacBytes(sealing, context), text),
    unseal: (context, sealed) => unseal(hmacBytes(sealing, context), sealed),
    digest: (text) => createHash("sha256").update(text).digest("hex"),
    isEqual,
    async hashPassword(password) {
      const salt = randomBytes(SALT_BYTES);
      const tag = await hash(password, salt, cost);
      const { memory, passes, parallelism } = cost;
      const head = `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}`;
      return `${head}$${unpadded(salt)}$${unpadded(tag)}`;
    },
    async isPassword(password, phc) {
      const known = phc === undefined ? undefined : parsePhc(phc);
      const tag = await hash(
        password,
        known?.salt ?? Buffer.alloc(SALT_BYTES),
        known?.cost ?? cost,
      );
      return known !== undefined && isEqual(unpadded(tag), unpadded(known.tag));
    },
  };
}

/** Makes digests of passkeys where only the digest key is known: at a Tracker. */
export function passkeyDigest(digestKey: string, passkey: string): string {
  return hmac(Buffer.from(digestKey, "hex"), passkey);
}

interface Cost {
  readonly memory: number;
  readonly passes: number;
  readonly parallelism: number;
}

function parsePhc(text: string) {
  const [, memory, passes, parallelism, salt = "", tag = ""] = PHC.exec(text) ?? [];
  if (memory === undefined) return undefined;
  return {
    cost: { memory: Number(memory), passes: Number(passes), parallelism: Number(parallelism) },
    salt: Buffer.from(salt, "base64"),
    tag: Buffer.from(tag, "base64"),
  };
}

function subKey(key: Uint8Array, purpose: string): Buffer {
  return Buffer.from(hkdfSync("sha256", key, "", `btpublisher ${purpose}`, 32));
}

function hmac(key: Uint8Array, text: string): string {
  return hmacBytes(key, text).toString("hex");
}

function hmacBytes(key: Uint8Array, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

const CIPHER = "aes-256-gcm";
const NONCE_BYTES = 12;
const CIPHER_TAG_BYTES = 16;

/** Nonce, tag, then as many bytes as the text has. */
function seal(key: Uint8Array, text: string): Uint8Array {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce);
  const bytes = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), bytes]);
}

function unseal(key: Uint8Array, sealed: Uint8Array): string | undefined {
  const start = NONCE_BYTES + CIPHER_TAG_BYTES;
  if (sealed.length < start) return undefined;
  const options = { authTagLength: CIPHER_TAG_BYTES };
  const decipher = createDecipheriv(CIPHER, key, sealed.subarray(0, NONCE_BYTES), options);
  decipher.setAuthTag(sealed.subarray(NONCE_BYTES, start));
  try {
    const bytes = Buffer.concat([decipher.update(sealed.subarray(start)), decipher.final()]);
    return bytes.toString("utf8");
  } catch {
    return undefined;
  }
}

function isEqual(a: string, b: string): boolean {
  const digestOf = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digestOf(a), digestOf(b));
}

function unpadded(bytes: Buffer): string {
  return bytes.toString("base64").replace(/=+$/, "");
}

/** Lets few in at a time; the others wait in their order. */
class Gate {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(size: number) {
    this.#free = size;
  }

  async run<Value>(work: () => Promise<Value>): Promise<Value> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }
}
