/**
 * Which program a peer id says that it is (BEP 20), for people. A claim of a stranger: only known
 * programs get a name, so that nothing else of it comes on any page.
 */
import { latin1 } from "../../base/bytes.ts";

const AZUREUS: Readonly<Record<string, string>> = {
  A2: "aria2",
  AZ: "Vuze",
  BC: "BitComet",
  BI: "BiglyBT",
  BP: "BTPublisher",
  BS: "BTPublisher SourceNode",
  BT: "BitTorrent",
  DE: "Deluge",
  FD: "Free Download Manager",
  KT: "KTorrent",
  LT: "libtorrent",
  TR: "Transmission",
  TX: "Tixati",
  UT: "µTorrent",
  UW: "µTorrent Web",
  WW: "WebTorrent",
  qB: "qBittorrent",
  lt: "rTorrent",
  rB: "rqbit",
};

/** Programs that do not keep to a style. */
const OTHERS = [
  [/^A2-(\d+)-(\d+)-(\d+)/, "aria2"],
  [/^M(\d+)-(\d+)-(\d+)-/, "BitTorrent"],
] as const;

/** `qBittorrent 4.6.2`, or `unknown`. `peerId`: 20 bytes. */
export function clientNameOf(peerId: Uint8Array): string {
  const text = latin1(peerId);
  for (const [pattern, name] of OTHERS) {
    const version = pattern.exec(text);
    if (version !== null) return `${name} ${version.slice(1).join(".")}`;
  }
  const [, code = "", version = ""] = /^-([A-Za-z][A-Za-z0-9])([0-9A-Za-z]{4})-/.exec(text) ?? [];
  const name = Object.hasOwn(AZUREUS, code) ? AZUREUS[code] : undefined;
  return name === undefined ? "unknown" : `${name} ${versionText(version)}`;
}

/** `4620` is 4.6.2: digits and letters are the parts, and a last zero says nothing. */
function versionText(version: string): string {
  const parts = version.split("").map((digit) => Number.parseInt(digit, 36));
  if (parts.at(-1) === 0) parts.pop();
  return parts.join(".");
}
