/**
 * Who may take part in which swarm: what the Tracker asks at every door, at each announce and each
 * scrape, about torrents that are registered. The access model answers from memory; it is on the hot
 * path of every announce, so it returns at once and, for those it allows, without making anything.
 */
import type { IpBytes } from "../base/ip-address.ts";
import type { InfoHash } from "../base/units.ts";
import { isKey, KeyBytes, textOfKey } from "../protocol/tracker/key.ts";

/** Who asks. The object is reused between calls: copy what is kept. */
export interface AccessAsker {
  /** Where it comes from. */
  readonly address: IpBytes;
  /** 20 bytes; undefined for a scrape. */
  readonly peerId: Uint8Array | undefined;
}

/** What was decided. Share the objects: one for all who are allowed will do. */
export type AccessDecision =
  | {
      readonly type: "allowed";
      /**
       * Who it is, a stable name without a secret, so that limits can hold per account; undefined
       * for anybody.
       */
      readonly principal: string | undefined;
    }
  | {
      readonly type: "denied";
      /** Who has a good key hears that too many peers use it; all else is denied alike. */
      readonly code: "denied" | "key-crowded";
    };

/** The access model, as the Tracker sees it. */
export interface AnnounceAccess {
  /**
   * Whether `asker` may announce or scrape `infoHash` with `key`: what stands behind `/announce/` or
   * `/scrape/` in the URL (over UDP in BEP 41's URL data, over WebSocket in the URL of the upgrade),
   * at most 128 characters, as it came. Undefined: no key. Never throws. Doors that keep connections
   * open ask again every few seconds, so a revocation shows here and nowhere else.
   */
  decide(infoHash: InfoHash, key: string | undefined, asker: AccessAsker): AccessDecision;
  /**
   * The same for a key where it lies, when it is known already that this peer may announce with it;
   * undefined: `decide` knows. Makes no text of the key.
   */
  recall?(infoHash: InfoHash, key: KeyBytes, asker: AccessAsker): AccessDecision | undefined;
  /** The peer with `key` is gone: it does not count any more. */
  leave?(key: string | undefined, peerId: Uint8Array): void;
}

/** What every door answers to those who are denied, whatever the cause (HTP-16, HTP-17, UDP-23). */
export const ACCESS_DENIED = "access denied";

const everybody: AccessDecision = { type: "allowed", principal: undefined };

/** Everybody may take part in everything that is registered; keys count for nothing. */
export const publicAccess: AnnounceAccess = { decide: () => everybody };

const denied: AccessDecision = { type: "denied", code: "denied" };

/** What `access` says of an announce with `key`; bytes that can be no key are denied (HTP-16). */
export function decideAnnounce(
  access: AnnounceAccess,
  infoHash: InfoHash,
  key: string | KeyBytes | undefined,
  asker: AccessAsker,
): AccessDecision {
  if (!(key instanceof KeyBytes)) return access.decide(infoHash, key, asker);
  const known = access.recall?.(infoHash, key, asker);
  if (known !== undefined) return known;
  const text = textOfKey(key);
  return isKey(text) ? access.decide(infoHash, text, asker) : denied;
}
