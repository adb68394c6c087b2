/** The accepting side (B) of message stream encryption. */
import { concatBytes } from "../../base/bytes.ts";
import {
  encodeCryptoBits,
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

/** Clients put their BitTorrent handshake there, 68 bytes. */
const MAX_INITIAL_LENGTH = 1024;

/**
 * The torrent whose HASH('req2', info hash) is `hidden`; undefined when there is none for the other
 * side, which then learns nothing.
 */
export type FindTorrent = (hidden: Uint8Array) => Uint8Array | undefined;

/**
 * Begins to accept. What follows is plain when the other side allows that, since encryption costs both
 * a pass over every byte; else it is RC4.
 */
export function acceptMse(crypto: MseCrypto, findTorrent: FindTorrent): MseHandshake {
  return new MseHandshake((stream) => accept(stream, crypto, findTorrent));
}

function* accept(stream: MseStream, crypto: MseCrypto, findTorrent: FindTorrent): MseScript {
  const remoteKey = yield* stream.take(KEY_LENGTH);
  const key = crypto.createKey();
  const secret = key.secretWith(remoteKey);
  if (secret === undefined) return undefined;
  stream.send(key.publicKey, randomPad(crypto));

  if (!(yield* stream.skipPast(mseHash(crypto, "req1", secret)))) return undefined;
  const masked = yield* stream.take(20);
  const infoHash = findTorrent(xorBytes(masked, mseHash(crypto, "req3", secret)));
  if (infoHash === undefined) return undefined;

  const incoming = new Rc4(mseHash(crypto, "keyA", secret, infoHash));
  const outgoing = new Rc4(mseHash(crypto, "keyB", secret, infoHash));
  const head = incoming.apply(yield* stream.take(VC_LENGTH + 6));
  const padLength = readUint16(head, VC_LENGTH + 4);
  if (head.subarray(0, VC_LENGTH).some((byte) => byte !== 0)) return undefined;
  if (padLength > MAX_PAD_LENGTH) return undefined;
  incoming.apply(yield* stream.take(padLength));
  const initialLength = readUint16(incoming.apply(yield* stream.take(2)), 0);
  if (initialLength > MAX_INITIAL_LENGTH) return undefined;
  const initial = incoming.apply(yield* stream.take(initialLength));

  const provided = head[VC_LENGTH + 3] as number;
  const selected = provided & PLAINTEXT || provided & RC4;
  if (selected === 0) return undefined;
  stream.send(outgoing.apply(encodeCryptoBits(selected, randomPad(crypto))));
  const rest = stream.takeRest();
  if (selected === RC4) incoming.apply(rest);
  const ciphers = selected === RC4 ? { incoming, outgoing } : undefined;
  return { infoHash, ciphers, received: concatBytes([initial, rest]) };
}
