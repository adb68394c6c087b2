/**
 * Control links to a Tracker on another machine, as the roles see them. A SourceNode's link
 * remembers what it registered, and says it again whenever the Tracker is back.
 */
import { BtPublisherError } from "../../base/errors.ts";
import type { InfoHash } from "../../base/units.ts";
import type { SourceOrder } from "../../protocol/control/access-values.ts";
import type {
  AnnouncerControlLink,
  KnownSource,
  Registration,
  SourceControlLink,
  SourceHello,
  SourceStatus,
  SwarmCounts,
  SwarmReport,
} from "../../ports/tracker-control.ts";
import {
  type ControlRequest,
  MAX_ITEMS,
  MAX_REGISTRATIONS,
  type ServerMessage,
} from "../../protocol/control/messages.ts";
import { ControlClient, type ControlClientOptions } from "./control-client.ts";

/** A SourceNode's link; it connects in the background. `onOrder` hears what it is told. */
export function connectSource(
  options: ControlClientOptions,
  hello: SourceHello,
  onOrder: (order: SourceOrder) => void = () => {},
): SourceControlLink {
  return new RemoteSourceLink(options, hello, onOrder);
}

/** An Announcer's link; it connects in the background. */
export function connectAnnouncer(options: ControlClientOptions): AnnouncerControlLink {
  const client = new ControlClient(options, "announcer", () => {});
  return {
    counts: async (infoHashes) => {
      const found = new Map<InfoHash, SwarmCounts>();
      for (let i = 0; i < infoHashes.length; i += MAX_ITEMS) {
        const part = infoHashes.slice(i, i + MAX_ITEMS);
        const { counts } = await ask(client, { type: "counts", infoHashes: part }, "counts");
        for (const { infoHash, ...figures } of counts) found.set(infoHash, figures);
      }
      return found;
    },
    states: async (infoHash) => (await ask(client, { type: "states", infoHash }, "states")).states,
    sources: async (): Promise<readonly KnownSource[]> =>
      (await ask(client, { type: "sources" }, "sources")).sources,
    announceUrls: async () => (await ask(client, { type: "announce-urls" }, "announce-urls")).urls,
    updateAccess: async (update) =>
      (await ask(client, { type: "access", update }, "access-state")).isCurrent,
    close: () => client.close(),
  };
}

class RemoteSourceLink implements SourceControlLink {
  readonly #options: ControlClientOptions;
  readonly #hello: SourceHello;
  readonly #client: ControlClient;
  /** What the Tracker shall know. */
  readonly #registrations = new Map<InfoHash, Registration>();
  /** What it shall forget, and has not said that it did. */
  readonly #ending = new Set<InfoHash>();

  constructor(
    options: ControlClientOptions,
    hello: SourceHello,
    onOrder: (order: SourceOrder) => void,
  ) {
    this.#options = options;
    this.#hello = hello;
    this.#client = new ControlClient(options, "source", () => this.#sayAgain(), onOrder);
  }

  async register(registration: Registration): Promise<void> {
    this.#ending.delete(registration.infoHash);
    this.#registrations.set(registration.infoHash, registration);
    await ask(this.#client, { type: "register", registrations: [registration] }, "done");
  }

  async unregister(infoHash: InfoHash): Promise<void> {
    this.#registrations.delete(infoHash);
    this.#ending.add(infoHash);
    await ask(this.#client, { type: "unregister", infoHash }, "done");
    this.#ending.delete(infoHash);
  }

  report(status: SourceStatus): void {
    const swarms = status.swarms.slice(0, MAX_ITEMS);
    this.#client.tell({ type: "status", status: { ...status, swarms } });
  }

  reportSwarm(swarm: SwarmReport): void {
    this.#client.tell({ type: "swarm", swarm });
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  #sayAgain(): void {
    this.#client.tell({ type: "hello", hello: this.#hello });
    const all = [...this.#registrations.values()];
    for (let i = 0; i < all.length; i += MAX_REGISTRATIONS) {
      const registrations = all.slice(i, i + MAX_REGISTRATIONS);
      this.#reportFailure(ask(this.#client, { type: "register", registrations }, "done"));
    }
    for (const infoHash of this.#ending) this.#reportFailure(this.unregister(infoHash));
  }

  #reportFailure(work: Promise<unknown>): void {
    work.catch((error: unknown) => {
      const isOver = error instanceof BtPublisherError && error.code === "CANCELLED";
      if (!isOver) this.#options.onEvent({ type: "failed", reason: String(error) });
    });
  }
}

/** Calls, and takes no other answer than one of type `expected`. */
async function ask<Type extends ServerMessage["type"]>(
  client: ControlClient,
  request: ControlRequest,
  expected: Type,
): Promise<Extract<ServerMessage, { readonly type: Type }>> {
  const answer = await client.call(request);
  if (answer.type === expected) {
    return answer as Extract<ServerMessage, { readonly type: Type }>;
  }
  const message = `the Tracker answered a ${request.type} request with ${answer.type}`;
  throw new BtPublisherError("INTERNAL", message);
}
