/** Ends requests whose body comes so slowly that they only hold a place (UPL-09). */
import type { IncomingMessage, ServerResponse } from "node:http";

/** A body must advance by this much a second on average, in each window: a modem is faster. */
const MIN_BYTES_PER_SECOND = 1024;

/**
 * Watches the body of `request`, if it has one, until it is complete: in each `windowMs` at least
 * 1 KiB a second must come, except while it is us who do not read.
 */
export function guardBody(
  request: IncomingMessage,
  response: ServerResponse,
  windowMs: number,
): void {
  const { headers, socket } = request;
  const hasBody = headers["transfer-encoding"] !== undefined || "content-length" in headers;
  if (!hasBody || headers["content-length"] === "0") return;
  let seenBytes = socket.bytesRead;
  const timer = setInterval(() => {
    if (request.complete || request.destroyed) return clearInterval(timer);
    const advanced = socket.bytesRead - seenBytes;
    seenBytes = socket.bytesRead;
    const isOurDelay = request.readableLength > 0 || request.isPaused();
    if (isOurDelay || advanced * 1000 >= windowMs * MIN_BYTES_PER_SECOND) return;
    clearInterval(timer);
    // The reader of the body learns that it is cut; what it has is kept for the next request.
    const cut = () => request.destroy();
    if (response.headersSent) cut();
    else response.writeHead(408, { connection: "close" }).end(cut);
  }, windowMs);
  timer.unref();
  // A request that is answered before its parser has all of it never closes by itself.
  for (const end of [request, response]) end.once("close", () => clearInterval(timer));
}
