import { describePieceStoreContract } from "../../../test/contracts/piece-store.ts";
import { sha1 } from "../../../test/support/torrents.ts";
import { MemoryPieceStore } from "./memory-piece-store.ts";

describePieceStoreContract("MemoryPieceStore", (info) =>
  Promise.resolve(new MemoryPieceStore(info, { sha1 })),
);
