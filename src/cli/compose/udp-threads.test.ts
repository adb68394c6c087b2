import assert from "node:assert/strict";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { type TestContext, test } from "node:test";
import type { Worker } from "node:worker_threads";
import { startThreadBeside } from "../../adapters/node/disk-thread.ts";
import { BtPublisherError } from "../../base/errors.ts";
import { formatIp } from "../../base/ip-address.ts";
import { encodeUdpConnect, readUdpAnswer } from "../../protocol/tracker/udp-client.ts";
import { type AdmittedUdpDoor, UdpThreads, type UdpThreadsEvent } from "./udp-threads.ts";

/** Answers with who asked what. */
const door: AdmittedUdpDoor = {
  answerAdmitted: (type, packet, { address }) =>
    Buffer.from(`${type} ${formatIp(address)} ${Buffer.from(packet).readUInt32BE(12)}`),
};

async function start(t: TestContext, host = "127.0.0.1", port = 0) {
  const workers: Worker[] = [];
  const events: UdpThreadsEvent[] = [];
  let heard = () => {};
  const threads = await UdpThreads.open({
    host,
    port,
    count: 2,
    secret: new Uint8Array(18).fill(3),
    door,
    onEvent: (event) => {
      events.push(event);
      heard();
    },
    start: (data) => {
      const worker = startThreadBeside(import.meta.url, "udp-thread", data);
      workers.push(worker);
      return worker;
    },
  });
  t.after(() => threads.close());
  const eventsAre = async (count: number) => {
    while (events.length < count) {
      await new Promise<void>((resolve) => {
        heard = resolve;
      });
    }
  };
  return { threads, workers, events, eventsAre };
}

/** A client with a port of its own. */
async function openClient(t: TestContext, port: number, host = "127.0.0.1") {
  const socket: Socket = createSocket(host.includes(":") ? "udp6" : "udp4");
  t.after(() => socket.close());
  const ask = async (packet: Uint8Array): Promise<Buffer> => {
    socket.send(packet, port, host);
    return ((await once(socket, "message")) as [Buffer])[0];
  };
  const connect = async () => {
    const connected = readUdpAnswer(await ask(encodeUdpConnect(1)), 1, 4);
    assert.ok(connected?.type === "connected");
    return connected.connectionId;
  };
  return { ask, connect };
}

const scrape = (connectionId: Uint8Array, transactionId: number): Uint8Array => {
  const packet = Buffer.alloc(36);
  packet.set(connectionId);
  packet.writeUInt32BE(2, 8);
  packet.writeUInt32BE(transactionId, 12);
  return packet;
};

test("each of many clients gets its own answers, whichever thread has its packets", async (t) => {
  const { threads } = await start(t);
  const clients = await Promise.all(Array.from({ length: 32 }, () => openClient(t, threads.port)));
  await Promise.all(
    clients.map(async ({ ask, connect }, i) => {
      const id = await connect();
      for (let k = 0; k < 20; k++) {
        const answer = await ask(scrape(id, 1000 * i + k));
        assert.equal(answer.toString(), `scrape 127.0.0.1 ${1000 * i + k}`);
      }
    }),
  );
  assert.deepEqual(threads.counters, { connect: 32, ignored: 0 });
});

test("over IPv6, and with a bad connection id", async (t) => {
  const { threads } = await start(t, "::1");
  const { ask, connect } = await openClient(t, threads.port, "::1");
  const id = await connect();
  assert.equal((await ask(scrape(id, 5))).toString(), "scrape ::1 5");
  const forged = Uint8Array.from(id);
  forged[7] = (forged[7] as number) ^ 1;
  const silent = await openClient(t, threads.port, "::1");
  void silent.ask(scrape(forged, 6));
  assert.equal((await ask(scrape(id, 7))).toString(), "scrape ::1 7");
});

test("a thread that dies is replaced; clients go on with the connection ids they have", async (t) => {
  const { threads, workers, events, eventsAre } = await start(t);
  const clients = await Promise.all(Array.from({ length: 8 }, () => openClient(t, threads.port)));
  const ids = await Promise.all(clients.map(({ connect }) => connect()));
  await (workers[0] as Worker).terminate();
  await eventsAre(1);
  assert.equal(threads.openCount, 1);
  const askAll = (round: number) =>
    Promise.all(
      clients.map(async ({ ask }, i) => {
        const answer = await ask(scrape(ids[i] as Uint8Array, round));
        assert.equal(answer.toString(), `scrape 127.0.0.1 ${round}`);
      }),
    );
  await askAll(1);
  await eventsAre(2);
  assert.deepEqual(
    events.map(({ type }) => type),
    ["udp-worker-lost", "udp-worker-restarted"],
  );
  assert.equal(threads.openCount, 2);
  await askAll(2);
});

test("a port that somebody has is not shared with him", async (t) => {
  const { threads } = await start(t);
  await assert.rejects(
    start(t, "127.0.0.1", threads.port),
    (error) => error instanceof BtPublisherError && error.code === "UNAVAILABLE",
  );
});
