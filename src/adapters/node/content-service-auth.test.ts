import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "../../ports/clock.ts";
import {
  bodyDigest,
  RequestVerifier,
  type SignedRequest,
  signRequest,
} from "./content-service-auth.ts";

const key = new Uint8Array(32).fill(1);
const request: SignedRequest = {
  method: "POST",
  target: "/source/v1/uploads?x=1",
  bodyDigest: bodyDigest("{}"),
};
const START = Date.UTC(2026, 0, 1);

function aVerifier() {
  let now = START;
  const clock: Clock = {
    now: () => now,
    unixNow: () => now,
    setTimer: () => ({ cancel: () => undefined }),
  };
  const advance = (ms: number): void => {
    now += ms;
  };
  return { verifier: new RequestVerifier(key, clock), advance };
}

test("a signed request is let in once", () => {
  const { verifier } = aVerifier();
  const { authorization } = signRequest(request, key, START);

  assert.equal(verifier.denialOf(request, authorization), undefined);
  assert.equal(verifier.denialOf(request, authorization), "replayed");
  assert.equal(
    verifier.denialOf(request, signRequest(request, key, START).authorization),
    undefined,
  );
});

test("whatever is not exactly what was signed is refused", () => {
  const { verifier } = aVerifier();
  const { authorization } = signRequest(request, key, START);
  const rows: readonly (readonly [SignedRequest, string | undefined, string])[] = [
    [request, undefined, "unsigned"],
    [request, "", "unsigned"],
    [request, "Bearer abc", "unsigned"],
    [request, `${authorization} `, "unsigned"],
    [request, authorization.replace(/nonce=\w+/, "nonce=00"), "unsigned"],
    [request, authorization.replace(/mac=\w{2}/, "mac=zz"), "unsigned"],
    [request, authorization.replace(/mac=\w+/, `mac=${"0".repeat(64)}`), "wrong-key"],
    [request, authorization.replace(/nonce=\w+/, `nonce=${"0".repeat(32)}`), "wrong-key"],
    [request, authorization.replace(/time=\d+/, `time=${START + 1}`), "wrong-key"],
    [{ ...request, method: "GET" }, authorization, "wrong-key"],
    [{ ...request, target: "/source/v1/uploads?x=2" }, authorization, "wrong-key"],
    [{ ...request, bodyDigest: bodyDigest("{ }") }, authorization, "wrong-key"],
    [request, signRequest(request, new Uint8Array(32), START).authorization, "wrong-key"],
  ];
  for (const [what, header, denial] of rows) {
    assert.equal(verifier.denialOf(what, header), denial, header);
  }
});

test("clocks may be a minute apart, and a nonce is remembered for as long as it could be used", () => {
  const { verifier, advance } = aVerifier();
  const early = signRequest(request, key, START - 59_000).authorization;
  const late = signRequest(request, key, START + 59_000).authorization;

  assert.equal(verifier.denialOf(request, early), undefined);
  assert.equal(verifier.denialOf(request, late), undefined);
  assert.equal(
    verifier.denialOf(request, signRequest(request, key, START - 61_000).authorization),
    "clock-skew",
  );
  assert.equal(
    verifier.denialOf(request, signRequest(request, key, START + 61_000).authorization),
    "clock-skew",
  );
  advance(118_000);
  assert.equal(verifier.denialOf(request, late), "replayed");
  advance(1_001);
  assert.equal(verifier.denialOf(request, late), "clock-skew");
});
