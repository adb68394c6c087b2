import assert from "node:assert/strict";
import { test } from "node:test";
import { joinedPeer } from "../../test/support/served-peers.ts";
import { PieceGeometry } from "../protocol/metainfo/piece-geometry.ts";
import { Allocation } from "./allocation.ts";
import { Copies } from "./copies.ts";
import { Downloader } from "./downloader.ts";
import { GrantBook } from "./grant-book.ts";
import { Uplink } from "./uplink.ts";

/** Four pieces of 100 bytes; the last has 50. */
function aBook() {
  const geometry = new PieceGeometry(100, 350);
  const allocation = new Allocation(new Uplink(() => 0));
  const book = new GrantBook(geometry, allocation);
  const peers = [1, 2].map((key) => new Downloader(joinedPeer(key, { size: 4 }), `${key}`, 0, 0));
  const [one, two] = peers as [Downloader, Downloader];
  return { allocation, book, copies: new Copies(4), one, two };
}

test("what is on offer is open until the peer has it, and counts as sent once", () => {
  const { book, one } = aBook();
  assert.equal(book.neverSentFor(one), 0);
  const grant = book.open(10, one, 0);
  assert.deepEqual([book.openCount(0), one.grants.get(0)], [1, grant]);
  assert.equal(book.neverSentFor(one), 1);
  book.close(one, 0);
  book.close(one, 0);
  assert.deepEqual([book.openCount(0), one.grants.size], [0, 0]);
  assert.equal(book.neverSentFor(one), 1);
});

test("what was taken back and is nowhere outside is to be sent for the first time again", () => {
  const { book, copies, one, two } = aBook();
  for (const piece of [0, 1, 2, 3]) book.open(0, one, piece);
  assert.equal(book.isAllSent, true);
  copies.add(1);
  const grants = [...one.grants.values()];
  book.open(0, two, 2);
  for (const grant of grants) book.takeBack(one, grant, copies);
  assert.equal(book.isAllSent, false);
  assert.equal(book.neverSentFor(one), 0, "nobody has it");
  book.markSent(0);
  assert.equal(book.neverSentFor(one), 3, "1 has a copy, 2 is on offer to another");
});

test("a piece whose last copy is lost is to be sent again, and that it is needed is remembered", () => {
  const { book, copies } = aBook();
  for (const piece of [0, 1, 2, 3]) book.markSent(piece);
  copies.add(1);
  book.handleCopyLost(500, 1, copies);
  assert.equal(book.isAllSent, true);
  book.handleCopyLost(600, 2, copies);
  assert.equal(book.isAllSent, false);
  book.handleCopyLost(700, 1, copies);
  assert.deepEqual(
    [...book.thin],
    [
      [2, 600],
      [1, 700],
    ],
    "oldest first, from its last loss on",
  );
});

test("the uplink is taken for what is on offer, less what was sent, and given back for the rest", () => {
  const { allocation, book, copies, one } = aBook();
  assert.equal(allocation.hasRoom(100), true);
  const first = book.open(0, one, 0);
  const last = book.open(0, one, 3);
  assert.equal(allocation.hasRoom(100), false, "150 bytes of the room for two pieces are taken");
  book.handleSent(5, first, 60);
  assert.equal(first.sentAt, undefined);
  book.handleSent(6, first, 60);
  book.handleSent(7, first, 60);
  assert.deepEqual([first.sentBytes, first.sentAt], [100, 6], "what is sent twice counts once");
  book.close(one, 0);
  book.takeBack(one, last, copies);
  allocation.handleOffered(100);
  assert.equal(allocation.hasRoom(100), true);
  allocation.handleOffered(1);
  assert.equal(allocation.hasRoom(100), false, "all was given back, and nothing twice");
});

test("the best piece for a peer is one never sent, else the rarest, those on offer counted", () => {
  const { book, copies, one, two } = aBook();
  one.pieces.add(0);
  assert.equal(book.bestFor(one, copies), 1);
  for (const piece of [0, 1, 2, 3]) book.markSent(piece);
  copies.add(1);
  copies.add(2);
  copies.add(2);
  copies.add(3);
  book.open(0, two, 1);
  assert.equal(book.bestFor(one, copies), 3);
  one.shown.add(3);
  assert.equal(book.bestFor(one, copies), 1);
  one.shown.add(1);
  one.shown.add(2);
  assert.equal(book.bestFor(one, copies), undefined);
});
