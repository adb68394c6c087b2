/**
 * A network in virtual time: hosts with access links that peers dial each other over.
 *
 * A host's uplink sends one item at a time, its connections in turns (as fair TCP flows would);
 * the item then needs the host's delay, and queues for the receiver's downlink. Who would fill that
 * queue beyond 150 ms has to wait, so that a slow receiver holds up nobody else.
 */
import { assert } from "../../base/assert.ts";
import { BtPublisherError } from "../../base/errors.ts";
import type { Millis } from "../../base/units.ts";
import type { Clock } from "../../ports/clock.ts";
import {
  addressKey,
  type IncomingDecision,
  type PeerAddress,
  type PeerTransport,
} from "../../ports/peer-transport.ts";
import type { Handshake } from "../../protocol/wire/message.ts";
import { Downlink, Uplink } from "./memory-access-link.ts";
import { createLinkPair, type LinkHost, type MemoryLink } from "./memory-link.ts";

/** A host's access link. Rates undefined mean: no limit. */
export interface HostOptions {
  readonly upBytesPerSecond?: number;
  readonly downBytesPerSecond?: number;
  /** One way, from this host to the backbone. Default 10. */
  readonly delayMs?: number;
}

const DEFAULT_DELAY_MS = 10;
const FIRST_EPHEMERAL_PORT = 49_152;

export class MemoryNetwork {
  readonly clock: Clock;
  readonly #hosts = new Map<string, MemoryHost>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** A new host with the IP address `ip`. */
  addHost(ip: string, options: HostOptions = {}): MemoryHost {
    assert(!this.#hosts.has(ip), `two hosts with the address ${ip}`);
    const host = new MemoryHost(this, ip, options);
    this.#hosts.set(ip, host);
    return host;
  }

  /** Cuts a host off: its links end, and it can neither dial nor be dialled. */
  removeHost(ip: string): void {
    const host = this.#hosts.get(ip);
    this.#hosts.delete(ip);
    host?.cutOff();
  }

  hostAt(ip: string): MemoryHost | undefined {
    return this.#hosts.get(ip);
  }
}

type OnHandshake = (remote: Handshake, address: PeerAddress) => IncomingDecision;

/** One machine of the simulated network, as the transport of the peers on it. */
export class MemoryHost implements PeerTransport, LinkHost {
  readonly ip: string;
  readonly delayMs: Millis;
  readonly #network: MemoryNetwork;
  readonly #listeners = new Map<number, OnHandshake>();
  readonly #links = new Set<MemoryLink>();
  readonly up: Uplink;
  readonly down: Downlink;
  #nextPort = FIRST_EPHEMERAL_PORT;

  constructor(network: MemoryNetwork, ip: string, options: HostOptions) {
    this.#network = network;
    this.ip = ip;
    this.delayMs = options.delayMs ?? DEFAULT_DELAY_MS;
    this.up = new Uplink(network.clock, options.upBytesPerSecond);
    this.down = new Downlink(network.clock, options.downBytesPerSecond);
  }

  get clock(): Clock {
    return this.#network.clock;
  }

  /** Whether this host is still part of the network. */
  get isOnline(): boolean {
    return this.#network.hostAt(this.ip) === this;
  }

  listen(
    options: { readonly host: string | undefined; readonly port: number },
    onHandshake: OnHandshake,
  ): Promise<{ readonly port: number; close(): Promise<void> }> {
    const port = options.port === 0 ? this.#nextPort++ : options.port;
    if (this.#listeners.has(port)) {
      const message = `port ${port} of ${this.ip} is taken`;
      return Promise.reject(new BtPublisherError("UNAVAILABLE", message));
    }
    this.#listeners.set(port, onHandshake);
    const close = () => {
      this.#listeners.delete(port);
      return Promise.resolve();
    };
    return Promise.resolve({ port, close });
  }

  connect(
    address: PeerAddress,
    handshake: Handshake,
    callbacks: Parameters<PeerTransport["connect"]>[2],
  ): { cancel(): void } {
    let isCancelled = false;
    const remote = this.#network.hostAt(address.host);
    const fail = (message: string) => {
      if (!isCancelled) callbacks.onFailure({ code: "connect-failed", message });
    };
    // TCP's and the protocol's handshakes: two round trips.
    const tripMs = this.delayMs + (remote?.delayMs ?? this.delayMs);
    this.clock.setTimer(4 * tripMs, () => {
      const onHandshake =
        remote?.isOnline === true ? remote.#listeners.get(address.port) : undefined;
      if (remote === undefined || onHandshake === undefined || !this.isOnline) {
        fail(`nobody listens on ${addressKey(address)}`);
        return;
      }
      if (isCancelled) return;
      const from = { host: this.ip, port: this.#nextPort++ };
      const decision = onHandshake(handshake, from);
      if (!decision.accept) {
        fail("the handshake was refused");
        return;
      }
      const pair = createLinkPair(
        { host: this, address: from, handshake },
        { host: remote, address, handshake: decision.handshake },
      );
      this.track(pair.dialled);
      remote.track(pair.accepted);
      decision.onLink(pair.accepted);
      callbacks.onLink(pair.dialled);
    });
    return {
      cancel: () => {
        isCancelled = true;
      },
    };
  }

  /** Remembers a link, to end it with the host. */
  track(link: MemoryLink): void {
    this.#links.add(link);
  }

  untrack(link: MemoryLink): void {
    this.#links.delete(link);
  }

  cutOff(): void {
    for (const link of this.#links) link.breakOff();
    this.#listeners.clear();
  }
}
