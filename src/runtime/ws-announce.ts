/** One announce over a WebSocket of its own, and what came of it. */
import type { Clock, Timer } from "../ports/clock.ts";
import type { WebSocketExchange, WebSocketPort } from "../ports/web-sockets.ts";
import { MAX_TRACKER_ANSWER_LENGTH } from "../protocol/tracker/http-parse-answer.ts";
import type { AnnounceParameters } from "../protocol/tracker/http-request.ts";
import { encodeWsAnnounce, readWsAnnounceAnswer } from "../protocol/tracker/ws-client.ts";
import type { AnnounceOutcome } from "./announce-outcome.ts";

/** For the connection and the answer together. */
const PATIENCE_MS = 30_000;

export class WsAnnounce {
  readonly #parameters: AnnounceParameters;
  readonly #done: (outcome: AnnounceOutcome) => void;
  readonly #exchange: WebSocketExchange;
  readonly #timer: Timer;

  /** Announces to the tracker at `url` (ws or wss); `done` is called once, later. */
  constructor(
    { clock, webSockets }: { readonly clock: Clock; readonly webSockets: WebSocketPort },
    url: string,
    parameters: AnnounceParameters,
    done: (outcome: AnnounceOutcome) => void,
  ) {
    this.#parameters = parameters;
    this.#done = done;
    this.#timer = clock.setTimer(PATIENCE_MS, () => this.#fail("no answer", false));
    this.#exchange = webSockets.open(url, MAX_TRACKER_ANSWER_LENGTH, {
      onOpen: () => this.#exchange.send(encodeWsAnnounce(parameters)),
      onText: (text) => this.#receive(text),
      onError: (message) => this.#fail(message, false),
    });
  }

  /** Stops; `done` is not called any more. */
  cancel(): void {
    this.#timer.cancel();
    this.#exchange.close();
  }

  #receive(text: string): void {
    const answer = readWsAnnounceAnswer(text, this.#parameters.infoHash);
    if (answer === undefined) return;
    if (!answer.ok) return this.#fail(answer.message, answer.code === "TRK_FAILURE");
    this.cancel();
    this.#done({ type: "answered", response: answer.value });
  }

  #fail(message: string, isRefusal: boolean): void {
    this.cancel();
    this.#done({ type: "failed", message, isRefusal });
  }
}
