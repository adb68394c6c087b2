/** Tests of when a download gives up. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Trouble } from "../peer/peer-ports.ts";
import { Patience, type Signs } from "./patience.ts";

const MINUTE = 60_000;
const nothing: Signs = { bytes: 0, connections: 0 };

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

test("a refusal does not matter while somebody is connected", () => {
  const patience = new Patience(undefined, 0);
  patience.hear(trouble(true));

  assert.equal(endsAt(patience, { bytes: 0, connections: 1 }), 10 * MINUTE);
});

test("what arrives renews it", () => {
  const patience = new Patience(undefined, 0);
  for (let i = 1; i < 100; i++) {
    assert.equal(patience.look(i * 5 * MINUTE, { bytes: i, connections: 0 }), undefined);
  }
});

test("silence after success is borne for longer", () => {
  const patience = new Patience(undefined, 0);
  patience.look(0, { bytes: 1, connections: 1 });

  assert.equal(endsAt(patience, { bytes: 1, connections: 0 }), 10 * MINUTE);
});

test("the user's limit stands for all, and 0 for none", () => {
  assert.equal(endsAt(new Patience(5000, 0), nothing), 5000);
  assert.equal(endsAt(new Patience(5000, 0), { bytes: 0, connections: 3 }), 5000);
  const endless = new Patience(0, 0);
  endless.hear(trouble(true));
  assert.equal(endsAt(endless, nothing), undefined);
});
