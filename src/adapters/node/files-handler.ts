/** Serves the files door with Node's HTTP server. */
import { closeSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { TokenBucket } from "../../base/token-bucket.ts";
import type { Clock } from "../../ports/clock.ts";
import type { FileAnswer, FilesDoor, TextAnswer } from "../../ports/files-door.ts";
import { ReadPace } from "./disk-read-pace.ts";
import { FilesBuffers } from "./files-buffers.ts";
import { FilesTransfer, openFile, type TransferSurroundings } from "./files-transfer.ts";

/** What the handler works with. */
export interface FilesHandlerDependencies {
  readonly door: FilesDoor;
  readonly clock: Clock;
  /** Shared with the other doors. */
  readonly uploadLimit: TokenBucket;
  /** Address of the client without its port; differs from the socket's behind a trusted proxy. */
  readonly remoteHost?: (request: IncomingMessage) => string;
}

/** Answers a request whose path begins with FILES_PREFIX; any other one with 404. */
export type FilesHandler = (request: IncomingMessage, response: ServerResponse) => void;

/** A handler for `node:http` servers. */
export function createFilesHandler(dependencies: FilesHandlerDependencies): FilesHandler {
  const { door, clock, uploadLimit, remoteHost = socketHost } = dependencies;
  const surroundings: TransferSurroundings = {
    clock,
    uploadLimit,
    buffers: new FilesBuffers(),
    pace: new ReadPace(),
  };
  return (request, response) => {
    const { method = "GET", url: target = "", headers } = request;
    const answer = door.answer({ method, target, headers, remoteHost: remoteHost(request) });
    if (answer.type === "text") sendText(answer, response);
    else sendFile(answer, response, { ...surroundings, door });
  };
}

function sendFile(
  answer: FileAnswer,
  response: ServerResponse,
  surroundings: TransferSurroundings & { readonly door: FilesDoor },
): void {
  const { body } = answer;
  openFile(body, surroundings.pace, (outcome) => {
    if (outcome.type !== "opened") {
      if (outcome.type === "changed") body.onChanged();
      else body.onFailed(outcome.message);
      sendText(surroundings.door.unavailable(), response);
      return;
    }
    const { fd } = outcome;
    if (response.destroyed) return closeSync(fd);
    response.writeHead(answer.status, answer.headers);
    if (response.req.method === "GET") {
      new FilesTransfer(fd, body, response, surroundings).start();
    } else {
      closeSync(fd);
      response.end();
    }
  });
}

function sendText(answer: TextAnswer, response: ServerResponse): void {
  response.writeHead(answer.status, answer.headers);
  // Node leaves out the body of an answer to HEAD by itself.
  response.end(answer.text);
}

/** The other end of the connection, an IPv4 address in its plain form. */
function socketHost(request: IncomingMessage): string {
  return (request.socket.remoteAddress ?? "unknown").replace(/^::ffff:/, "");
}
