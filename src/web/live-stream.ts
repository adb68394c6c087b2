/**
 * A stream of server-sent events that keeps a state up to date: a snapshot, then deltas. It comes
 * again by itself after a lost connection, and says how it stands meanwhile.
 */
import { type Accessor, createSignal, onCleanup } from "solid-js";
import { sessionEnded } from "./session/session.ts";

/** How a stream stands. `gone`: what it is about does not exist (any more). */
export type StreamStatus = "connecting" | "live" | "lost" | "gone";

/** A state that the server keeps up to date. */
export interface LiveStream<State> {
  /** Undefined until the first snapshot came; the last known one while the connection is lost. */
  readonly state: Accessor<State | undefined>;
  readonly status: Accessor<StreamStatus>;
}

/** Bounds of the time between two tries, in milliseconds. */
const FIRST_WAIT_MS = 1000;
const LAST_WAIT_MS = 30_000;

/** Opens the stream at `path` until the page that asks is left. */
export function openStream<State>(
  path: string,
  apply: (before: State, delta: never) => State,
): LiveStream<State> {
  const [state, setState] = createSignal<State>();
  const [status, setStatus] = createSignal<StreamStatus>("connecting");
  let waitMs = FIRST_WAIT_MS;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let source: EventSource | undefined;

  const open = (): void => {
    source = new EventSource(path);
    source.addEventListener("snapshot", (event) => {
      waitMs = FIRST_WAIT_MS;
      setStatus("live");
      setState(() => JSON.parse(event.data as string) as State);
    });
    source.addEventListener("delta", (event) => {
      const before = state();
      if (before === undefined) return;
      setState(() => apply(before, JSON.parse(event.data as string) as never));
    });
    source.addEventListener("end", (event) =>
      end(JSON.parse(event.data as string) as { reason?: string }),
    );
    source.addEventListener("error", () => void lost());
  };
  const end = ({ reason }: { readonly reason?: string }): void => {
    if (reason === "closing") return;
    source?.close();
    if (reason === "session-ended") sessionEnded();
    else setStatus("gone");
  };
  /** `EventSource` comes again by itself, except where the server answered with an error. */
  const lost = async (): Promise<void> => {
    setStatus((before) => (before === "gone" ? before : "lost"));
    if (source?.readyState !== EventSource.CLOSED || status() === "gone") return;
    const refusal = await refusalOf(path);
    if (refusal === 401) return sessionEnded();
    if (refusal === 404) return void setStatus("gone");
    timer = setTimeout(open, waitMs);
    waitMs = Math.min(waitMs * 2, LAST_WAIT_MS);
  };

  open();
  onCleanup(() => {
    clearTimeout(timer);
    source?.close();
  });
  return { state, status };
}

/** The status with which the server refuses `path`; `EventSource` itself does not tell. */
async function refusalOf(path: string): Promise<number | undefined> {
  const stop = new AbortController();
  try {
    const response = await fetch(path, { signal: stop.signal });
    if (response.ok) return undefined;
    return response.status;
  } catch {
    return undefined;
  } finally {
    stop.abort();
  }
}
