/** The SourceNode in a server process. */
import { basename, dirname } from "node:path";
import { copyIntoSharedMemory } from "../../adapters/node/copy-bytes.ts";
import { sha1 } from "../../adapters/node/disk-hash.ts";
import { openDiskPieceStore } from "../../adapters/node/disk-piece-store.ts";
import { DiskPool } from "../../adapters/node/disk-pool.ts";
import { DiskContentInspector } from "../../adapters/node/content-inspector.ts";
import { createFilesHandler } from "../../adapters/node/files-handler.ts";
import { FilePublicationStore } from "../../adapters/node/files-publication-store.ts";
import type { FrontRoute } from "../../adapters/node/front-server.ts";
import { createHttpClient } from "../../adapters/node/http-client.ts";
import { readOrCreateKey } from "../../adapters/node/key-file.ts";
import { FileLedgerStore } from "../../adapters/node/ledger-file.ts";
import { createLoadProbe } from "../../adapters/node/load-probe.ts";
import { FileStagingStore } from "../../adapters/node/staging-store.ts";
import { createTicketVerifier, proveSource } from "../../adapters/node/ticket-keys.ts";
import { createTcpTransport } from "../../adapters/node/tcp-transport.ts";
import { toHex } from "../../base/bytes.ts";
import { formatIp, parseIp } from "../../base/ip-address.ts";
import { payloadRate } from "../../base/line-rate.ts";
import { TokenBucket } from "../../base/token-bucket.ts";
import type { SourceControlLink, SourceHello } from "../../ports/tracker-control.ts";
import type { SourceOrder } from "../../protocol/control/access-values.ts";
import { createPeerId, isSourcePeerId } from "../../protocol/wire/peer-id.ts";
import { PeerHost, unlimited } from "../../runtime/peer-host.ts";
import { createSourceNode, type SourceRole } from "../../source-node/create-source-node.ts";
import { SourceGate } from "../../source-node/source-gate.ts";
import type { SourceEvent } from "../../source-node/source-event.ts";
import { clientName } from "../version.ts";
import type { ServerSettings } from "../config.ts";
import { clientOf } from "./public-url.ts";
import type { ServerWorld } from "./server-world.ts";

/** An open SourceNode and its doors. */
export interface SourcePart {
  readonly source: SourceRole["source"];
  readonly peerPort: number;
  readonly routes: readonly FrontRoute[];
}

/** What joins a SourceNode to the rest. */
export interface SourceJoint {
  /** Opens its link to the Tracker; `onOrder` hears what that tells about access. */
  connect(hello: SourceHello, onOrder: (order: SourceOrder) => void): SourceControlLink;
  readonly onEvent: (event: SourceEvent) => void;
}

/** Opens the SourceNode over the world's data folder. */
export async function openSourcePart(world: ServerWorld, joint: SourceJoint): Promise<SourcePart> {
  const { settings, folder, clock, publicUrl } = world;
  const uploadLimit = new TokenBucket(payloadRate(settings.maxUpload));
  world.onReload(({ maxUpload }) => uploadLimit.setRate(payloadRate(maxUpload)));
  const gate = new SourceGate(clock, { verify: createTicketVerifier(), prove: proveSource });
  world.onClose(() => gate.close());
  const host = await openPeerHost(world, uploadLimit, gate);
  const peerPort = host.port as number;
  const sourceId = toHex(await readOrCreateKey(folder.pathOf("source.id")));
  const hello = { sourceId, peerHost: peerHostOf(settings), peerPort, publicUrl };
  // The role is made with the link; orders about swarms can wait for it, those of the gate cannot.
  const roles: SourceRole[] = [];
  const link = joint.connect(hello, (order) => {
    if (order.type !== "state" && order.type !== "watch") gate.handleOrder(order);
    else for (const each of roles) each.handleOrder(order);
  });
  world.onClose(() => link.close());
  const pool = new DiskPool();
  world.onClose(() => pool.close());
  const folders = {
    content: folder.pathOf("content"),
    staging: folder.pathOf("staging"),
    scratch: folder.pathOf("scratch"),
  };
  const staging = new FileStagingStore(folders.staging);
  world.onClose(() => staging.close());
  const role = await createSourceNode({
    clock,
    staging,
    publications: new FilePublicationStore(folders),
    inspector: new DiskContentInspector(pool),
    openStore: (path, info) =>
      openDiskPieceStore({
        info,
        directory: dirname(path),
        name: basename(path),
        mode: "seed",
        pool,
      }),
    ledgerStore: new FileLedgerStore(folder.pathOf("ledger")),
    host,
    link,
    openProbe: createLoadProbe,
    uploadLimit,
    sha1,
    admits: (torrent, address) => gate.admits(torrent, address, "http"),
    onEvent: joint.onEvent,
  });
  roles.push(role);
  world.onClose(() => role.close());
  const files = createFilesHandler({
    door: role.filesDoor,
    clock,
    uploadLimit,
    remoteHost: (request) => {
      const client = clientOf(request, settings.trustedProxies);
      return client === undefined ? "unknown" : formatIp(client.address);
    },
  });
  const routes = ["/files", "/webseed"].map((prefix) => ({ prefix, handle: files }));
  return { source: role.source, peerPort, routes };
}

async function openPeerHost(
  world: ServerWorld,
  uploadLimit: TokenBucket,
  gate: SourceGate,
): Promise<PeerHost> {
  const { settings, clock, random } = world;
  const host = new PeerHost(
    {
      clock,
      random,
      transport: createTcpTransport({
        clock,
        maxConnectionsPerNetwork: settings.maxConnectionsPerAddress,
        portOption: "--peer-port",
      }),
      http: createHttpClient({ clock }),
      copy: copyIntoSharedMemory,
      isSourceNode: isSourcePeerId,
    },
    {
      peerId: createPeerId("source", random),
      clientName,
      host: settings.host,
      port: settings.peerPort,
      uploadLimit,
      downloadLimit: unlimited(),
      admits: (torrent, address) => gate.admits(torrent, address, "bittorrent"),
      tickets: (infoHash) => gate.tickets(infoHash),
    },
  );
  gate.guard(() => host.closeUnadmitted());
  await host.listen();
  world.onClose(() => host.close());
  world.health.add("bittorrent-door", () =>
    host.port === undefined ? "it is not open any more: restart" : undefined,
  );
  return host;
}

/** The address to tell peers, when we know one better than the Tracker sees for itself. */
function peerHostOf({ peerHost, host }: ServerSettings): string | undefined {
  if (peerHost !== undefined) return peerHost;
  const isAddress = host !== undefined && parseIp(host) !== undefined;
  return isAddress && host !== "0.0.0.0" && host !== "::" ? host : undefined;
}
