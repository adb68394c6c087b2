/** Tests of when a download gives up. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Trouble } from "../peer/peer-ports.ts";
import { Patience, type Signs } from "./patience.ts";

const MINUTE = 60_000;
const nothing: Signs = { bytes: 0, connections: 0, isOffered: false };

function trouble(isRefusal: boolean): Trouble {
  return { type: "tracker", url: "http://t.example/announce", message: "no", isRefusal };
}

/** When patience with a download that shows `signs` ends, to the second, within an hour. */
function endsAt(patience: Patience, signs: Signs): number | undefined {
  for (let now = 0; now <= 60 * MINUTE; now += 1000) {
    if (patience.look(now, signs) !== undefined) return now;
  }
  return undefined;
}

test("CLI-06 where nobody ever answered it ends after two minutes", () => {
  const patience = new Patience(undefined, 0);
  patience.hear(trouble(false));

  assert.equal(endsAt(patience, nothing), 2 * MINUTE);
  assert.equal(patience.look(3 * MINUTE, nothing)?.code, "TRK_UNREACHABLE");
});

test("CLI-07 where a tracker refuses and nobody else answers it ends at once", () => {
  const patience = new Patience(undefined, 0);
  patience.hear(trouble(true));

  assert.equal(endsAt(patience, nothing), 15_000);
  assert.equal(patience.look(MINUTE, nothing)?.code, "DENIED");
});

test("a refusal does not matter while somebody has what is missing", () => {
  const patience = new Patience(undefined, 0);
  patience.hear(trouble(true));

  assert.equal(endsAt(patience, { bytes: 0, connections: 1, isOffered: true }), 10 * MINUTE);
});

test("CLI-07 a refusal ends it although others are connected who lack the same", () => {
  const patience = new Patience(undefined, 0);
  patience.look(0, { bytes: 1, connections: 3, isOffered: true });
  patience.hear(trouble(true));

  const stuck = { bytes: 1, connections: 2, isOffered: false };
  assert.equal(endsAt(patience, stuck), 15_000);
  assert.equal(patience.look(MINUTE, stuck)?.code, "DENIED");
});

test("what the server has withdrawn ends soon where nobody else has it, and says why", () => {
  const patience = new Patience(undefined, 0);
  patience.hearNotice("not served at the moment: a.iso was changed");

  assert.equal(endsAt(patience, { bytes: 0, connections: 1, isOffered: true }), 10 * MINUTE);
  assert.equal(endsAt(new Patience(undefined, 0), nothing), 2 * MINUTE);
  const why = patience.look(11 * MINUTE, nothing);
  assert.equal(why?.code, "UNAVAILABLE");
  assert.match(why?.message ?? "", /a\.iso was changed/);
});

test("of a magnet link it says that nobody gave the metadata, how many were named, and what to do", () => {
  const patience = new Patience(undefined, 0);
  patience.hear(trouble(false));
  assert.equal(patience.look(MINUTE, { ...nothing, bytes: 16_384, namedPeers: 3 }), undefined);

  const why = patience.look(11 * MINUTE, { ...nothing, bytes: 16_384, namedPeers: 3 });
  assert.equal(why?.code, "TRK_UNREACHABLE");
  assert.match(why?.message ?? "", /metadata .* for 10:00: 3 peers were named \(tracker .*--peer/);
  const alone = new Patience(undefined, 0).look(2 * MINUTE, { ...nothing, namedPeers: 0 });
  assert.match(alone?.message ?? "", /no peer was named;/);
});

test("what arrives renews it", () => {
  const patience = new Patience(undefined, 0);
  for (let i = 1; i < 100; i++) {
    assert.equal(patience.look(i * 5 * MINUTE, { ...nothing, bytes: i }), undefined);
  }
});

test("silence after success is borne for longer", () => {
  const patience = new Patience(undefined, 0);
  patience.look(0, { bytes: 1, connections: 1, isOffered: true });

  assert.equal(endsAt(patience, { ...nothing, bytes: 1 }), 10 * MINUTE);
});

test("the user's limit stands for all, and 0 for none", () => {
  assert.equal(endsAt(new Patience(5000, 0), nothing), 5000);
  assert.equal(endsAt(new Patience(5000, 0), { ...nothing, connections: 3 }), 5000);
  const endless = new Patience(0, 0);
  endless.hear(trouble(true));
  assert.equal(endsAt(endless, nothing), undefined);
});
