/** What holds up an answer, and what does not. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { TorrentWorld } from "../../../test/support/torrent-world.ts";
import { anInfo, someContent } from "../../../test/support/torrents.ts";
import { Bitfield } from "../../base/bitfield.ts";
import { BLOCK_LENGTH } from "../../base/units.ts";
import type { BlockRef } from "../../protocol/metainfo/piece-geometry.ts";
import type { TorrentOutput } from "./torrent-state.ts";
import type { ServingController } from "./serving.ts";

/** 16 blocks: four of the smallest batches. */
const info = anInfo(someContent(16 * BLOCK_LENGTH), 16 * BLOCK_LENGTH);
const blocks: readonly BlockRef[] = Array.from({ length: 16 }, (_, i) => ({
  pieceIndex: 0,
  begin: i * BLOCK_LENGTH,
  length: BLOCK_LENGTH,
}));

function servedPeers(outputs: readonly TorrentOutput[]): readonly number[] {
  return outputs.flatMap((output) => (output.type === "send-blocks" ? [output.peer] : []));
}

function interestedPeer(world: TorrentWorld): number {
  const peer = world.connect();
  world.say(peer, { type: "interested" });
  return peer;
}

/** Shows everything, and rests whom it is told to. */
class Resting implements ServingController {
  readonly rests = new Map<number, boolean>();
  handleJoined(): void {}
  handlePieces(): void {}
  handleHave(): void {}
  handleRequest(): void {}
  handleDropped(): void {}
  handleSent(): void {}
  handleReport(): void {}
  handleLeft(): void {}
  handleTimeout(): void {}
  nextTimeout(): undefined {}
  isShown(): boolean {
    return true;
  }
  takeShows(): readonly [] {
    return [];
  }
  takeFloorNews(): readonly [] {
    return [];
  }
  takeRests(): ReadonlyMap<number, boolean> {
    const rests = new Map(this.rests);
    this.rests.clear();
    return rests;
  }
}

test("a peer that takes its batches too slowly stops nobody else for longer than 2 s", () => {
  const world = new TorrentWorld(info, { have: Bitfield.full(1) });
  const slow = interestedPeer(world);
  const other = interestedPeer(world);
  assert.deepEqual(servedPeers(world.request(slow, ...blocks)), [slow, slow]);
  assert.deepEqual(servedPeers(world.request(other, ...blocks)), [], "two batches are under way");
  assert.deepEqual(servedPeers(world.wait(3000)), [other, other]);
});

test("a source waits for nobody", () => {
  const world = new TorrentWorld(info, { have: Bitfield.full(1), serving: new Resting() });
  const [slow, other] = [interestedPeer(world), interestedPeer(world)];
  world.request(slow, ...blocks);
  assert.deepEqual(servedPeers(world.request(other, ...blocks)), [other, other]);
});

test("a peer that rests is choked until it may ask again", () => {
  const serving = new Resting();
  const world = new TorrentWorld(info, { have: Bitfield.full(1), serving });
  const peer = interestedPeer(world);
  const said = (): readonly string[] =>
    world.wait(1000).flatMap((output) => (output.type === "send" ? [output.message.type] : []));
  serving.rests.set(peer, true);
  assert.deepEqual(said(), ["choke"]);
  world.say(peer, { type: "not-interested" }, { type: "interested" });
  assert.deepEqual(said(), [], "asking for it does not help");
  serving.rests.set(peer, false);
  assert.deepEqual(said(), ["unchoke"]);
});
