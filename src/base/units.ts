/**
 * Units and identifiers that everything uses.
 *
 * Numbers keep their unit in the name (`timeoutMs`, `rateBytesPerSecond`, `pieceLength` in bytes);
 * the aliases below say it in signatures too. Identifiers that must not be mixed up are branded.
 */

/** Monotonic milliseconds from an arbitrary origin. May have a fraction. Never a wall-clock time. */
export type Millis = number;

/** Wall-clock time as milliseconds since the Unix epoch; only at the edges (metainfo, logs, ledger). */
export type UnixMillis = number;

/** Index of a piece, 0 ≤ index < `PieceGeometry.pieceCount`. */
export type PieceIndex = number;

/** A v1 info hash (BEP 3) as 40 lower-case hexadecimal digits, so that it can be a map key. */
export type InfoHash = string & { readonly brand: "InfoHash" };

/** 20 bytes that name a peer for one session (BEP 3, BEP 20). */
export type PeerId = Uint8Array;

/** The request unit of the peer protocol: 16 KiB (BEP 3, by common practice). */
export const BLOCK_LENGTH = 16 * 1024;
