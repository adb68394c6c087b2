/** Joins the fast entrance of the HTTP port with the Tracker's HTTP door. */
import { nodeMemory } from "../../adapters/node/answer-memory.ts";
import type { AnnounceDoor } from "../../adapters/node/announce-entrance.ts";
import { type IpNetwork, networkHolds } from "../../base/ip-address.ts";
import type { TrackerHttpDoor } from "../../tracker/http-door.ts";

const head =
  "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nCache-Control: no-store\r\nContent-Length: ";
const keptOpen = {
  head: (bodyLength: number) => `${head}${bodyLength}\r\n\r\n`,
  memory: nodeMemory,
};
const last = {
  head: (bodyLength: number) => `${head}${bodyLength}\r\nConnection: close\r\n\r\n`,
  memory: nodeMemory,
};

/** What answers plain announces; connections of `trustedProxies` are read by the HTTP server. */
export function announceDoor(
  door: TrackerHttpDoor,
  trustedProxies: readonly IpNetwork[],
): AnnounceDoor {
  return {
    answer: (announce, ends, isLast) => door.announce(announce, ends, isLast ? last : keptOpen),
    isProxy: (address) => trustedProxies.some((network) => networkHolds(network, address)),
  };
}
