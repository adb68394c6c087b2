/**
 * A process to kill: downloads a made-up torrent from nowhere in a seeded order, and prints the
 * index of each piece as soon as the store says "stored". `node commit-forever.ts DIRECTORY SEED`
 */
import { writeSync } from "node:fs";
import { DiskDownloadStorage } from "../../src/adapters/node/disk-download-storage.ts";
import { DiskPool } from "../../src/adapters/node/disk-pool.ts";
import { createRandom, shuffle } from "../../src/base/random.ts";
import { killContent, killMetainfo } from "./kill-content.ts";
import { pieceBytes } from "./made-content.ts";

const [directory = "", seed = "0"] = process.argv.slice(2);
const storage = new DiskDownloadStorage(new DiskPool());
const { store, have } = await storage.open(killMetainfo, { directory, overwrite: false });
const { pieceCount } = killContent.info.geometry;
await Promise.all(
  shuffle([...Array(pieceCount).keys()], createRandom(Number(seed))).map(async (pieceIndex) => {
    if (have.has(pieceIndex)) return;
    const buffer = store.takeBuffer(pieceIndex);
    buffer.set(pieceBytes(killContent, pieceIndex));
    if ((await store.commit(pieceIndex, buffer)) === "stored") writeSync(1, `${pieceIndex}\n`);
  }),
);
// Neither the download nor the pool is closed: they must not keep the process alive.
