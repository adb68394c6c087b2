/** A Peer on this machine: the role joined with TCP, disk and HTTP. */
import { createDatagramPort } from "../../adapters/node/datagrams.ts";
import { createHttpClient } from "../../adapters/node/http-client.ts";
import { createSystemClock, createSystemRandom } from "../../adapters/node/clock.ts";
import { copyIntoSharedMemory } from "../../adapters/node/copy-bytes.ts";
import { DiskDownloadStorage } from "../../adapters/node/disk-download-storage.ts";
import { sha1 } from "../../adapters/node/disk-hash.ts";
import { DiskPool } from "../../adapters/node/disk-pool.ts";
import { createTicketVerifier } from "../../adapters/node/ticket-keys.ts";
import { createTcpTransport } from "../../adapters/node/tcp-transport.ts";
import { createWebSocketPort } from "../../adapters/node/web-sockets.ts";
import { Peer } from "../../peer/peer.ts";
import type { HttpClient } from "../../ports/http-client.ts";
import { clientName } from "../version.ts";

/** A Peer and what it stands on. */
export interface PeerNode {
  readonly peer: Peer;
  readonly http: HttpClient;
  readonly pool: DiskPool;
  /** Stops the Peer, then lets go of threads and files. */
  close(): Promise<void>;
}

/** What the command line says of a Peer. */
export interface PeerNodeOptions {
  /** Listening port; undefined or 0: any free one. */
  readonly port?: number | undefined;
  /** Bytes a second; undefined: no limit. */
  readonly maxUpload?: number | undefined;
  /** Bytes a second; undefined: no limit. */
  readonly maxDownload?: number | undefined;
}

/** A Peer that listens. @throws BtPublisherError UNAVAILABLE when the port is taken. */
export async function startPeerNode(options: PeerNodeOptions): Promise<PeerNode> {
  const clock = createSystemClock();
  const http = createHttpClient({ clock });
  const pool = new DiskPool();
  // It starts while we look for peers, so that the first piece finds it.
  pool.warmUp(1);
  const { port, maxUpload, maxDownload } = options;
  const peer = new Peer(
    {
      clock,
      transport: createTcpTransport({ clock, sleeps: true, portOption: "--port" }),
      http,
      datagrams: createDatagramPort(),
      webSockets: createWebSocketPort(),
      random: createSystemRandom(),
      downloads: new DiskDownloadStorage(pool),
      copy: copyIntoSharedMemory,
      sha1,
      verifyTicket: createTicketVerifier(),
    },
    {
      clientName,
      ...(port === undefined ? {} : { port }),
      ...(maxUpload === undefined ? {} : { maxUploadBytesPerSecond: maxUpload }),
      ...(maxDownload === undefined ? {} : { maxDownloadBytesPerSecond: maxDownload }),
    },
  );
  const close = async (): Promise<void> => {
    await peer.close();
    await pool.close();
  };
  try {
    await peer.listen();
  } catch (error) {
    await close();
    throw error;
  }
  return { peer, http, pool, close };
}
