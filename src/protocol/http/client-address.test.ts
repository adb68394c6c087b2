import assert from "node:assert/strict";
import { test } from "node:test";
import { unwrap } from "../../base/errors.ts";
import { formatIp } from "../../base/ip-address.ts";
import { clientAddress, parseTrustedProxies } from "./client-address.ts";

const proxies = unwrap(parseTrustedProxies(["10.0.0.0/8", "2001:db8:ffff::/48"]));

function told(socketAddress: string | undefined, header: string | undefined): string {
  const client = clientAddress(socketAddress, header, proxies);
  if (client === undefined) return "400";
  return `${formatIp(client.address)}${client.isForwarded ? " forwarded" : ""}`;
}

type Row = readonly [socket: string | undefined, header: string | undefined, expected: string];

test("T5 HTP-32 X-Forwarded-For from anybody but a trusted proxy is ignored", () => {
  const rows: readonly Row[] = [
    ["192.0.2.7", undefined, "192.0.2.7"],
    ["192.0.2.7", "198.51.100.1", "192.0.2.7"],
    ["192.0.2.7", "10.0.0.1", "192.0.2.7"],
    ["192.0.2.7", "unknown", "192.0.2.7"],
    ["::ffff:192.0.2.7", "198.51.100.1", "192.0.2.7"],
    ["fe80::1%eth0", "198.51.100.1", "fe80::1"],
    [undefined, "198.51.100.1", "400"],
  ];
  for (const [socket, header, expected] of rows) assert.equal(told(socket, header), expected);
});

test("T5 HTP-32 from a trusted proxy the rightmost untrusted element counts", () => {
  const rows: readonly Row[] = [
    ["10.0.0.1", "198.51.100.1", "198.51.100.1 forwarded"],
    ["::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1 forwarded"],
    ["2001:db8:ffff::1", "2001:db8::5", "2001:db8::5 forwarded"],
    ["10.0.0.1", "203.0.113.9, 198.51.100.1", "198.51.100.1 forwarded"],
    ["10.0.0.1", "203.0.113.9, 198.51.100.1, 10.2.3.4", "198.51.100.1 forwarded"],
    ["10.0.0.1", "198.51.100.1,10.2.3.4,10.9.9.9", "198.51.100.1 forwarded"],
    ["10.0.0.1", "unknown, 198.51.100.1", "198.51.100.1 forwarded"],
    ["10.0.0.1", "<script>, [::1], 198.51.100.1", "198.51.100.1 forwarded"],
    ["10.0.0.1", ",198.51.100.1", "198.51.100.1 forwarded"],
    ["10.0.0.1", `${"203.0.113.9, ".repeat(99)}198.51.100.1`, "198.51.100.1 forwarded"],
    ["10.0.0.1", "10.5.5.5", "10.5.5.5 forwarded"],
    ["10.0.0.1", "10.6.6.6, 10.5.5.5", "10.6.6.6 forwarded"],
    ["10.0.0.1", "::ffff:198.51.100.1", "198.51.100.1 forwarded"],
    ["10.0.0.1", undefined, "10.0.0.1"],
    ["10.0.0.1", "", "10.0.0.1"],
    ["10.0.0.1", "  ", "10.0.0.1"],
  ];
  for (const [socket, header, expected] of rows)
    assert.equal(told(socket, header), expected, header);
});

test("T5 HTP-32 what a trusted proxy wrote must be addresses", () => {
  const headers = [
    "unknown",
    "198.51.100.1:55",
    "[::1]",
    "[2001:db8::1]:80",
    "198.51.100.1,",
    ",",
    "198.51.100.1, ,10.1.1.1",
    ",10.1.1.1",
    "198.51.100.300",
    "proxy.example",
    "198.51.100.1 198.51.100.2",
    "for=198.51.100.1",
  ];
  for (const header of headers) assert.equal(told("10.0.0.1", header), "400", header);
});

test("CFG-13 trusting everybody as a proxy is refused, and what is no network", () => {
  for (const text of ["0.0.0.0/0", "::/0", "10.0.0.0/33", "proxy.example", ""]) {
    const result = parseTrustedProxies(["127.0.0.1", text]);
    assert.ok(!result.ok && result.code === "CONFIG", text);
  }
});
