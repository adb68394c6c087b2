/** What the SourceNode needs of the runtime that plays torrents; `PeerHost` satisfies it. */
import type { InfoHash } from "../base/units.ts";
import type { PeerAddress } from "../ports/peer-transport.ts";
import type { TorrentRoleOptions } from "../runtime/peer-host.ts";
import type { TorrentContent, TorrentEvents, TorrentFigures } from "../runtime/torrent-setup.ts";

export interface SeedHost {
  /** Begins to serve; the info hash must be new. */
  add(content: TorrentContent, events: TorrentEvents, role: TorrentRoleOptions): unknown;
  /** Ends serving; afterwards nothing reads from the store, which stays open. Idempotent. */
  remove(infoHash: InfoHash): Promise<void>;
  /** Peers of a torrent to connect to; does nothing when it is not served. */
  addAddresses(infoHash: InfoHash, addresses: readonly PeerAddress[]): void;
  figures(infoHash: InfoHash): TorrentFigures | undefined;
}
