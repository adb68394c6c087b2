/**
 * A program that writes a ledger until it is killed: `ledger-writer.ts FOLDER`. After each flush it
 * tells on its output how many bytes were added before.
 */
import { writeSync } from "node:fs";
import { FileLedgerStore } from "../../src/adapters/node/ledger-file.ts";
import { infoHashOf } from "../../src/base/bytes.ts";
import { LedgerKeeper } from "../../src/ledger/ledger-keeper.ts";
import { PieceGeometry } from "../../src/protocol/metainfo/piece-geometry.ts";
import { ManualClock } from "./source-world.ts";

/** The torrent whose ledger is written. */
export const ledgerInfoHash = infoHashOf(new Uint8Array(20).fill(0xcd));

/** Its shape. */
export const ledgerGeometry = new PieceGeometry(16 * 1024, 100 * 16 * 1024);

async function main([folder = ""]: readonly string[]): Promise<void> {
  const store = new FileLedgerStore(folder, { segmentBytes: 20_000 });
  const onFailure = (_: unknown, cause: unknown): never => {
    throw cause;
  };
  const options = { summaryIntervalBytes: 30_000 };
  const keeper = new LedgerKeeper({ clock: new ManualClock(), store, onFailure }, options);
  const ledger = await keeper.open(ledgerInfoHash, ledgerGeometry);
  for (let round = 0; ; round++) {
    for (let pieceIndex = 0; pieceIndex < 100; pieceIndex++) {
      ledger.nodeAt("http", `node-${round % 7}`).add(pieceIndex, 1 + pieceIndex);
    }
    await keeper.flush();
    writeSync(1, `${ledger.sentBytes}\n`);
  }
}

if (import.meta.main) await main(process.argv.slice(2));
