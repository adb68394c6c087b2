/** The torrent that processes work on when they are killed: pieces over files, and files over pieces. */
import type { Metainfo } from "../../src/protocol/metainfo/metainfo.ts";
import { makeContent } from "./made-content.ts";

export const killContent = makeContent({
  name: "killed",
  pieceLength: 64 * 1024,
  files: [
    { path: "small/1", length: 10_000 },
    { path: "small/2", length: 1 },
    { path: "big", length: 2_000_000 },
    { path: "small/3", length: 100_000 },
  ],
});

export const killMetainfo: Metainfo = {
  info: killContent.info,
  announceTiers: [],
  webSeeds: [],
  comment: undefined,
  createdBy: undefined,
  creationDate: undefined,
};
