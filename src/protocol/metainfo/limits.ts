/** What a torrent may have at most, whether we read it or write it. */

/** Bytes of a .torrent file, and of an info dictionary; libtorrent's limit. */
export const MAX_TORRENT_BYTES = 10_000_000;

/** Bytes of a piece: it must fit into memory several times over. */
export const MAX_PIECE_LENGTH = 64 * 1024 * 1024;

/** Pieces; libtorrent's limit. */
export const MAX_PIECE_COUNT = 2 ** 21;

/** Files; more than any real torrent has, and few enough to keep in memory. */
export const MAX_FILE_COUNT = 100_000;

/** Bytes of a file, and of all files together: what libtorrent takes at most. */
export const MAX_CONTENT_LENGTH = 2 ** 48 - 1;

/** Whether strict readers take `pieceLength`: a power of two of at least 16 KiB (BEP 52 rule). */
export function isCommonPieceLength(pieceLength: number): boolean {
  const exponent = Math.log2(pieceLength);
  return Number.isInteger(exponent) && exponent >= 14 && pieceLength <= MAX_PIECE_LENGTH;
}
