/** The opening handshake of a WebSocket, as a server answers it (RFC 6455, section 4.2). No extensions. */
import { createHash } from "node:crypto";
import { type IncomingMessage, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const KEY = /^[+/0-9A-Za-z]{22}==$/;
/** The first of the protocols that a client knows; browsers that name some want one of them back. */
const FIRST_PROTOCOL = /^[!#$%&'*+.^_`|~\w-]+(?=\s*(?:,|$))/;

/** Agrees to a handshake. @returns false when it is none, having refused it. */
export function acceptUpgrade(request: IncomingMessage, socket: Duplex): boolean {
  const { method, headers } = request;
  const key = headers["sec-websocket-key"] ?? "";
  const isWebSocket = headers.upgrade?.toLowerCase() === "websocket";
  if (method !== "GET" || !isWebSocket || !KEY.test(key)) refuseUpgrade(socket, 400);
  else if (headers["sec-websocket-version"] !== "13") {
    refuseUpgrade(socket, 426, "Sec-WebSocket-Version: 13\r\n");
  } else {
    const accept = createHash("sha1")
      .update(key + GUID)
      .digest("base64");
    const [protocol] = FIRST_PROTOCOL.exec(headers["sec-websocket-protocol"] ?? "") ?? [];
    const more = protocol === undefined ? "" : `Sec-WebSocket-Protocol: ${protocol}\r\n`;
    const upgraded = "Upgrade: websocket\r\nConnection: Upgrade\r\n";
    const head = `${statusLine(101)}${upgraded}Sec-WebSocket-Accept: ${accept}\r\n${more}\r\n`;
    socket.write(head, "latin1");
    // What the HTTP server allowed for a request is over.
    request.socket.setTimeout(0);
    return true;
  }
  return false;
}

/** Refuses a handshake and ends the connection; `headers` end with a line break each. */
export function refuseUpgrade(socket: Duplex, status: number, headers = ""): void {
  // The HTTP server has let go of it: nobody else would ever end the other direction.
  const answer = `${statusLine(status)}${headers}Connection: close\r\n\r\n`;
  socket.end(answer, () => socket.destroy());
}

function statusLine(status: number): string {
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n`;
}
