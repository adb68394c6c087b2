import assert from "node:assert/strict";
import { test } from "node:test";
import type { Grant, Scope, UserRole } from "../ports/access-store.ts";
import type { CatalogueName } from "../ports/catalogue.ts";
import {
  decideAdmin,
  decideDownload,
  decideManage,
  decidePublish,
  decideStats,
  downloadEndsAt,
} from "./decisions.ts";
import { anonymous, type Principal, scopesOfRole } from "./principal.ts";

const NOW = 1_000_000;

function userAs(
  role: UserRole,
  more: { scopes?: readonly Scope[]; grants?: readonly Grant[]; isDisabled?: boolean } = {},
): Principal {
  const { scopes = scopesOfRole[role], grants = [], isDisabled = false } = more;
  const user = { id: "u1", name: "u", role, passwordHash: undefined, createdAt: 0, isDisabled };
  return { type: "user", user, scopes, grants };
}

function grantOf(changes: Partial<Grant>): Grant {
  return {
    id: "g1",
    userId: "u1",
    right: "download",
    target: { type: "publication", name: "thing" },
    createdAt: 600,
    expiresAt: undefined,
    ...changes,
  };
}

const thing = (catalogue: CatalogueName, ownerId?: string) => ({
  name: "thing",
  createdAt: 500,
  access: { catalogue, level: "tracker" as const, ownerId },
});

test("who may download: everybody, every account, or whoever was granted it", () => {
  const table = [
    [anonymous, "public", true, "public"],
    [anonymous, "members", false, "no-account"],
    [anonymous, "private", false, "no-account"],
    [userAs("downloader"), "members", true, "member"],
    [userAs("downloader"), "private", false, "no-grant"],
    [userAs("publisher"), "private", false, "no-grant"],
    [userAs("maintainer"), "private", true, "maintainer"],
    [{ type: "owner" }, "private", true, "owner"],
    [userAs("maintainer", { scopes: ["publish"] }), "private", false, "no-scope"],
    [userAs("downloader", { isDisabled: true }), "members", false, "no-scope"],
    [userAs("downloader", { grants: [grantOf({})] }), "private", true, "grant"],
  ] as const;
  for (const [principal, catalogue, isAllowed, reason] of table) {
    assert.deepEqual(decideDownload(principal, thing(catalogue), NOW), { isAllowed, reason });
  }
  assert.equal(decideDownload(userAs("publisher"), thing("private", "u1"), NOW).reason, "own");
});

test("a grant counts for its user's right, target and time, and for no later thing of that name", () => {
  const table = [
    [grantOf({ expiresAt: NOW + 1 }), true],
    [grantOf({ expiresAt: NOW }), false],
    [grantOf({ target: { type: "publication", name: "other" } }), false],
    [grantOf({ target: { type: "catalogue", catalogue: "private" } }), true],
    [grantOf({ target: { type: "catalogue", catalogue: "members" } }), false],
    [grantOf({ right: "publish", target: { type: "catalogue", catalogue: "private" } }), false],
    [grantOf({ createdAt: 499 }), false],
  ] as const;
  for (const [grant, isAllowed] of table) {
    const principal = userAs("downloader", { grants: [grant] });
    const decision = decideDownload(principal, thing("private"), NOW);
    assert.equal(decision.isAllowed, isAllowed, JSON.stringify(grant));
  }
});

test("a right ends with the last grant for it", () => {
  const ends = (...grants: readonly Grant[]) =>
    downloadEndsAt(userAs("downloader", { grants }), thing("private"), NOW);
  assert.equal(ends(grantOf({ expiresAt: NOW + 5 }), grantOf({ expiresAt: NOW + 9 })), NOW + 9);
  assert.equal(ends(grantOf({ expiresAt: NOW + 5 }), grantOf({})), undefined);
  assert.equal(downloadEndsAt(userAs("maintainer"), thing("private"), NOW), undefined);
});

test("A10 nobody publishes, manages or administers who was not named for it", () => {
  const publishGrant = grantOf({
    right: "publish",
    target: { type: "catalogue", catalogue: "members" },
  });
  const publisher = userAs("publisher", { grants: [publishGrant] });
  const downloader = userAs("downloader", { grants: [publishGrant] });
  assert.equal(decidePublish(publisher, "members", NOW).isAllowed, true);
  assert.equal(decidePublish(publisher, "private", NOW).isAllowed, false);
  assert.equal(decidePublish(downloader, "members", NOW).isAllowed, false);
  assert.equal(decidePublish(anonymous, "public", NOW).isAllowed, false);
  assert.equal(decideManage(publisher, thing("members", "u1")).isAllowed, true);
  assert.equal(decideManage(publisher, thing("members", "u2")).isAllowed, false);
  assert.equal(decideStats(publisher, thing("public", "u1")).isAllowed, true);
  assert.equal(decideStats(publisher, thing("public", undefined)).isAllowed, false);
  for (const principal of [anonymous, downloader, publisher]) {
    assert.equal(decideAdmin(principal).isAllowed, false);
  }
  assert.equal(decideAdmin(userAs("maintainer", { scopes: ["publish"] })).isAllowed, false);
  assert.equal(decideAdmin(userAs("maintainer")).isAllowed, true);
});
