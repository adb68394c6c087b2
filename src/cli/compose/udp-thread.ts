/**
 * A thread of the Tracker's UDP door: it has a socket of its own on the port that all share, answers
 * who has not proved an address, and passes everything else on to the Tracker through shared memory.
 */
import process from "node:process";
import { parentPort, workerData } from "node:worker_threads";
import { nodeMemory } from "../../adapters/node/answer-memory.ts";
import { type ReturnAddress, UdpTrackerSocket } from "../../adapters/node/udp-tracker-socket.ts";
import { assert } from "../../base/assert.ts";
import type { IpBytes } from "../../base/ip-address.ts";
import { SharedRing } from "../../base/shared-ring.ts";
import { UdpGate } from "../../tracker/udp-gate.ts";
import {
  ADDRESS_ROOM,
  tagOf,
  UDP_COUNTS,
  type UdpThreadData,
  type UdpThreadMessage,
} from "./udp-thread-link.ts";

/** Packets that wait for the Tracker at a time; who waits longer than so many others is forgotten. */
const MAX_WAITING = 4096;

const port = parentPort;
assert(port !== null, "udp-thread.ts runs in a worker thread");
const data = workerData as UdpThreadData;
const requests = new SharedRing(data.requests);
const answers = new SharedRing(data.answers);
const counts = new Float64Array(data.counts);
const waiting: { readonly number: number; readonly from: ReturnAddress }[] = [];
let lastNumber = 0;
let isToWake = false;

// All threads of a process have this clock, whenever they started.
const origin = Number(process.hrtime.bigint()) / 1e6 - performance.now();
const gate = new UdpGate({
  secret: data.secret,
  now: () => performance.now() + origin,
  memory: nodeMemory,
  maxStrangersPerSecond: data.maxStrangersPerSecond,
});

function count(type: keyof typeof UDP_COUNTS): void {
  (counts[UDP_COUNTS[type]] as number)++;
}

function say(message: UdpThreadMessage): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- A thread, not a window.
  port?.postMessage(message);
}

function answer(
  packet: Uint8Array,
  { address }: { readonly address: IpBytes },
  from: ReturnAddress,
): Uint8Array | undefined {
  const verdict = gate.judge(packet, address);
  if (verdict === "announce" || verdict === "scrape") {
    lastNumber = (lastNumber + 1) & 0x1fff_ffff;
    const tag = tagOf(lastNumber, verdict, address);
    if (requests.write(tag, address, ADDRESS_ROOM, packet)) {
      waiting[lastNumber % MAX_WAITING] = { number: lastNumber, from };
      wakeSoon();
    } else count("ignored");
    return undefined;
  }
  count(verdict === "ignored" ? "ignored" : "connect");
  return verdict === "ignored" ? undefined : verdict;
}

/** Once for all packets that came together. */
function wakeSoon(): void {
  if (isToWake) return;
  isToWake = true;
  setImmediate(() => {
    isToWake = false;
    if (requests.takeSleep()) say("wake");
  });
}

const socket = await UdpTrackerSocket.open({
  host: data.host,
  port: data.port,
  isShared: true,
  answer,
  onError: ({ message }) => say({ error: message }),
});

port.on("message", () => {
  do {
    for (let length = answers.nextLength(); length >= 0; length = answers.nextLength()) {
      const packet = Buffer.allocUnsafe(length);
      const number = answers.read(packet) >>> 2;
      const asked = waiting[number % MAX_WAITING];
      if (asked?.number === number) socket.send(packet, asked.from);
    }
  } while (!answers.sleep());
});
answers.sleep();
say("open");
