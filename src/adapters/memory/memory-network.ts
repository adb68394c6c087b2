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
import { createLinkPair, type MemoryLink } from "./memory-link.ts";

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
export class MemoryHost implements PeerTransport {
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

/** Something to send: how long it is, whether it may start now, and what happens when it is out. */
export interface Sending {
  readonly bytes: number;
  /** undefined: now; else when the receiver has room again. */
  startsAt(): Millis | undefined;
  sent(): void;
}

/** The flows of one uplink take turns, one item each. */
export class Uplink {
  readonly #clock: Clock;
  readonly #bytesPerSecond: number | undefined;
  /** Flows with something to send, in the order of their turns. */
  readonly #flows = new Set<{ next(): Sending | undefined }>();
  #isBusy = false;

  constructor(clock: Clock, bytesPerSecond: number | undefined) {
    this.#clock = clock;
    this.#bytesPerSecond = bytesPerSecond;
  }

  /** `flow` has something to send: `next()` gives its oldest item, until that is sent. */
  wake(flow: { next(): Sending | undefined }): void {
    this.#flows.add(flow);
    this.#send();
  }

  #send(): void {
    if (this.#isBusy) return;
    let retryAt = Number.POSITIVE_INFINITY;
    for (const flow of this.#flows) {
      const sending = flow.next();
      if (sending === undefined) {
        this.#flows.delete(flow);
        continue;
      }
      const startsAt = sending.startsAt();
      if (startsAt !== undefined && startsAt > this.#clock.now()) {
        retryAt = Math.min(retryAt, startsAt);
        continue;
      }
      this.#flows.delete(flow);
      this.#flows.add(flow);
      this.#occupy(this.#timeFor(sending.bytes), () => sending.sent());
      return;
    }
    if (retryAt !== Number.POSITIVE_INFINITY) {
      this.#occupy(retryAt - this.#clock.now(), () => {});
    }
  }

  #occupy(durationMs: Millis, done: () => void): void {
    this.#isBusy = true;
    this.#clock.setTimer(durationMs, () => {
      this.#isBusy = false;
      done();
      this.#send();
    });
  }

  #timeFor(bytes: number): Millis {
    return this.#bytesPerSecond === undefined ? 0 : (bytes * 1000) / this.#bytesPerSecond;
  }
}

/** Longest queue for a downlink before its senders hold back (a TCP window's worth). */
const MAX_DOWN_QUEUE_MS = 150;

/** What arrives is delivered in order, at the downlink's rate. */
export class Downlink {
  readonly #clock: Clock;
  readonly #bytesPerSecond: number | undefined;
  #busyUntil: Millis = 0;

  constructor(clock: Clock, bytesPerSecond: number | undefined) {
    this.#clock = clock;
    this.#bytesPerSecond = bytesPerSecond;
  }

  /** When a sender may send more; undefined when it may now. */
  roomAt(): Millis | undefined {
    const roomAt = this.#busyUntil - MAX_DOWN_QUEUE_MS;
    return roomAt > this.#clock.now() ? roomAt : undefined;
  }

  deliver(bytes: number, callback: () => void): void {
    const now = this.#clock.now();
    const duration = this.#bytesPerSecond === undefined ? 0 : (bytes * 1000) / this.#bytesPerSecond;
    this.#busyUntil = Math.max(now, this.#busyUntil) + duration;
    this.#clock.setTimer(this.#busyUntil - now, callback);
  }
}
