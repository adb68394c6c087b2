/**
 * A state that the server keeps up to date. It comes again by itself after a lost connection, and
 * says how it stands meanwhile.
 */
import { type Accessor, createSignal, onCleanup } from "solid-js";
import { Client } from "../client/client.ts";
import { hasStatus } from "./api.ts";
import { sessionEnded } from "./session/session.ts";

/** How a stream stands. `gone`: what it is about does not exist (any more). */
export type StreamStatus = "connecting" | "live" | "lost" | "gone";

/** A state that the server keeps up to date. */
export interface LiveStream<State> {
  /** Undefined until the first one came; the last known one while the connection is lost. */
  readonly state: Accessor<State | undefined>;
  readonly status: Accessor<StreamStatus>;
}

/** Bounds of the time between two tries, in milliseconds. */
const FIRST_WAIT_MS = 1000;
const LAST_WAIT_MS = 30_000;

/** Opens what `watch` watches until the page that asks is left. */
export function openStream<State>(
  watch: (client: Client) => AsyncIterable<State>,
): LiveStream<State> {
  const [state, setState] = createSignal<State>();
  const [status, setStatus] = createSignal<StreamStatus>("connecting");
  const left = new AbortController();
  const client = new Client({ url: "", signal: left.signal });
  let waitMs = FIRST_WAIT_MS;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const open = async (): Promise<void> => {
    try {
      for await (const next of watch(client)) {
        waitMs = FIRST_WAIT_MS;
        setStatus("live");
        setState(() => next);
      }
    } catch (error) {
      if (left.signal.aborted) return;
      if (hasStatus(error, 401)) return sessionEnded();
      if (hasStatus(error, 404)) return void setStatus("gone");
    }
    if (left.signal.aborted) return;
    setStatus("lost");
    timer = setTimeout(() => void open(), waitMs);
    waitMs = Math.min(waitMs * 2, LAST_WAIT_MS);
  };

  void open();
  onCleanup(() => {
    clearTimeout(timer);
    left.abort();
  });
  return { state, status };
}
