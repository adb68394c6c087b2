/** From a magnet link to a metainfo: asks its trackers for peers, and those for the info (BEP 9). */
import { BtPublisherError, unwrap } from "../base/errors.ts";
import type { PeerAddress } from "../ports/peer-transport.ts";
import type { Magnet } from "../protocol/metainfo/magnet.ts";
import type { Metainfo } from "../protocol/metainfo/metainfo.ts";
import { parseInfo } from "../protocol/metainfo/parse.ts";
import { MetadataFetcher, type MetadataProgress } from "../runtime/metadata-fetcher.ts";
import { TrackerClient } from "../runtime/tracker-client.ts";
import type { AbortSignalLike, PeerPorts, Trouble } from "./peer-ports.ts";

/** The length is not known yet; BEP 3 wants a number, and 0 would mean a seed. */
const UNKNOWN_LEFT = 16 * 1024;

/** @throws BtPublisherError CANCELLED; a META code when the info, though right, cannot be used. */
export async function fetchMetainfo(
  ports: PeerPorts,
  magnet: Magnet,
  options: {
    readonly peerId: Uint8Array;
    readonly clientName: string;
    readonly port: number;
    readonly peers: readonly PeerAddress[];
    readonly onTrouble: (trouble: Trouble) => void;
    readonly onProgress: (progress: MetadataProgress) => void;
    readonly signal?: AbortSignalLike;
  },
): Promise<Metainfo> {
  const { infoHash } = magnet;
  const { peerId, clientName, port, signal } = options;
  const found = Promise.withResolvers<Uint8Array>();
  const torrent = { infoHash, peerId, clientName };
  const { onProgress } = options;
  const fetcher = new MetadataFetcher(ports, torrent, { onFound: found.resolve, onProgress });
  const trackers = new TrackerClient(
    ports,
    { infoHash, peerId, port, tiers: magnet.trackers.map((url) => [url]) },
    {
      facts: () => ({ uploaded: 0, downloaded: 0, left: UNKNOWN_LEFT, isLonely: true }),
      handlePeers: (peers) => fetcher.addAddresses(peers),
      handleFailure: (failure) => options.onTrouble({ type: "tracker", ...failure }),
    },
  );
  const cancel = () =>
    found.reject(new BtPublisherError("CANCELLED", "stopped before the metadata was found"));
  signal?.addEventListener("abort", cancel);
  if (signal?.aborted === true) cancel();
  try {
    fetcher.addAddresses([...options.peers, ...magnet.peers]);
    trackers.start();
    const info = unwrap(parseInfo(await found.promise, { sha1: ports.sha1 }));
    return {
      info,
      announceTiers: magnet.trackers.map((url) => [url]),
      webSeeds: magnet.webSeeds,
      comment: undefined,
      createdBy: undefined,
      creationDate: undefined,
    };
  } finally {
    signal?.removeEventListener("abort", cancel);
    fetcher.stop();
    // The download announces itself next, so this goodbye need not be waited for.
    void trackers.stop();
  }
}
