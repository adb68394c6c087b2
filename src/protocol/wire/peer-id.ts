/** Our peer ids (BEP 20, Azureus style): what kind of node, which version, then chance. */
import { latin1Bytes } from "../../base/bytes.ts";
import type { Random } from "../../base/random.ts";
import type { PeerId } from "../../base/units.ts";

/** `-BP` for a peer, `-BS` for a SourceNode, then four digits of version and a dash. */
const PREFIXES = { peer: "-BP0100-", source: "-BS0100-" } as const;

const ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/** A new peer id: 8 characters that say what we are, 12 random ones. */
export function createPeerId(kind: keyof typeof PREFIXES, random: Random): PeerId {
  let text: string = PREFIXES[kind];
  while (text.length < 20) text += ALPHABET.charAt(random.below(ALPHABET.length));
  return latin1Bytes(text);
}

/** Whether `peerId` says that it is a SourceNode's. A claim: good for figures, not for trust. */
export function isSourcePeerId(peerId: PeerId): boolean {
  return peerId[0] === 0x2d && peerId[1] === 0x42 && peerId[2] === 0x53;
}
