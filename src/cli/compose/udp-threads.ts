/**
 * The Tracker's UDP port with several threads (`--workers`): each receives, checks and sends, which
 * is most of the work, and the one Tracker in this thread answers what they pass on. A thread that
 * dies loses the packets that it had, which clients send again; another one takes its place.
 */
import type { Worker } from "node:worker_threads";
import { startThreadBeside } from "../../adapters/node/disk-thread.ts";
import { reachedAddress, UdpTrackerSocket } from "../../adapters/node/udp-tracker-socket.ts";
import { BtPublisherError } from "../../base/errors.ts";
import { createRingMemory, SharedRing } from "../../base/shared-ring.ts";
import type { Asker } from "../../tracker/sources.ts";
import {
  ADDRESS_ROOM,
  isIpv6Tag,
  typeOfTag,
  UDP_COUNTS,
  type UdpThreadData,
  type UdpThreadMessage,
} from "./udp-thread-link.ts";

/** What the Tracker's UDP door does for threads. */
export interface AdmittedUdpDoor {
  answerAdmitted(type: "announce" | "scrape", packet: Uint8Array, asker: Asker): Uint8Array;
}

/** What threads are started with. */
export interface UdpThreadsOptions {
  /** Undefined: every address of this machine. */
  readonly host: string | undefined;
  /** 0: any free one. */
  readonly port: number;
  /** 2 … 64. */
  readonly count: number;
  /** 18 random bytes, new at every start. */
  readonly secret: Uint8Array;
  readonly door: AdmittedUdpDoor;
  /** Answers a second to strangers of one network, all threads together; default 1000. */
  readonly maxStrangersPerSecond?: number;
  /** For logs. */
  readonly onEvent: (event: UdpThreadsEvent) => void;
  /** Default: a thread of this process. */
  readonly start?: (data: UdpThreadData) => Worker;
}

/** What happens to threads. */
export type UdpThreadsEvent =
  /** What a socket complains of. */
  | { readonly type: "udp-failed"; readonly message: string }
  /** A thread died; another one is on its way. */
  | { readonly type: "udp-worker-lost"; readonly message: string }
  | { readonly type: "udp-worker-restarted" };

const REQUESTS_BYTES = 512 * 1024;
const ANSWERS_BYTES = 2 * 1024 * 1024;
/** Longer packets do not pass a gate. */
const MAX_PACKET = 2048;
/** Requests that are answered before others of this process have a turn. */
const BATCH = 256;
const RESTART_MS = 1000;
const MAX_STRANGERS_PER_SECOND = 1000;

/** An open port. */
export class UdpThreads {
  /** The port really bound. */
  readonly port: number;
  readonly #options: UdpThreadsOptions;
  /** One for each thread and who takes its place: two that count in one place lose some. */
  readonly #counts: readonly SharedArrayBuffer[];
  readonly #reached: Readonly<Record<"IPv4" | "IPv6", Asker["reachedAt"]>>;
  readonly #threads = new Set<UdpThread>();
  readonly #restarts = new Set<NodeJS.Timeout>();
  #isClosed = false;

  private constructor(options: UdpThreadsOptions, port: number) {
    this.#options = options;
    this.port = port;
    const { host, count } = options;
    const countBytes = Float64Array.BYTES_PER_ELEMENT * Object.keys(UDP_COUNTS).length;
    this.#counts = Array.from({ length: count }, () => new SharedArrayBuffer(countBytes));
    this.#reached = {
      IPv4: reachedAddress(host ?? "0.0.0.0", "IPv4"),
      IPv6: reachedAddress(host ?? "::", "IPv6"),
    };
  }

  /** Opens the port. @throws UNAVAILABLE when it is taken or not ours, or cannot be shared here. */
  static async open(options: UdpThreadsOptions): Promise<UdpThreads> {
    const threads = new UdpThreads(options, await findPort(options));
    try {
      await Promise.all(threads.#counts.map((counts) => threads.#start(counts)));
    } catch (cause) {
      await threads.close();
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new BtPublisherError("UNAVAILABLE", why, { cause });
    }
    return threads;
  }

  /** Threads that work. */
  get openCount(): number {
    return this.#threads.size;
  }

  /** Packets that the Tracker never saw. */
  get counters(): { readonly connect: number; readonly ignored: number } {
    const sum = (index: number) =>
      this.#counts.reduce((total, counts) => total + (new Float64Array(counts)[index] ?? 0), 0);
    return { connect: sum(UDP_COUNTS.connect), ignored: sum(UDP_COUNTS.ignored) };
  }

  /** Ends all threads. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const timer of this.#restarts) clearTimeout(timer);
    await Promise.all([...this.#threads].map((thread) => thread.close()));
  }

  /** Starts a thread; resolves when its socket is open. Replaces it when it dies after that. */
  async #start(counts: SharedArrayBuffer): Promise<void> {
    const thread = await UdpThread.start(this.#dataOf(counts), this.#options, this.#reached);
    if (this.#isClosed) return thread.close();
    this.#threads.add(thread);
    thread.onLost = (message) => {
      this.#threads.delete(thread);
      if (this.#isClosed) return;
      this.#options.onEvent({ type: "udp-worker-lost", message });
      this.#restartLater(counts);
    };
  }

  #restartLater(counts: SharedArrayBuffer): void {
    const timer = setTimeout(() => {
      this.#restarts.delete(timer);
      this.#start(counts).then(
        () => this.#options.onEvent({ type: "udp-worker-restarted" }),
        () => this.#restartLater(counts),
      );
    }, RESTART_MS).unref();
    this.#restarts.add(timer);
  }

  #dataOf(counts: SharedArrayBuffer): UdpThreadData {
    const { host, secret, count, maxStrangersPerSecond = MAX_STRANGERS_PER_SECOND } = this.#options;
    return {
      host,
      port: this.port,
      secret,
      // A network's senders are spread over the threads.
      maxStrangersPerSecond: Math.ceil(maxStrangersPerSecond / count),
      requests: createRingMemory(REQUESTS_BYTES),
      answers: createRingMemory(ANSWERS_BYTES),
      counts,
    };
  }
}

/** One thread, and the Tracker's end of its rings. */
class UdpThread {
  onLost: (message: string) => void = () => undefined;
  readonly #worker: Worker;
  readonly #requests: SharedRing;
  readonly #answers: SharedRing;
  readonly #door: AdmittedUdpDoor;
  readonly #packet = new Uint8Array(ADDRESS_ROOM + MAX_PACKET);
  readonly #askers: readonly [ipv4: Asker, ipv6: Asker];

  private constructor(
    worker: Worker,
    data: UdpThreadData,
    { door, onEvent }: UdpThreadsOptions,
    reached: Readonly<Record<"IPv4" | "IPv6", Asker["reachedAt"]>>,
  ) {
    this.#worker = worker;
    this.#door = door;
    this.#requests = new SharedRing(data.requests);
    this.#answers = new SharedRing(data.answers);
    this.#askers = [
      { address: this.#packet.subarray(0, 4), reachedAt: reached.IPv4 },
      { address: this.#packet.subarray(0, 16), reachedAt: reached.IPv6 },
    ];
    worker.on("message", (message: UdpThreadMessage) => {
      if (message === "wake") this.#work();
      else if (message !== "open") onEvent({ type: "udp-failed", message: message.error });
    });
    let reason = "it ended";
    worker.on("error", ({ message }: Error) => {
      reason = message;
    });
    worker.once("exit", () => this.onLost(reason));
  }

  /** Resolves when its socket is open. @throws Error saying why it is not. */
  static start(
    data: UdpThreadData,
    options: UdpThreadsOptions,
    reached: Readonly<Record<"IPv4" | "IPv6", Asker["reachedAt"]>>,
  ): Promise<UdpThread> {
    const { start = (own) => startThreadBeside(import.meta.url, "udp-thread", own) } = options;
    const worker = start(data);
    const thread = new UdpThread(worker, data, options, reached);
    thread.#requests.sleep();
    return new Promise((resolve, reject) => {
      thread.onLost = (message) => reject(new Error(message));
      worker.on("message", (message: UdpThreadMessage) => {
        if (message === "open") resolve(thread);
      });
    });
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  /** Answers a batch, and has the rest wait for its turn. */
  #work(): void {
    let count = 0;
    for (let length = this.#requests.nextLength(); length >= 0; ) {
      this.#answer(length);
      length = ++count < BATCH ? this.#requests.nextLength() : -1;
    }
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- A thread, not a window.
    if (this.#answers.takeSleep()) this.#worker.postMessage("wake");
    if (count === BATCH || !this.#requests.sleep()) setImmediate(() => this.#work());
  }

  #answer(length: number): void {
    const tag = this.#requests.read(this.#packet);
    const packet = this.#packet.subarray(ADDRESS_ROOM, length);
    const asker = this.#askers[isIpv6Tag(tag) ? 1 : 0];
    const answer = this.#door.answerAdmitted(typeOfTag(tag), packet, asker);
    // Without room it is lost, as packets are: nobody reads them fast enough.
    this.#answers.write(tag, NOTHING, 0, answer);
  }
}

const NOTHING = new Uint8Array(0);

/** Whether the port is free, before others can share it: a second server must not take half of it. */
async function findPort({ host, port }: UdpThreadsOptions): Promise<number> {
  const socket = await UdpTrackerSocket.open({
    host,
    port,
    answer: () => undefined,
    onError: () => undefined,
  });
  await socket.close();
  return socket.port;
}
