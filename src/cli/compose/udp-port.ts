/** The Tracker's UDP port in a server process: one socket in this thread, or several threads. */
import { randomBytes } from "node:crypto";
import { nodeMemory } from "../../adapters/node/answer-memory.ts";
import { UdpTrackerSocket } from "../../adapters/node/udp-tracker-socket.ts";
import type { Tracker } from "../../tracker/tracker.ts";
import { TrackerUdpDoor } from "../../tracker/udp-door.ts";
import type { UdpCounts } from "../../tracker/tracker-metrics.ts";
import type { ServerWorld } from "./server-world.ts";
import { UdpThreads } from "./udp-threads.ts";

/** An open port. */
export interface UdpPort {
  readonly udp: UdpCounts;
  /** The port really bound. */
  readonly udpPort: number;
}

/** Opens the port with as many workers as the settings say. */
export async function openUdpPort(tracker: Tracker, world: ServerWorld): Promise<UdpPort> {
  const { clock } = world;
  const secret = randomBytes(18);
  const door = new TrackerUdpDoor(tracker, { secret, now: () => clock.now(), memory: nodeMemory });
  const isAlone = world.settings.workers === 1;
  return isAlone ? openSocket(door, world) : openThreads(door, secret, world);
}

async function openSocket(door: TrackerUdpDoor, world: ServerWorld): Promise<UdpPort> {
  const { settings, front } = world;
  const socket = await UdpTrackerSocket.open({
    host: settings.host,
    port: settings.udpPort ?? front.port,
    answer: (packet, sender) => door.answer(packet, sender),
    onError: ({ message }) => world.report({ type: "udp-failed", message }),
  });
  world.onClose(() => socket.close());
  world.health.add("udp-door", () =>
    socket.isOpen ? undefined : "it is not open any more: restart",
  );
  return { udp: door, udpPort: socket.port };
}

async function openThreads(
  door: TrackerUdpDoor,
  secret: Uint8Array,
  world: ServerWorld,
): Promise<UdpPort> {
  const { settings, front } = world;
  const { host, workers: count } = settings;
  const port = settings.udpPort ?? front.port;
  const onEvent = (event: Parameters<ServerWorld["report"]>[0]) => world.report(event);
  const threads = await UdpThreads.open({ host, port, count, secret, door, onEvent });
  world.onClose(() => threads.close());
  world.health.add("udp-door", () =>
    threads.openCount > 0 ? undefined : "all its workers died: they are started again",
  );
  const udp = {
    get counters() {
      const { connect, ignored } = threads.counters;
      return { ...door.counters, connect, ignored };
    },
  };
  return { udp, udpPort: threads.port };
}
