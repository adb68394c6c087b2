import assert from "node:assert/strict";
import { test } from "node:test";
import type { SourceControlLink, TrackerControl } from "../../ports/tracker-control.ts";
import { encodeControlMessage } from "../../protocol/control/messages.ts";
import { ControlSession } from "./control-session.ts";

test("a request that waits when the connection ends is not carried out after those of the next", async () => {
  const carriedOut: string[] = [];
  const isWorking = Promise.withResolvers<void>();
  const link: SourceControlLink = {
    register: async ({ name }) => {
      carriedOut.push(name);
      await isWorking.promise;
    },
    unregister: async () => {},
    report: () => {},
    reportSwarm: () => {},
    close: async () => {},
  };
  const tracker: TrackerControl = {
    attachSource: () => link,
    attachAnnouncer: () => assert.fail("it is a SourceNode"),
  };
  const session = new ControlSession(tracker, {
    role: "source",
    address: "127.0.0.1",
    send: () => {},
    end: (reason) => assert.fail(reason),
  });
  const hello = { sourceId: "ab", peerHost: undefined, peerPort: 1, publicUrl: "http://x" };
  session.handleMessage(encodeControlMessage({ type: "hello", hello }));
  for (const [id, name] of ["first", "second"].entries()) {
    const torrent = { contentLength: 1, pieceCount: 1, isPrivate: false };
    const infoHash = "0".repeat(40) as Parameters<SourceControlLink["unregister"]>[0];
    const registrations = [{ infoHash, name, ...torrent }];
    session.handleMessage(encodeControlMessage({ type: "register", id, registrations }));
  }
  await Promise.resolve();
  session.close();
  isWorking.resolve();
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(carriedOut, ["first"]);
});
