/** Dialling, listening and handshakes over real loopback sockets. */
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { LinkRecorder } from "../../../test/support/link-recorder.ts";
import { SteppedClock } from "../../../test/support/stepped-clock.ts";
import {
  dial,
  dialLink,
  endTcpPeers,
  handshakeOf,
  ours,
  rawClient,
  rawServer,
  TestListener,
  theirs,
} from "../../../test/support/tcp-peers.ts";
import { encodeHandshake } from "../../protocol/wire/handshake.ts";
import { createTcpTransport } from "./tcp-transport.ts";

afterEach(endTcpPeers);

test("both ends learn the other's handshake and address", async () => {
  const listener = await TestListener.start();
  const accepting = listener.nextLink();

  const dialled = await dialLink(listener.address);
  const accepted = await accepting;

  assert.deepEqual(dialled.remote, theirs);
  assert.deepEqual(dialled.remoteAddress, listener.address);
  assert.equal(dialled.direction, "outgoing");
  assert.deepEqual(accepted.remote, ours);
  assert.equal(accepted.direction, "incoming");
  assert.equal(accepted.remoteAddress.host, "127.0.0.1");
  assert.deepEqual(listener.asked, [[ours, accepted.remoteAddress]]);
});

test("an IPv4 peer of a dual-stack listener has its IPv4 address", async () => {
  const listener = await TestListener.start({ host: undefined });
  const accepting = listener.nextLink();

  await dialLink(listener.address);

  assert.equal((await accepting).remoteAddress.host, "127.0.0.1");
});

test("WIR-01 incoming: what is no handshake is closed at its first bytes, without an answer", async () => {
  for (const opening of ["GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01", "\x13BitTorrent protocoL"]) {
    const listener = await TestListener.start();
    const { socket, received, closed } = await rawClient(listener.address);

    socket.write(opening);

    await closed;
    assert.deepEqual(received, []);
    assert.deepEqual(listener.asked, []);
  }
});

test("WIR-01 outgoing: an answer that is no handshake fails the dial", async () => {
  const address = await rawServer((socket) => socket.write("HTTP/1.1 400 Bad Request\r\n"));

  assert.deepEqual(await dial(address), {
    failure: { code: "violation", violation: { code: "bad-protocol" } },
  });
});

test("S4 WIR-02 an incoming handshake in single bytes is closed after 10 s", async () => {
  const listener = await TestListener.start();
  const { socket, received, closed } = await rawClient(listener.address);
  const bytes = encodeHandshake(ours);
  while (listener.clock.pendingCount === 0) await nextTurn();

  for (let second = 0; second < 10; second++) {
    socket.write(bytes.subarray(second, second + 1));
    listener.clock.advance(1000);
  }

  await closed;
  assert.deepEqual(received, []);
  assert.equal(listener.clock.pendingCount, 0);
});

test("WIR-02 a dialled peer without a handshake fails after 10 s", async () => {
  const clock = new SteppedClock();
  let greet = (): void => {};
  const greeted = new Promise<void>((resolve) => (greet = resolve));
  const address = await rawServer((socket) => socket.once("data", greet));

  const result = dial(address, clock);
  await greeted;
  clock.advance(10_000);

  assert.deepEqual(await result, { failure: { code: "handshake-timeout" } });
  assert.equal(clock.pendingCount, 0);
});

test("WIR-03 an unwanted info hash is closed without a handshake of ours", async () => {
  const listener = await TestListener.start({ accepts: false });
  const { socket, received, closed } = await rawClient(listener.address);

  socket.write(encodeHandshake(ours));

  await closed;
  assert.equal(listener.asked.length, 1);
  assert.deepEqual(received, []);
});

test("whoever is taken gets the handshake, also when the link is closed right away", async () => {
  const transport = createTcpTransport({ clock: new SteppedClock() });
  const listener = await transport.listen({ host: "127.0.0.1", port: 0 }, () => ({
    accept: true,
    handshake: theirs,
    onLink: (link) => link.close("full"),
  }));
  try {
    const client = await rawClient({ host: "127.0.0.1", port: listener.port });

    client.socket.write(encodeHandshake(ours));

    await client.closed;
    assert.deepEqual(Buffer.concat(client.received), Buffer.from(encodeHandshake(theirs)));
  } finally {
    await listener.close();
  }
});

test("WIR-03 a dialled peer that answers with another info hash fails the dial", async () => {
  const address = await rawServer((socket) => socket.write(encodeHandshake(handshakeOf("x", 2))));

  assert.deepEqual(await dial(address), { failure: { code: "wrong-info-hash" } });
});

test("a refused connection and a name in place of an address fail the dial", async () => {
  const listener = await TestListener.start();
  await listener.close();

  for (const target of [listener.address, { host: "localhost", port: 1 }]) {
    const result = await dial(target);
    assert.equal("failure" in result && result.failure.code, "connect-failed");
  }
});

test("a dial without an answer fails after 15 s", async () => {
  // The clock moves in the turn of the dial, so the connection cannot come about before.
  const listener = await TestListener.start();
  const clock = new SteppedClock();

  const result = dial(listener.address, clock);
  clock.advance(15_000);

  const expected = { code: "connect-failed", message: "no answer within 15000 ms" };
  assert.deepEqual(await result, { failure: expected });
});

test("a cancelled dial is silent", async () => {
  const listener = await TestListener.start();
  const clock = new SteppedClock();
  const calls: string[] = [];
  const dialling = createTcpTransport({ clock }).connect(listener.address, ours, {
    onLink: () => calls.push("link"),
    onFailure: () => calls.push("failure"),
  });

  dialling.cancel();
  clock.advance(60_000);
  await dial(listener.address);

  assert.deepEqual(calls, []);
  assert.equal(clock.pendingCount, 0);
});

test("S4 a host that opens too many handshakes is closed, until one of them ends", async () => {
  const listener = await TestListener.start({ maxHandshakesPerHost: 2 });
  const [first] = await Promise.all([rawClient(listener.address), rawClient(listener.address)]);

  const third = await rawClient(listener.address);
  await third.closed;
  first.socket.destroy();

  // The listener may hear of the end a little later.
  let result = await dial(listener.address);
  while ("failure" in result) result = await dial(listener.address);
  assert.deepEqual(result.link.remote, theirs);
});

test("S11 an address that has too many connections is closed, until one of them ends", async () => {
  const listener = await TestListener.start({ maxConnectionsPerNetwork: 2 });
  const first = await dialLink(listener.address);
  await dialLink(listener.address);
  assert.ok("failure" in (await dial(listener.address)));
  first.close("done");
  let result = await dial(listener.address);
  while ("failure" in result) result = await dial(listener.address);
  assert.deepEqual(result.link.remote, theirs);
});

test("closing a listener ends open handshakes and leaves links alone", async () => {
  const listener = await TestListener.start();
  const dialled = new LinkRecorder(await dialLink(listener.address));
  const accepted = await listener.nextLink();
  const { closed } = await rawClient(listener.address);

  await listener.close();

  await closed;
  accepted.send({ type: "unchoke" });
  await dialled.untilHeard(1);
});

test("a taken port is told by its address", async () => {
  const listener = await TestListener.start();
  const transport = createTcpTransport({ clock: new SteppedClock(), portOption: "--port" });

  await assert.rejects(
    transport.listen(listener.address, () => ({ accept: false })),
    {
      code: "UNAVAILABLE",
      message: new RegExp(
        `peers on 127.0.0.1, port ${listener.address.port}: another program.*--port$`,
      ),
    },
  );
});
