import assert from "node:assert/strict";
import { test } from "node:test";
import type { InfoHash } from "../base/units.ts";
import type { TorrentAccess } from "../protocol/control/access-values.ts";
import { Admissions } from "./admissions.ts";

const infoHash = "ab".repeat(20) as InfoHash;
const doors = ["bittorrent", "http"] as const;
const forMs = 60_000;

/** What a door answers to a stranger and to whoever was admitted: the matrix of all doors. */
const matrix: readonly {
  readonly level: TorrentAccess["level"] | undefined;
  readonly isPrivate: boolean;
  readonly stranger: Readonly<Record<(typeof doors)[number], boolean>>;
}[] = [
  { level: "open", isPrivate: false, stranger: { bittorrent: true, http: true } },
  { level: "open", isPrivate: true, stranger: { bittorrent: true, http: true } },
  { level: "tracker", isPrivate: true, stranger: { bittorrent: true, http: false } },
  { level: "admitted", isPrivate: true, stranger: { bittorrent: false, http: false } },
  { level: "ticketed", isPrivate: true, stranger: { bittorrent: false, http: false } },
  { level: undefined, isPrivate: false, stranger: { bittorrent: true, http: true } },
  { level: undefined, isPrivate: true, stranger: { bittorrent: false, http: false } },
];

test("A1 S1 every door of the source, every level: strangers and those who are admitted", () => {
  for (const { level, isPrivate, stranger } of matrix) {
    const admissions = new Admissions();
    if (level !== undefined) {
      admissions.handleOrder(0, { type: "guard", torrents: [{ infoHash, level }] });
    }
    const known = { infoHash, host: "192.0.2.1", principal: "u1", forMs };
    admissions.handleOrder(0, { type: "admit", admissions: [known] });
    for (const door of doors) {
      const torrent = { infoHash, isPrivate };
      const place = `${level} ${isPrivate} ${door}`;
      assert.equal(admissions.admits(1, torrent, "192.0.2.2", door), stranger[door], place);
      assert.equal(admissions.admits(1, torrent, "192.0.2.1", door), true, place);
    }
  }
});

test("T13 who is revoked is out at once, whoever else is at that address is not", () => {
  const admissions = new Admissions();
  const torrent = { infoHash, isPrivate: true };
  admissions.handleOrder(0, { type: "guard", torrents: [{ infoHash, level: "admitted" }] });
  const at = (host: string, principal: string) => ({ infoHash, host, principal, forMs });
  admissions.handleOrder(0, {
    type: "admit",
    admissions: [at("192.0.2.1", "u1"), at("192.0.2.1", "u2"), at("2001:db8::1", "u1")],
  });

  const revocations = [{ infoHash, principal: "u1" }];
  assert.equal(admissions.handleOrder(1, { type: "revoke", revocations }), true);

  assert.equal(admissions.admits(1, torrent, "192.0.2.1", "bittorrent"), true);
  assert.equal(admissions.admits(1, torrent, "2001:db8::1", "bittorrent"), false);
});

test("an admission ends by itself, and lasts longer when it is told again", () => {
  const admissions = new Admissions();
  const torrent = { infoHash, isPrivate: true };
  const known = { infoHash, host: "192.0.2.1", principal: "u1", forMs };
  admissions.handleOrder(0, { type: "admit", admissions: [known] });
  assert.equal(admissions.sweep(forMs - 1), false);
  admissions.handleOrder(forMs - 1, { type: "admit", admissions: [known] });
  assert.equal(admissions.admits(forMs, torrent, "192.0.2.1", "http"), true);

  assert.equal(admissions.admits(2 * forMs, torrent, "192.0.2.1", "http"), false);
  assert.equal(admissions.sweep(2 * forMs), true);
  assert.equal(admissions.sweep(2 * forMs), false);
});
