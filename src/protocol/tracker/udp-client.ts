/**
 * The asking side of the UDP tracker protocol (BEP 15, BEP 41). What comes back is a stranger's: an
 * answer counts only with our transaction id, and is read within bounds.
 */
import { infoHashBytes, latin1Bytes } from "../../base/bytes.ts";
import { readUint32, writeUint16, writeUint32 } from "../wire/big-endian.ts";
import {
  type AnnounceResponse,
  clampInterval,
  compactTrackerPeers,
  textForPeople,
} from "./http-parse-answer.ts";
import type { AnnounceParameters } from "./http-request.ts";
import {
  CONNECT_MAGIC_HIGH,
  CONNECT_MAGIC_LOW,
  udpActions,
  udpAnswerAt,
  udpEvents,
  udpLengths,
  udpOptions,
  udpRequestAt as at,
} from "./udp-packets.ts";

/** What a tracker sent in answer to one of our requests. */
export type UdpTrackerAnswer =
  | { readonly type: "connected"; readonly connectionId: Uint8Array }
  | { readonly type: "announced"; readonly response: AnnounceResponse }
  | { readonly type: "error"; readonly message: string };

/** Longest piece of a URL in one option of BEP 41. */
const MAX_OPTION_LENGTH = 255;

/** Asks for a connection id. */
export function encodeUdpConnect(transactionId: number): Uint8Array {
  const packet = new Uint8Array(udpLengths.connect);
  writeUint32(packet, 0, CONNECT_MAGIC_HIGH);
  writeUint32(packet, 4, CONNECT_MAGIC_LOW);
  writeUint32(packet, at.transactionId, transactionId);
  return packet;
}

/**
 * Announces. `urlPath`: path and query of the tracker's URL, which may hold a key; said in options
 * when there is one (BEP 41).
 */
export function encodeUdpAnnounce(
  ids: { readonly connectionId: Uint8Array; readonly transactionId: number },
  parameters: AnnounceParameters,
  urlPath: string,
): Uint8Array {
  const options = urlOptions(urlPath);
  const packet = new Uint8Array(udpLengths.announce + options.length);
  packet.set(ids.connectionId);
  writeUint32(packet, at.action, udpActions.announce);
  writeUint32(packet, at.transactionId, ids.transactionId);
  packet.set(infoHashBytes(parameters.infoHash), at.infoHash);
  packet.set(parameters.peerId, at.peerId);
  writeCount(packet, at.downloaded, parameters.downloaded);
  writeCount(packet, at.left, parameters.left);
  writeCount(packet, at.uploaded, parameters.uploaded);
  writeUint32(packet, at.event, udpEvents.indexOf(parameters.event));
  writeUint32(packet, at.key, parameters.key);
  writeUint32(packet, at.numWant, parameters.numWant ?? 0xffff_ffff);
  writeUint16(packet, at.port, parameters.port);
  packet.set(options, at.options);
  return packet;
}

/**
 * Reads a packet from a tracker at an address of `addressLength` bytes; undefined for what does not
 * answer the request with `transactionId` (UDP-22).
 */
export function readUdpAnswer(
  packet: Uint8Array,
  transactionId: number,
  addressLength: 4 | 16,
): UdpTrackerAnswer | undefined {
  if (packet.length < udpAnswerAt.message) return undefined;
  if (readUint32(packet, udpAnswerAt.transactionId) !== transactionId) return undefined;
  switch (readUint32(packet, udpAnswerAt.action)) {
    case udpActions.connect: {
      if (packet.length < udpLengths.connect) return undefined;
      const { connectionId } = udpAnswerAt;
      return { type: "connected", connectionId: packet.slice(connectionId, connectionId + 8) };
    }
    case udpActions.announce: {
      const response = readAnnounced(packet, addressLength);
      return response === undefined ? undefined : { type: "announced", response };
    }
    case udpActions.error: {
      const message = textForPeople(packet.subarray(udpAnswerAt.message));
      return { type: "error", message: message === "" ? "refused without a word" : message };
    }
    default:
      return undefined;
  }
}

function readAnnounced(packet: Uint8Array, addressLength: 4 | 16): AnnounceResponse | undefined {
  const entries = packet.subarray(udpAnswerAt.peers);
  const length = addressLength === 4 ? 6 : 18;
  if (packet.length < udpAnswerAt.peers || entries.length % length !== 0) return undefined;
  return {
    intervalMs: clampInterval(readUint32(packet, udpAnswerAt.interval)),
    minIntervalMs: undefined,
    complete: readUint32(packet, udpAnswerAt.seeds),
    incomplete: readUint32(packet, udpAnswerAt.leeches),
    peers: compactTrackerPeers(entries, length),
    warning: undefined,
  };
}

function urlOptions(urlPath: string): Uint8Array {
  if (urlPath === "" || urlPath === "/") return new Uint8Array(0);
  const url = latin1Bytes(urlPath);
  const options: number[] = [];
  for (let i = 0; i < url.length; i += MAX_OPTION_LENGTH) {
    const part = url.subarray(i, i + MAX_OPTION_LENGTH);
    options.push(udpOptions.urlData, part.length, ...part);
  }
  return Uint8Array.from([...options, udpOptions.end]);
}

function writeCount(packet: Uint8Array, offset: number, count: number): void {
  writeUint32(packet, offset, Math.floor(count / 2 ** 32));
  writeUint32(packet, offset + 4, count % 2 ** 32);
}
