/** The dialling side (A) of message stream encryption. */
import { concatBytes } from "../../base/bytes.ts";
import {
  encodeCryptoBits,
  encodeUint16,
  KEY_LENGTH,
  MAX_PAD_LENGTH,
  type MseCrypto,
  MseHandshake,
  type MseScript,
  type MseStream,
  mseHash,
  PLAINTEXT,
  RC4,
  randomPad,
  readUint16,
  VC_LENGTH,
  xorBytes,
} from "./mse-handshake.ts";
import { Rc4 } from "./rc4.ts";

/** What is offered: whom it is for, and what the encrypted stream begins with. */
export interface MseOffer {
  /** 20 bytes. */
  readonly infoHash: Uint8Array;
  /** Our BitTorrent handshake: it saves a round trip. */
  readonly initial: Uint8Array;
}

/** Begins to offer both plaintext and RC4, for the other side to choose. */
export function offerMse(crypto: MseCrypto, what: MseOffer): MseHandshake {
  return new MseHandshake((stream) => offer(stream, crypto, what));
}

function* offer(stream: MseStream, crypto: MseCrypto, { infoHash, initial }: MseOffer): MseScript {
  const key = crypto.createKey();
  stream.send(key.publicKey, randomPad(crypto));
  const secret = key.secretWith(yield* stream.take(KEY_LENGTH));
  if (secret === undefined) return undefined;

  const outgoing = new Rc4(mseHash(crypto, "keyA", secret, infoHash));
  const incoming = new Rc4(mseHash(crypto, "keyB", secret, infoHash));
  const hidden = mseHash(crypto, "req2", infoHash);
  stream.send(mseHash(crypto, "req1", secret));
  stream.send(xorBytes(hidden, mseHash(crypto, "req3", secret)));
  const provided = encodeCryptoBits(PLAINTEXT | RC4, randomPad(crypto));
  const initialLength = encodeUint16(initial.length);
  stream.send(outgoing.apply(concatBytes([provided, initialLength, initial])));

  // Zeros, encrypted: what the end of their pad is known by.
  const verification = incoming.apply(new Uint8Array(VC_LENGTH));
  if (!(yield* stream.skipPast(verification))) return undefined;
  const head = incoming.apply(yield* stream.take(6));
  const selected = head[3] as number;
  const padLength = readUint16(head, 4);
  if (padLength > MAX_PAD_LENGTH) return undefined;
  if (selected !== PLAINTEXT && selected !== RC4) return undefined;
  incoming.apply(yield* stream.take(padLength));

  const received = stream.takeRest();
  if (selected === PLAINTEXT) return { infoHash, ciphers: undefined, received };
  return { infoHash, ciphers: { incoming, outgoing }, received: incoming.apply(received) };
}
