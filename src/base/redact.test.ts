import assert from "node:assert/strict";
import { test } from "node:test";
import { redactSecrets } from "./redact.ts";

const key = "0123456789abcdef0123456789abcdef01234567";
const secret = "A-b_".repeat(11).slice(0, 43);

test("tokens and keys go, all else stays", () => {
  const table = [
    [`http://t.example/announce/${key}`, "http://t.example/announce/[redacted]"],
    [
      `udp://t.example:69/announce/${key}?x=1 failed`,
      "udp://t.example:69/announce/[redacted]?x=1 failed",
    ],
    [`"wss://t.example/announce/${key}"`, `"wss://t.example/announce/[redacted]"`],
    [`GET /scrape/${key}?info_hash=a`, "GET /scrape/[redacted]?info_hash=a"],
    [
      `http://t.example/announce.php?passkey=${key}&a=b`,
      "http://t.example/announce.php?passkey=[redacted]&a=b",
    ],
    [`token btp_${secret}.`, "token btp_[redacted]."],
    [`btpt_0123456789abcdef_${secret}`, "btpt_[redacted]"],
    [`https://f.example/setup#btps_${secret}`, "https://f.example/setup#btps_[redacted]"],
    [
      `magnet:?xt=urn:btih:ab&tr=http%3A%2F%2Ft.example%2Fannounce%2F${key}&ws=x`,
      "magnet:?xt=urn:btih:ab&tr=http%3A%2F%2Ft.example%2Fannounce%2F[redacted]&ws=x",
    ],
    [
      `tr=http%3A%2F%2Ft.example%2Fa.php%3Fpasskey%3D${key}%26x`,
      "tr=http%3A%2F%2Ft.example%2Fa.php%3Fpasskey%3D[redacted]%26x",
    ],
    [
      "http://f.example/files/x/announce/notes-of-the-day.txt",
      "http://f.example/files/x/announce/notes-of-the-day.txt",
    ],
    ["http://t.example/announce", "http://t.example/announce"],
    ["http://f.example/p/announce-notes", "http://f.example/p/announce-notes"],
    ["btp_short", "btp_short"],
  ] as const;
  for (const [text, redacted] of table) assert.equal(redactSecrets(text), redacted);
});
