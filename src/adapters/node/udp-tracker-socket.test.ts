import assert from "node:assert/strict";
import { createSocket, type Socket } from "node:dgram";
import { on as eventsOf, once } from "node:events";
import { type TestContext, test } from "node:test";
import { type AnswerPacket, UdpTrackerSocket } from "./udp-tracker-socket.ts";

const unexpected = (error: Error): void => assert.fail(error);

async function openClient(t: TestContext): Promise<Socket> {
  const client = createSocket("udp4");
  t.after(() => client.close());
  client.bind(0, "127.0.0.1");
  await once(client, "listening");
  return client;
}

function open(answer: AnswerPacket): Promise<UdpTrackerSocket> {
  return UdpTrackerSocket.open({ host: "127.0.0.1", port: 0, answer, onError: unexpected });
}

test("answers every packet that came, each sender with its own answer", async (t) => {
  const socket = await open((packet, sender) => Buffer.from([...packet, ...sender.address]));
  t.after(() => socket.close());
  const clients = [await openClient(t), await openClient(t)];
  const heard = clients.map(async (client) => {
    const answers: number[][] = [];
    for await (const [answer] of eventsOf(client, "message")) {
      if (answers.push([...(answer as Buffer)]) === 20) break;
    }
    return answers;
  });
  for (let i = 0; i < 20; i++) {
    for (const [k, client] of clients.entries()) {
      client.send(Buffer.from([k, i]), socket.port, "127.0.0.1");
    }
  }
  for (const [k, answers] of (await Promise.all(heard)).entries()) {
    assert.deepEqual(
      answers,
      Array.from({ length: 20 }, (_, i) => [k, i, 127, 0, 0, 1]),
    );
  }
});

test("a port that another program has for IPv6 only is taken", async (t) => {
  const other = createSocket({ type: "udp6", ipv6Only: true });
  t.after(() => other.close());
  other.bind(0, "::");
  await once(other, "listening");
  const { port } = other.address();
  const opening = UdpTrackerSocket.open({
    host: undefined,
    port,
    answer: (packet) => packet,
    onError: unexpected,
  });
  await assert.rejects(opening, /another program uses it/);

  const ipv4 = createSocket("udp4");
  t.after(() => ipv4.close());
  ipv4.bind(port, "0.0.0.0");
  await once(ipv4, "listening");
});

test("answers that wait when the port closes are lost, and nothing else happens", async (t) => {
  const asked = Promise.withResolvers<void>();
  const socket: UdpTrackerSocket = await open((packet) => {
    asked.resolve(socket.close());
    return packet;
  });
  const client = await openClient(t);
  client.send(Buffer.from("?"), socket.port, "127.0.0.1");
  await asked.promise;
  assert.equal(socket.isOpen, false);
});
