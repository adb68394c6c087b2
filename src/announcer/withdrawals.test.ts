/** What readers are told of publications that are not served. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeContentService } from "../../test/support/fake-content-service.ts";
import { SteppedClock } from "../../test/support/stepped-clock.ts";
import { BtPublisherError } from "../base/errors.ts";
import type { Withdrawal } from "../ports/content-service.ts";
import { Withdrawals, withdrawalText } from "./withdrawals.ts";

const changed: Withdrawal = { name: "a", reason: "file-changed", path: "a.iso" };

function world() {
  const content = new FakeContentService();
  const clock = new SteppedClock();
  return { content, clock, withdrawals: new Withdrawals(content, clock) };
}

test("a crowd asks once a second", async () => {
  const { content, clock, withdrawals } = world();
  let asked = 0;
  content.before = () => void asked++;
  await Promise.all([withdrawals.look(), withdrawals.look()]);
  assert.equal(asked, 1);

  content.withdrawn = [changed];
  clock.advance(1001);
  assert.deepEqual([...(await withdrawals.look()).values()], [changed]);
  assert.equal(asked, 2);
});

test("while the SourceNode is away, or does not answer, what was last known stays", async () => {
  const { content, clock, withdrawals } = world();
  content.withdrawn = [changed];
  await withdrawals.look();

  content.before = () => {
    throw new BtPublisherError("UNAVAILABLE", "away");
  };
  clock.advance(1001);
  assert.equal((await withdrawals.look()).get("a"), changed);

  content.before = () => new Promise(() => undefined);
  clock.advance(1001);
  const look = withdrawals.look();
  clock.advance(2000);
  assert.equal((await look).get("a"), changed);
  assert.equal(clock.pendingCount, 0);
});

test("each reason names the file and what to do", () => {
  assert.match(withdrawalText(changed), /^a\.iso was changed .*publish it anew/);
  assert.match(withdrawalText({ ...changed, reason: "file-missing" }), /^a\.iso is missing/);
  for (const reason of ["not-removed", "damaged"] as const) {
    assert.match(withdrawalText({ name: "a", reason, path: undefined }), /unpublish it/);
  }
});
