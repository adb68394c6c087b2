/**
 * Messages of the control link about access: the Announcer's updates to the Tracker, and the
 * Tracker's orders to SourceNodes, which have no id and no answer.
 */
import type {
  AccessUpdate,
  Admission,
  GuestAdmission,
  Revocation,
  SourceOrder,
  TorrentAccess,
  TrackerKey,
} from "./access-values.ts";
import {
  type Guard,
  isAmount,
  isArrayOf,
  isBoolean,
  isExactly,
  isInteger,
  isMatch,
  isObjectOf,
  isOneOf,
  isOptional,
} from "./guards.ts";
import { participationOrders } from "./participation-messages.ts";
import { isHost, isInfoHash } from "./value-guards.ts";

/** Torrents, keys or admissions of one message at most. */
const MAX_ITEMS = 200_000;

const isDigest = isMatch(/^[0-9a-f]{64}$/);
const isPrincipal = isMatch(/^[0-9a-z-]{1,64}$/);

const isTorrent: Guard<TorrentAccess> = isObjectOf({
  infoHash: isInfoHash,
  level: isOneOf(["open", "tracker", "admitted", "ticketed"]),
});

const isKey: Guard<TrackerKey> = isObjectOf({
  digest: isDigest,
  infoHash: isInfoHash,
  principal: isPrincipal,
  expiresAt: isOptional(isInteger()),
});

const isGuest: Guard<GuestAdmission> = isObjectOf({
  infoHash: isInfoHash,
  host: isHost,
  principal: isPrincipal,
});

const isAdmission: Guard<Admission> = isObjectOf({
  infoHash: isInfoHash,
  host: isHost,
  principal: isPrincipal,
  forMs: isAmount,
});

const isRevocation: Guard<Revocation> = isObjectOf({
  infoHash: isInfoHash,
  principal: isPrincipal,
});

/** Whether `value` is an update of what a Tracker knows about keys. */
export const isAccessUpdate: Guard<AccessUpdate> = isObjectOf({
  feed: isMatch(/^[0-9a-f]{1,64}$/),
  number: isInteger(),
  isWhole: isBoolean,
  isLast: isBoolean,
  digestKey: isDigest,
  torrents: isArrayOf(isTorrent, MAX_ITEMS),
  keys: isArrayOf(isKey, MAX_ITEMS),
  revoked: isArrayOf(isDigest, MAX_ITEMS),
  guests: isArrayOf(isGuest, MAX_ITEMS),
});

type OrderGuards = {
  readonly [Type in SourceOrder["type"]]: Guard<Extract<SourceOrder, { readonly type: Type }>>;
};

/** Checks of each order from the Tracker, by its type. */
export const sourceOrders: OrderGuards = {
  ...participationOrders,
  guard: isObjectOf({
    type: isExactly("guard"),
    torrents: isArrayOf(isTorrent, MAX_ITEMS),
    ticketKey: isOptional(isDigest),
    sourceSecret: isOptional(isDigest),
  }),
  admit: isObjectOf({ type: isExactly("admit"), admissions: isArrayOf(isAdmission, MAX_ITEMS) }),
  revoke: isObjectOf({
    type: isExactly("revoke"),
    revocations: isArrayOf(isRevocation, MAX_ITEMS),
  }),
};
