import assert from "node:assert/strict";
import { createSocket, type Socket } from "node:dgram";
import { type TestContext, test } from "node:test";
import { datagramSender, innerSender, type SendDatagram } from "./datagram-sender.ts";

async function openSocket(type: "udp4" | "udp6"): Promise<Socket> {
  const lookup = (
    address: string,
    _options: unknown,
    done: (...found: [null, string, 4 | 6]) => void,
  ) => done(null, address, type === "udp4" ? 4 : 6);
  const socket = createSocket({ type, lookup });
  // At once, since nothing is looked up: who waited for the event behind it would wait for ever.
  const address = type === "udp4" ? "127.0.0.1" : "::1";
  await new Promise<void>((resolve) => socket.bind(0, address, resolve));
  return socket;
}

/** What comes of two packets that go to a socket of `type`. */
async function exchange(
  t: TestContext,
  type: "udp4" | "udp6",
  make: (socket: Socket) => SendDatagram,
) {
  const [target, sender] = [await openSocket(type), await openSocket(type)];
  t.after(() => {
    target.close();
    sender.close();
  });
  const send = make(sender);
  const { address, port } = target.address();
  const heard: string[] = [];
  const both = new Promise<void>((resolve) => {
    target.on("message", (packet) => heard.push(packet.toString()) === 2 && resolve());
  });
  for (const text of ["one", "two"]) send(Buffer.from(text), port, address);
  await both;
  return heard;
}

for (const type of ["udp4", "udp6"] as const) {
  test(`this Node's ${type} sockets have the inner handle that we know`, async (t) => {
    const make = (socket: Socket) =>
      innerSender(socket) ?? assert.fail("Node has changed: ADR 0016");
    assert.deepEqual(await exchange(t, type, make), ["one", "two"]);
  });
}

test("without the inner handle packets are sent as ever", async (t) => {
  const make = (socket: Socket) => {
    const state = Object.getOwnPropertySymbols(socket).find((key) => /state/.test(String(key)));
    assert.ok(state !== undefined);
    const hidden = new Proxy(socket, {
      ownKeys: (target) => Reflect.ownKeys(target).filter((key) => key !== state),
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    assert.equal(innerSender(hidden), undefined);
    return datagramSender(hidden);
  };
  assert.deepEqual(await exchange(t, "udp4", make), ["one", "two"]);
});

test("what cannot be sent is lost without a word", async () => {
  const socket = await openSocket("udp4");
  const send = innerSender(socket) ?? assert.fail();
  const port = socket.address().port;
  send(new Uint8Array(70_000), port, "127.0.0.1");
  await new Promise<void>((resolve) => socket.close(resolve));
  send(new Uint8Array(1), port, "127.0.0.1");
});
