import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { describePieceStoreContract } from "../../../test/contracts/piece-store.ts";
import { openDiskPieceStore } from "./disk-piece-store.ts";
import { DiskPool } from "./disk-pool.ts";

const pool = new DiskPool();
const root = await mkdtemp(join(tmpdir(), "btpublisher-store-"));
after(async () => {
  await pool.close();
  await rm(root, { recursive: true });
});

describePieceStoreContract("DiskPieceStore", async (info) => {
  const directory = await mkdtemp(join(root, "d-"));
  return openDiskPieceStore({ info, directory, mode: "download", pool });
});
