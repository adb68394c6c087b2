import assert from "node:assert/strict";
import { isIP } from "node:net";
import { test } from "node:test";
import * as fc from "fast-check";
import {
  canonicalIp,
  formatIp,
  isLoopbackIp,
  networkHolds,
  parseIp,
  parseIpNetwork,
} from "./ip-address.ts";

test("canonical text of addresses", () => {
  const table: readonly (readonly [string | undefined, string | undefined])[] = [
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["::FFFF:c000:201", "192.0.2.1"],
    ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
    ["2001:db8::1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["64:ff9b::192.0.2.1", "64:ff9b::c000:201"],
    ["::", "::"],
    ["::1", "::1"],
    ["fe80::", "fe80::"],
    ["fe80::1%eth0", "fe80::1"],
    [undefined, undefined],
    ["", undefined],
    ["localhost", undefined],
    ["[::1]", undefined],
    ["192.0.2.1:80", undefined],
    ["192.0.2.01", undefined],
    ["192.0.2.256", undefined],
    ["192.0.2", undefined],
    ["1:2:3:4:5:6:7", undefined],
    ["1:2:3:4:5:6:7::8", undefined],
    ["1::2::3", undefined],
    [":1:2:3:4:5:6:7:8", undefined],
    ["192.0.2.1::", undefined],
    ["::12345", undefined],
    ["::g", undefined],
    [":::", undefined],
    [`${"0".repeat(60)}::1`, undefined],
  ];
  for (const [text, expected] of table) assert.equal(canonicalIp(text), expected, String(text));
});

test("every address survives its text, and Node reads it as the same kind", () => {
  const length = fc.constantFrom(4, 16);
  const bytes = length.chain((n) => fc.uint8Array({ minLength: n, maxLength: n }));
  fc.assert(
    fc.property(bytes, (address) => {
      const text = formatIp(address);
      const isMapped = text.startsWith("::ffff:");
      assert.equal(isIP(text), address.length === 4 ? 4 : 6);
      if (!isMapped) assert.deepEqual(parseIp(text), address);
    }),
  );
});

test("whatever the text, what is read as an address Node reads as one", () => {
  const text = fc.string({
    unit: fc.constantFrom(...Array.from("0123456789abcdef:.")),
    maxLength: 46,
  });
  fc.assert(
    fc.property(text, (candidate) => {
      assert.equal(parseIp(candidate) !== undefined, isIP(candidate) !== 0, candidate);
    }),
    { numRuns: 2000 },
  );
});

test("networks", () => {
  const table: readonly (readonly [string, string, boolean | undefined])[] = [
    ["10.0.0.0/8", "10.255.0.1", true],
    ["10.0.0.0/8", "11.0.0.1", false],
    ["192.0.2.128/25", "192.0.2.200", true],
    ["192.0.2.128/25", "192.0.2.100", false],
    ["192.0.2.1", "192.0.2.1", true],
    ["192.0.2.1", "192.0.2.2", false],
    ["0.0.0.0/0", "8.8.8.8", true],
    ["0.0.0.0/0", "::1", false],
    ["2001:db8::/33", "2001:db8:7fff::1", true],
    ["2001:db8::/33", "2001:db8:8000::1", false],
    ["10.0.0.0/33", "10.0.0.1", undefined],
    ["10.0.0.0/", "10.0.0.1", undefined],
    ["10.0.0.0/8/8", "10.0.0.1", undefined],
    ["ten/8", "10.0.0.1", undefined],
  ];
  for (const [network, address, expected] of table) {
    const parsed = parseIpNetwork(network);
    const holds = parsed && networkHolds(parsed, parseIp(address) as Uint8Array);
    assert.equal(holds, expected, `${network} ${address}`);
  }
});

test("loopback", () => {
  for (const text of ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"]) {
    assert.ok(isLoopbackIp(parseIp(text) as Uint8Array), text);
  }
  for (const text of ["126.0.0.1", "::", "::2", "1::1"]) {
    assert.ok(!isLoopbackIp(parseIp(text) as Uint8Array), text);
  }
});
