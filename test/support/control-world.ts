/** A Tracker behind a control server on loopback, real sockets in virtual time. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import type {
  ControlClientEvent,
  ControlClientOptions,
} from "../../src/adapters/node/control-client.ts";
import { ControlServer, type ControlServerEvent } from "../../src/adapters/node/control-server.ts";
import { refuseUpgrade } from "../../src/adapters/node/websocket-upgrade.ts";
import type { VirtualClock } from "../../src/adapters/memory/virtual-clock.ts";
import { createRandom } from "../../src/base/random.ts";
import type { TrackerControl } from "../../src/ports/tracker-control.ts";

export const serviceKey = new Uint8Array(32).fill(7);

/** Events in their order; `next` waits for the next one of a type, and each is given once. */
export class EventQueue<Event extends { readonly type: string }> {
  readonly #events: Event[] = [];
  readonly #waiting: { readonly type: string; readonly resolve: (event: Event) => void }[] = [];

  readonly push = (event: Event): void => {
    const at = this.#waiting.findIndex(({ type }) => type === event.type);
    if (at < 0) this.#events.push(event);
    else this.#waiting.splice(at, 1)[0]?.resolve(event);
  };

  next<Type extends Event["type"]>(type: Type): Promise<Extract<Event, { readonly type: Type }>> {
    const at = this.#events.findIndex((event) => event.type === type);
    return new Promise((resolve) => {
      const take = resolve as (event: Event) => void;
      if (at < 0) this.#waiting.push({ type, resolve: take });
      else take(this.#events.splice(at, 1)[0] as Event);
    });
  }

  count(type: Event["type"]): number {
    return this.#events.filter((event) => event.type === type).length;
  }
}

export interface ControlWorld {
  readonly url: string;
  readonly http: Server;
  readonly server: ControlServer;
  readonly events: EventQueue<ControlServerEvent>;
  /** Ends the server with all its links, as when the Tracker stops. */
  stop(): Promise<void>;
}

/** Opens a control server for `tracker` on `port` (0: any), to be stopped after the test. */
export async function openControlServer(
  t: TestContext,
  about: {
    readonly tracker: TrackerControl;
    readonly clock: VirtualClock;
    readonly key?: Uint8Array;
  },
  port = 0,
): Promise<ControlWorld> {
  const events = new EventQueue<ControlServerEvent>();
  const { tracker, clock, key = serviceKey } = about;
  const server = new ControlServer({
    tracker,
    key,
    clock,
    trustedProxies: [],
    onEvent: events.push,
  });
  const http = createServer((_request, response) => response.end("hello"));
  http.on("upgrade", (request, socket, head) => {
    if (!server.handleUpgrade(request, socket, head)) refuseUpgrade(socket, 404);
  });
  await new Promise<void>((resolve) => http.listen(port, "127.0.0.1", resolve));
  const stop = async () => {
    await server.close();
    http.closeAllConnections();
    await new Promise((resolve) => http.close(resolve));
  };
  t.after(stop);
  const { port: bound } = http.address() as AddressInfo;
  return { url: `ws://127.0.0.1:${bound}/control`, http, server, events, stop };
}

/** Options of a client in virtual time, with its events. */
export function clientOptions(
  url: string,
  clock: VirtualClock,
): ControlClientOptions & { readonly events: EventQueue<ControlClientEvent> } {
  const events = new EventQueue<ControlClientEvent>();
  return { url, clock, key: serviceKey, random: createRandom(3), onEvent: events.push, events };
}
