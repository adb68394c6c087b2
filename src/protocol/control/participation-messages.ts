/** Checks of what SourceNode and Tracker tell each other about participation. */
import {
  type Guard,
  isAmount,
  isArrayOf,
  isBoolean,
  isExactly,
  isInteger,
  isObjectOf,
  isOneOf,
  isOptional,
} from "./guards.ts";
import type {
  CrowdFigures,
  HeldState,
  ParticipationDecision,
  ParticipationOrder,
  ParticipationReason,
  SwarmEvidence,
  SwarmFigures,
  SwarmParticipation,
} from "./participation.ts";
import { isHost, isInfoHash, isPort } from "./value-guards.ts";

/** Newcomers of one order at most. */
const MAX_WATCHED = 1000;

const isEvidence: Guard<SwarmEvidence> = isObjectOf({
  peers: isInteger(),
  downloaders: isInteger(),
  copies: isInteger(),
  floor: isInteger(),
  pieceBelowFloor: isOptional(isObjectOf({ piece: isInteger(), copies: isInteger() })),
  hasForwarded: isBoolean,
  owedBytes: isAmount,
  sentAgoMs: isOptional(isAmount),
});

const isCrowd: Guard<CrowdFigures> = isObjectOf({
  elapsedMs: isAmount,
  gainedBytes: isAmount,
  sentBytes: isAmount,
  exchangePeak: isAmount,
});

const isFigures: Guard<SwarmFigures> = isObjectOf({
  spentBytes: isAmount,
  gainedBytes: isAmount,
  uplink: isAmount,
  directShare: isAmount,
  crowd: isOptional(isCrowd),
});

/** Whether `value` is what a SourceNode says about its part in a swarm. */
export const isSwarmParticipation: Guard<SwarmParticipation> = isObjectOf({
  evidence: isEvidence,
  figures: isFigures,
});

type Reasons = {
  readonly [Code in ParticipationReason["code"]]: Guard<
    Omit<Extract<ParticipationReason, { readonly code: Code }>, "code">
  >;
};

const reasons: Reasons = {
  "no-peer": isObjectOf({}),
  "nothing-forwarded": isObjectOf({}),
  "piece-below-floor": isObjectOf({
    piece: isInteger(),
    copies: isInteger(),
    floor: isInteger(),
  }),
  "downloader-owed": isObjectOf({ bytes: isAmount }),
  "source-sending": isObjectOf({}),
  "peers-suffice": isObjectOf({ copies: isInteger(), floor: isInteger() }),
};

const isReason: Guard<ParticipationReason> = (value): value is ParticipationReason => {
  const isCoded = isObjectOf({ code: isOneOf(Object.keys(reasons)) });
  if (!isCoded(value)) return false;
  return reasons[value.code as ParticipationReason["code"]](value);
};

/** Whether `value` is a state with its reason. */
export const isDecision: Guard<ParticipationDecision> = isObjectOf({
  state: isOneOf(["S0", "S1", "S2"]),
  reason: isReason,
});

/** Whether `value` is a state as the Tracker holds it. */
export const isHeldState: Guard<HeldState> = isObjectOf({
  state: isOneOf(["S0", "S1", "S2"]),
  reason: isReason,
  since: isAmount,
});

/** Checks of each order, by its type. */
export const participationOrders: {
  readonly [Type in ParticipationOrder["type"]]: Guard<
    Extract<ParticipationOrder, { readonly type: Type }>
  >;
} = {
  state: isObjectOf({ type: isExactly("state"), infoHash: isInfoHash, decision: isDecision }),
  watch: isObjectOf({
    type: isExactly("watch"),
    infoHash: isInfoHash,
    peers: isArrayOf(isObjectOf({ host: isHost, port: isPort }), MAX_WATCHED),
  }),
};
