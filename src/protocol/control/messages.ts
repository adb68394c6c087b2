/**
 * Messages of the control link, version 1, as JSON: SourceNodes and Announcers ask, the Tracker
 * answers. All but `hello`, `status` and `swarm` have an id that the answer repeats. What does not fit
 * exactly is malformed; both sides agreed on the version before.
 */
import { fail, ok, type Result } from "../../base/errors.ts";
import type { InfoHash } from "../../base/units.ts";
import { isAccessUpdate, sourceOrders } from "./access-messages.ts";
import type { AccessUpdate, SourceOrder } from "./access-values.ts";
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
  isText,
} from "./guards.ts";
import type { HeldState } from "./participation.ts";
import { isHeldState, isSwarmParticipation } from "./participation-messages.ts";
import type {
  KnownSource,
  Registration,
  SourceHello,
  SourceStatus,
  SwarmCounts,
  SwarmReport,
} from "./values.ts";
import { isHost, isInfoHash, isPort } from "./value-guards.ts";

/** Goes up with every change that an older side would misunderstand. */
export const CONTROL_VERSION = 1;

/** Registrations of one `register` message at most. */
export const MAX_REGISTRATIONS = 1000;
/** Swarms, sources or info hashes of one message at most. */
export const MAX_ITEMS = 200_000;

/** Who speaks to the Tracker. */
export type ControlRole = "source" | "announcer";

/** Opens the connection (Tracker). Nonces are 32 bytes in hexadecimal. */
export interface ChallengeMessage {
  readonly type: "challenge";
  readonly version: number;
  readonly nonce: string;
}

/** Proves the knowledge of the service key. MACs are 32 bytes in hexadecimal. */
export interface ProofMessage {
  readonly type: "proof";
  readonly version: number;
  readonly role: ControlRole;
  readonly nonce: string;
  readonly mac: string;
}

/** The Tracker's own proof; authenticated frames follow. */
export interface WelcomeMessage {
  readonly type: "welcome";
  readonly mac: string;
}

/** What a SourceNode or an Announcer asks, without the id. */
export type ControlRequest =
  | { readonly type: "register"; readonly registrations: readonly Registration[] }
  | { readonly type: "unregister"; readonly infoHash: InfoHash }
  | { readonly type: "counts"; readonly infoHashes: readonly InfoHash[] }
  | { readonly type: "states"; readonly infoHash: InfoHash }
  | { readonly type: "sources" }
  | { readonly type: "announce-urls" }
  | { readonly type: "access"; readonly update: AccessUpdate };

/** To the Tracker. */
export type ClientMessage =
  /** The first message of a SourceNode, and only that. */
  | { readonly type: "hello"; readonly hello: SourceHello }
  | { readonly type: "status"; readonly status: SourceStatus }
  /** What it sees of one swarm calls for another state: no waiting for the next status. */
  | { readonly type: "swarm"; readonly swarm: SwarmReport }
  | (ControlRequest & { readonly id: number });

/** What the Tracker answers, without the id. */
export type ControlResponse =
  | { readonly type: "done" }
  | { readonly type: "counts"; readonly counts: readonly TorrentCounts[] }
  | { readonly type: "states"; readonly states: readonly HeldState[] }
  | { readonly type: "sources"; readonly sources: readonly KnownSource[] }
  | { readonly type: "announce-urls"; readonly urls: readonly string[] }
  | { readonly type: "access-state"; readonly isCurrent: boolean }
  | { readonly type: "failure"; readonly code: FailureCode; readonly message: string };

/** From the Tracker. */
export type ServerMessage = ControlResponse & { readonly id: number };

/** Counts with the torrent that they belong to. */
export interface TorrentCounts extends SwarmCounts {
  readonly infoHash: InfoHash;
}

/** The error codes that a call over the link can fail with. */
export type FailureCode = (typeof failureCodes)[number];
const failureCodes = ["STORAGE_FULL", "STORAGE_IO", "UNAVAILABLE", "INTERNAL"] as const;

/** Whether an error's code can go over the link as it is. */
export const isFailureCode: Guard<FailureCode> = isOneOf(failureCodes);

const isBytes32 = isMatch(/^[0-9a-f]{64}$/);
const isVersion = isInteger();
const isId = isInteger();
const isUrl = isText(2048);
const isSourceId = isMatch(/^[0-9a-f]{1,64}$/);

const isRegistration: Guard<Registration> = isObjectOf({
  infoHash: isInfoHash,
  name: isText(255),
  contentLength: isInteger(),
  pieceCount: isInteger(),
  isPrivate: isBoolean,
});

const isHello: Guard<SourceHello> = isObjectOf({
  sourceId: isSourceId,
  peerHost: isOptional(isHost),
  peerPort: isPort,
  publicUrl: isUrl,
});

const isSwarmReport: Guard<SwarmReport> = isObjectOf({
  infoHash: isInfoHash,
  connections: isInteger(),
  sentBytes: isAmount,
  copies: isAmount,
  participation: isSwarmParticipation,
});

const isStatus: Guard<SourceStatus> = isObjectOf({
  uplinkBytesPerSecond: isAmount,
  uplinkLimitBytesPerSecond: isOptional(isAmount),
  connections: isInteger(),
  cpuFraction: isAmount,
  eventLoopDelayMs: isAmount,
  storageReadBytesPerSecond: isAmount,
  swarms: isArrayOf(isSwarmReport, MAX_ITEMS),
});

const isTorrentCounts: Guard<TorrentCounts> = isObjectOf({
  infoHash: isInfoHash,
  complete: isInteger(),
  incomplete: isInteger(),
  downloaded: isInteger(),
  participation: isOptional(isHeldState),
});

const isKnownSource: Guard<KnownSource> = isObjectOf({
  sourceId: isSourceId,
  publicUrl: isUrl,
  peerAddress: isObjectOf({ host: isHost, port: isPort }),
  isAlive: isBoolean,
  status: isOptional(isStatus),
});

const isChallenge: Guard<ChallengeMessage> = isObjectOf({
  type: isExactly("challenge"),
  version: isVersion,
  nonce: isBytes32,
});

const isProof: Guard<ProofMessage> = isObjectOf({
  type: isExactly("proof"),
  version: isVersion,
  role: isOneOf(["source", "announcer"]),
  nonce: isBytes32,
  mac: isBytes32,
});

const isWelcome: Guard<WelcomeMessage> = isObjectOf({ type: isExactly("welcome"), mac: isBytes32 });

/** For each type of message, what it holds beside the type. */
type Guards<Message extends { readonly type: string }> = {
  readonly [Type in Message["type"]]: Guard<
    Omit<Extract<Message, { readonly type: Type }>, "type">
  >;
};

const clientMessages: Guards<ClientMessage> = {
  hello: isObjectOf({ hello: isHello }),
  status: isObjectOf({ status: isStatus }),
  swarm: isObjectOf({ swarm: isSwarmReport }),
  register: isObjectOf({
    id: isId,
    registrations: isArrayOf(isRegistration, MAX_REGISTRATIONS),
  }),
  unregister: isObjectOf({ id: isId, infoHash: isInfoHash }),
  counts: isObjectOf({ id: isId, infoHashes: isArrayOf(isInfoHash, MAX_ITEMS) }),
  states: isObjectOf({ id: isId, infoHash: isInfoHash }),
  sources: isObjectOf({ id: isId }),
  "announce-urls": isObjectOf({ id: isId }),
  access: isObjectOf({ id: isId, update: isAccessUpdate }),
};

const serverMessages: Guards<ServerMessage | SourceOrder> = {
  ...sourceOrders,
  done: isObjectOf({ id: isId }),
  counts: isObjectOf({ id: isId, counts: isArrayOf(isTorrentCounts, MAX_ITEMS) }),
  states: isObjectOf({ id: isId, states: isArrayOf(isHeldState, MAX_ITEMS) }),
  sources: isObjectOf({ id: isId, sources: isArrayOf(isKnownSource, MAX_ITEMS) }),
  "announce-urls": isObjectOf({ id: isId, urls: isArrayOf(isUrl, MAX_ITEMS) }),
  "access-state": isObjectOf({ id: isId, isCurrent: isBoolean }),
  failure: isObjectOf({ id: isId, code: isFailureCode, message: isText(10_000) }),
};

/** A message as it goes over the wire. */
export function encodeControlMessage(
  message:
    | ChallengeMessage
    | ProofMessage
    | WelcomeMessage
    | ClientMessage
    | ServerMessage
    | SourceOrder,
): string {
  // JSON has neither NaN nor Infinity: a figure that could not be measured is 0.
  return JSON.stringify(message, (_key, value: unknown) =>
    typeof value === "number" && !Number.isFinite(value) ? 0 : value,
  );
}

type Parsed<Message> = Result<Message, "malformed">;

/** A message to the Tracker. */
export function parseClientMessage(text: string): Parsed<ClientMessage> {
  return parseTyped<ClientMessage>(text, clientMessages);
}

/** A message from the Tracker: an answer, or an order, which has no id. */
export function parseServerMessage(text: string): Parsed<ServerMessage | SourceOrder> {
  return parseTyped<ServerMessage | SourceOrder>(text, serverMessages);
}

/** The Tracker's first message; of any version. */
export function parseChallenge(text: string): Parsed<ChallengeMessage> {
  return parseAs(text, isChallenge);
}

/** The first message to the Tracker; of any version. */
export function parseProof(text: string): Parsed<ProofMessage> {
  return parseAs(text, isProof);
}

/** The Tracker's second message. */
export function parseWelcome(text: string): Parsed<WelcomeMessage> {
  return parseAs(text, isWelcome);
}

const isTyped = isObjectOf({ type: isText(40) });

function parseTyped<Message extends { readonly type: string }>(
  text: string,
  guards: Guards<Message>,
): Parsed<Message> {
  const value = parseJson(text);
  if (!isTyped(value)) return fail("malformed", "a control message without a type");
  const table: Readonly<Record<string, Guard<unknown>>> = guards;
  const guard = Object.hasOwn(table, value.type) ? table[value.type] : undefined;
  if (guard?.(value) === true) return ok(value as unknown as Message);
  return fail("malformed", `not a ${JSON.stringify(value.type)} message of the control link`);
}

function parseAs<Value>(text: string, guard: Guard<Value>): Parsed<Value> {
  const value = parseJson(text);
  return guard(value) ? ok(value) : fail("malformed", "not a greeting of the control link");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
