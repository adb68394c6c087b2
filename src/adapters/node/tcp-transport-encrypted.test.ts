/** Encrypted connections over real loopback sockets. */
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import {
  dial,
  endTcpPeers,
  ours,
  rawClient,
  rawServer,
  TestListener,
  theirs,
} from "../../../test/support/tcp-peers.ts";
import { concatBytes, infoHashOf } from "../../base/bytes.ts";
import { acceptMse } from "../../protocol/encryption/accept-mse.ts";
import { KEY_LENGTH } from "../../protocol/encryption/mse-handshake.ts";
import { offerMse } from "../../protocol/encryption/offer-mse.ts";
import { encodeHandshake, parseHandshake } from "../../protocol/wire/handshake.ts";
import { mseCrypto } from "./mse-crypto.ts";

afterEach(endTcpPeers);

const offered = { infoHash: ours.infoHash, initial: encodeHandshake(ours) };
const infoHashes = () => [infoHashOf(ours.infoHash)];
const nothing = new Uint8Array(0);

/** Offers `offer` to `listener`. @returns what the other side said behind the encryption. */
async function offerTo(listener: TestListener, offer: typeof offered) {
  const { socket, received, closed } = await rawClient(listener.address);
  const handshake = offerMse(mseCrypto, offer);
  const first = handshake.push(nothing);
  assert.ok(first.state === "waiting");
  const said: Uint8Array[] = [];
  let isAgreed = false;
  socket.removeAllListeners("data").on("data", (bytes: Buffer) => {
    if (isAgreed) {
      said.push(new Uint8Array(bytes));
      return;
    }
    const progress = handshake.push(new Uint8Array(bytes));
    if (progress.state === "failed") socket.destroy();
    else socket.write(progress.reply);
    if (progress.state !== "agreed") return;
    isAgreed = true;
    said.push(progress.agreement.received);
  });
  socket.write(first.reply);
  return { socket, said, closed, received };
}

test("an encrypted stranger gets our handshake", async () => {
  const listener = await TestListener.start({ infoHashes });
  const { said } = await offerTo(listener, offered);
  const link = await listener.nextLink();
  assert.deepEqual(link.remote, ours);
  while (concatBytes(said).length < 68) await nextTurn();
  assert.deepEqual(parseHandshake(concatBytes(said)), theirs);
});

test("a handshake for another torrent than the encryption's is closed", async () => {
  const listener = await TestListener.start({ infoHashes });
  const { closed } = await offerTo(listener, {
    ...offered,
    initial: encodeHandshake({ ...ours, infoHash: new Uint8Array(20) }),
  });
  await closed;
  assert.deepEqual(listener.asked, []);
});

test("a torrent that is not here, or not for that host, is closed", async () => {
  const listener = await TestListener.start({ infoHashes: () => [] });
  const { closed } = await offerTo(listener, offered);
  await closed;
  assert.deepEqual(listener.asked, []);
});

test("WIR-40 junk behind a key is closed when no pad is that long, and less of it after 10 s", async () => {
  const listener = await TestListener.start({ infoHashes });
  const key = mseCrypto.createKey().publicKey;
  const long = await rawClient(listener.address);
  long.socket.write(concatBytes([key, new Uint8Array(600)]));
  await long.closed;
  const short = await rawClient(listener.address);
  short.socket.write(concatBytes([key, new Uint8Array(500)]));
  while (Buffer.concat(short.received).length < KEY_LENGTH) await nextTurn();
  listener.clock.advance(10_000);
  await short.closed;
  assert.equal(listener.clock.pendingCount, 0);
});

test("a host gets so many key exchanges a second", async () => {
  const listener = await TestListener.start({ infoHashes, maxHandshakesPerHost: 100 });
  for (let i = 0; i < 32; i++) {
    const { socket, closed } = await rawClient(listener.address);
    socket.write(new Uint8Array(KEY_LENGTH));
    await closed;
  }
  const refused = await rawClient(listener.address);
  refused.socket.write("x");
  await refused.closed;
  listener.clock.advance(1000);
  await offerTo(listener, offered);
  await listener.nextLink();
});

test("a peer that closes plain connections is dialled encrypted", async () => {
  let connections = 0;
  const address = await rawServer((socket) => {
    connections++;
    const handshake = acceptMse(mseCrypto, () => ours.infoHash);
    socket.on("data", (bytes: Buffer) => {
      const isPlain = bytes[0] === 19;
      const progress = handshake.push(new Uint8Array(bytes));
      if (isPlain || progress.state === "failed") {
        socket.destroy();
        return;
      }
      socket.write(progress.reply);
      if (progress.state === "agreed") socket.write(encodeHandshake(theirs));
    });
  });
  const result = await dial(address);
  assert.ok("link" in result);
  assert.deepEqual(result.link.remote, theirs);
  assert.equal(connections, 2);
});

test("a peer that closes every connection is dialled twice", async () => {
  let connections = 0;
  const address = await rawServer((socket) => {
    connections++;
    socket.once("data", () => socket.destroy());
  });
  assert.deepEqual(await dial(address), { failure: { code: "remote-closed" } });
  assert.equal(connections, 2);
});
