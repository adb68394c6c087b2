/**
 * What a client of the control link may say, once it proved itself, and what the Tracker answers.
 * Requests are answered in their order, one after the other.
 */
import { assertNever } from "../../base/assert.ts";
import { BtPublisherError } from "../../base/errors.ts";
import type {
  AnnouncerControlLink,
  SourceControlLink,
  TrackerControl,
} from "../../ports/tracker-control.ts";
import type { SourceOrder } from "../../protocol/control/access-values.ts";
import {
  type ClientMessage,
  type ControlRequest,
  type ControlResponse,
  type ControlRole,
  isFailureCode,
  parseClientMessage,
  type ServerMessage,
} from "../../protocol/control/messages.ts";

/** What a session needs beside the Tracker. */
export interface ControlSessionSetup {
  readonly role: ControlRole;
  /** Where the client connects from. */
  readonly address: string;
  readonly send: (message: ServerMessage | SourceOrder) => void;
  /** Ends the link: the client does not keep to the protocol. */
  readonly end: (reason: string) => void;
}

export class ControlSession {
  readonly #tracker: TrackerControl;
  readonly #setup: ControlSessionSetup;
  readonly #announcer: AnnouncerControlLink | undefined;
  /** Since its hello. */
  #source: SourceControlLink | undefined;
  #answers: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(tracker: TrackerControl, setup: ControlSessionSetup) {
    this.#tracker = tracker;
    this.#setup = setup;
    this.#announcer = setup.role === "announcer" ? tracker.attachAnnouncer() : undefined;
  }

  handleMessage(text: string): void {
    const parsed = parseClientMessage(text);
    if (!parsed.ok) this.#setup.end(parsed.message);
    else if (!this.#take(parsed.value)) {
      this.#setup.end(`no ${parsed.value.type} from this ${this.#setup.role} now`);
    }
  }

  /** The connection is gone: what waits for its turn is void, since the next one says it again. */
  close(): void {
    this.#isClosed = true;
    void this.#announcer?.close();
    void this.#source?.close();
  }

  /** @returns false when the client may not say this (now). */
  #take(message: ClientMessage): boolean {
    if (message.type === "hello") {
      if (this.#setup.role !== "source" || this.#source !== undefined) return false;
      const { address, send } = this.#setup;
      this.#source = this.#tracker.attachSource(message.hello, address, send);
      return true;
    }
    if (message.type === "status") {
      this.#source?.report(message.status);
      return this.#source !== undefined;
    }
    if (message.type === "swarm") {
      this.#source?.reportSwarm(message.swarm);
      return this.#source !== undefined;
    }
    const work = this.#workFor(message);
    if (work === undefined) return false;
    this.#answers = this.#answers.then(() => this.#answer(message.id, work));
    return true;
  }

  async #answer(id: number, work: () => Promise<ControlResponse>): Promise<void> {
    if (this.#isClosed) return;
    try {
      this.#setup.send({ ...(await work()), id });
    } catch (error) {
      this.#setup.send({ ...failureOf(error), id });
    }
  }

  /** What `request` asks for; undefined when this client may not ask it. */
  #workFor(request: ControlRequest): (() => Promise<ControlResponse>) | undefined {
    switch (request.type) {
      case "register":
      case "unregister": {
        const source = this.#source;
        return source && (() => changeRegistrations(source, request));
      }
      default: {
        const announcer = this.#announcer;
        return announcer && (() => lookUp(announcer, request));
      }
    }
  }
}

type Change = Extract<ControlRequest, { readonly type: "register" | "unregister" }>;

async function changeRegistrations(
  source: SourceControlLink,
  request: Change,
): Promise<ControlResponse> {
  if (request.type === "unregister") await source.unregister(request.infoHash);
  else for (const registration of request.registrations) await source.register(registration);
  return { type: "done" };
}

async function lookUp(
  announcer: AnnouncerControlLink,
  request: Exclude<ControlRequest, Change>,
): Promise<ControlResponse> {
  switch (request.type) {
    case "counts": {
      const found = await announcer.counts(request.infoHashes);
      const counts = [...found].map(([infoHash, figures]) => ({ infoHash, ...figures }));
      return { type: "counts", counts };
    }
    case "states":
      return { type: "states", states: await announcer.states(request.infoHash) };
    case "sources":
      return { type: "sources", sources: await announcer.sources() };
    case "announce-urls":
      return { type: "announce-urls", urls: await announcer.announceUrls() };
    case "access":
      return { type: "access-state", isCurrent: await announcer.updateAccess(request.update) };
    default:
      return assertNever(request);
  }
}

function failureOf(error: unknown): ControlResponse {
  const message = error instanceof Error ? error.message : String(error);
  const code =
    error instanceof BtPublisherError && isFailureCode(error.code) ? error.code : "INTERNAL";
  return { type: "failure", code, message };
}
