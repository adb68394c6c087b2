/**
 * Sends datagrams to addresses by the inner handle of a socket: `socket.send` makes closures for the
 * resolver and a request for each packet, which costs half a microsecond (ADR 0016).
 */
import type { Socket } from "node:dgram";

/** Sends `packet` to `address`, which is no name. What cannot be sent is lost, without a word. */
export type SendDatagram = (packet: Uint8Array, port: number, address: string) => void;

/** What Node's sockets send by; 0: the system was busy, and the request waits for it. */
type InnerSend = (
  ...sent: readonly [
    request: object,
    packets: readonly Uint8Array[],
    count: number,
    port: number,
    address: string,
    hasCallback: boolean,
  ]
) => number;

interface InnerHandle {
  send: InnerSend;
}

/** Sends by `socket`, which is bound, and whose `lookup` answers at once. */
export function datagramSender(socket: Socket): SendDatagram {
  return innerSender(socket) ?? ((packet, port, address) => socket.send(packet, port, address));
}

/**
 * The same without `socket.send`. Undefined where Node is not made as we know it: the handle is not of
 * its documented interface.
 */
export function innerSender(socket: Socket): SendDatagram | undefined {
  const handle = handleOf(socket);
  if (handle === undefined) return undefined;
  const makeRequest = requestMaker(socket, handle);
  if (makeRequest === undefined) return undefined;
  let request = makeRequest();
  let packets: Uint8Array[] = [];
  return (packet, port, address) => {
    packets[0] = packet;
    if (handle.send(request, packets, 1, port, address, false) !== 0) return;
    // The socket's queue has the packet until it is sent, and needs it and its request as they are.
    Object.assign(request, { list: packets });
    request = makeRequest();
    packets = [];
  };
}

function handleOf(socket: Socket): InnerHandle | undefined {
  const symbols = Object.getOwnPropertySymbols(socket);
  const key = symbols.find(({ description }) => description === "state symbol");
  if (key === undefined) return undefined;
  const state: unknown = Reflect.get(socket, key);
  if (!isObject(state) || !("handle" in state) || !isObject(state.handle)) return undefined;
  const { handle } = state;
  return "send" in handle && typeof handle.send === "function"
    ? (handle as InnerHandle)
    : undefined;
}

/** What makes requests of the kind that `handle` takes: nothing exports it, so a packet that is not sent shows it. */
function requestMaker(socket: Socket, handle: InnerHandle): (() => object) | undefined {
  const { send } = handle;
  let Request: unknown;
  handle.send = (...sent) => {
    const [request, packets, count, port, address, hasCallback] = sent;
    const isKnown =
      Array.isArray(packets) &&
      count === 1 &&
      port === 9 &&
      typeof address === "string" &&
      !hasCallback;
    if (isKnown) Request = request.constructor;
    return 1;
  };
  try {
    socket.send(new Uint8Array(1), 9, socket.address().address);
  } finally {
    handle.send = send;
  }
  if (typeof Request !== "function" || Request === Object) return undefined;
  const Known = Request as new () => object;
  return () => new Known();
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
