/** What a role without pages answers: whether it lives, and whether it works. */
import type { FrontRoute } from "../../adapters/node/front-server.ts";

/** Answers `/healthz` and `/readyz`, and nothing else. */
export function answerHealth(isReady: () => boolean): FrontRoute["handle"] {
  return ({ url = "" }, response) => {
    const path = url.replace(/\?.*$/s, "");
    const isKnown = path === "/healthz" || path === "/readyz";
    const isFine = path === "/healthz" || isReady();
    const status = isKnown ? (isFine ? 200 : 503) : 404;
    response.writeHead(status, { "content-type": "text/plain; charset=utf-8" });
    response.end(isKnown ? (isFine ? "ok\n" : "not ready\n") : "there is nothing here\n");
  };
}
