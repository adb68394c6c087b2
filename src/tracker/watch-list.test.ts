import assert from "node:assert/strict";
import { test } from "node:test";
import { infoHash, otherInfoHash } from "../../test/support/participation.ts";
import type { InfoHash } from "../base/units.ts";
import { WatchList } from "./watch-list.ts";

const peer = (port: number) => ({ host: "192.0.2.1", port });

test("newcomers are told once, swarm by swarm", () => {
  const list = new WatchList();
  assert.deepEqual(list.take(), []);
  list.add(infoHash, peer(1));
  list.add(otherInfoHash, peer(2));
  list.add(infoHash, peer(3));
  assert.deepEqual(list.take(), [
    { type: "watch", infoHash, peers: [peer(1), peer(3)] },
    { type: "watch", infoHash: otherInfoHash, peers: [peer(2)] },
  ]);
  assert.deepEqual(list.take(), []);
});

test("a batch has a hundred newcomers of a swarm, and a thousand swarms at most", () => {
  const list = new WatchList();
  for (let port = 1; port <= 200; port++) list.add(infoHash, peer(port));
  for (let i = 0; i < 2000; i++) list.add(i.toString(16).padStart(40, "0") as InfoHash, peer(1));
  const orders = list.take();
  assert.equal(orders.length, 1000);
  assert.equal(orders[0]?.peers.length, 100);
  assert.equal(orders[0]?.peers[99]?.port, 100);
});
