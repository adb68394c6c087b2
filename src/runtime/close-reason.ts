/** Why a link ended, in words for a log. */
import { assertNever } from "../base/assert.ts";
import type { LinkCloseReason } from "../ports/peer-transport.ts";

/** One line, without a name or an address. */
export function closeReasonText(reason: LinkCloseReason): string {
  switch (reason.code) {
    case "remote-closed":
      return "the other side closed";
    case "connect-failed":
    case "network-error":
      return `${reason.code}: ${reason.message}`;
    case "handshake-timeout":
      return "no handshake in time";
    case "wrong-info-hash":
      return "another torrent";
    case "violation":
      return `it broke the protocol: ${reason.violation.code}`;
    case "send-timeout":
      return "it took nothing for too long";
    case "local":
      return `closed here: ${reason.why}`;
    default:
      return assertNever(reason);
  }
}
