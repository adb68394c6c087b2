/**
 * A process to kill: commits the pieces of a made-up torrent in a seeded order and prints the index
 * of each as soon as the store says "stored". `node commit-forever.ts DIRECTORY SEED`
 */
import { writeSync } from "node:fs";
import { openDiskPieceStore } from "../../src/adapters/node/disk-piece-store.ts";
import { DiskPool } from "../../src/adapters/node/disk-pool.ts";
import { createRandom, shuffle } from "../../src/base/random.ts";
import { pieceBytes } from "./made-content.ts";
import { killContent } from "./kill-content.ts";

const [directory = "", seed = "0"] = process.argv.slice(2);
const { info } = killContent;
const store = await openDiskPieceStore({
  info,
  directory,
  mode: "download",
  pool: new DiskPool(),
});
const order = shuffle([...Array(info.geometry.pieceCount).keys()], createRandom(Number(seed)));
await Promise.all(
  order.map(async (pieceIndex) => {
    const buffer = store.takeBuffer(pieceIndex);
    buffer.set(pieceBytes(killContent, pieceIndex));
    const result = await store.commit(pieceIndex, buffer);
    if (result === "stored") writeSync(1, `${pieceIndex}\n`);
  }),
);
// The pool is left open on purpose: it must not keep the process alive.
