/** What the Peer role takes from the world, and what it tells of it. */
import type { CopyBytes } from "../base/bytes.ts";
import type { BtPublisherError } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import type { Clock } from "../ports/clock.ts";
import type { DatagramPort } from "../ports/datagrams.ts";
import type { DownloadStorage } from "../ports/download-storage.ts";
import type { HttpClient } from "../ports/http-client.ts";
import type { PeerTransport } from "../ports/peer-transport.ts";
import type { WebSocketPort } from "../ports/web-sockets.ts";
import type { VerifyTicket } from "../protocol/wire/ticket.ts";
import type { PeerClosed } from "../runtime/torrent-setup.ts";

/** The world of a Peer. */
export interface PeerPorts {
  readonly clock: Clock;
  readonly transport: PeerTransport;
  readonly http: HttpClient;
  /** Left out where there is no UDP. */
  readonly datagrams?: DatagramPort;
  /** Left out where there are no WebSockets. */
  readonly webSockets?: WebSocketPort;
  readonly random: Random;
  readonly downloads: DownloadStorage;
  /** How payload gets into piece buffers, where the platform has a faster way. */
  readonly copy?: CopyBytes;
  /** SHA-1 of bytes. */
  readonly sha1: (bytes: Uint8Array) => Uint8Array;
  /** For torrents whose peers show each other tickets. */
  readonly verifyTicket: VerifyTicket;
}

/** Something is wrong and will be tried again. */
export type Trouble =
  | {
      readonly type: "tracker";
      readonly url: string;
      readonly message: string;
      readonly isRefusal: boolean;
    }
  | { readonly type: "storage"; readonly error: BtPublisherError }
  /** What an earlier run left cannot be used; the content on disk is checked instead. */
  | { readonly type: "resume"; readonly error: BtPublisherError };

/** Hears why each connection of a download ended. */
export type OnPeerClosed = (event: PeerClosed) => void;

/** The part of AbortSignal that the role needs; the core has no platform types. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
}
