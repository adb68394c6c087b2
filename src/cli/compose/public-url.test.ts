import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { hostname } from "node:os";
import { test } from "node:test";
import { resolveServerSettings, type ServerFlags } from "../config.ts";
import { isLoopbackOnly, knownHosts, localUrlOf, originReader, publicUrlOf } from "./public-url.ts";

const settingsOf = (flags: ServerFlags = {}) =>
  resolveServerSettings(flags, { data: "d", httpPort: 8080 });

test("the public URL is what was said, else made of the address that is listened on", async () => {
  const table = [
    [{ publicUrl: "https://files.example" }, "https://files.example"],
    [{ host: "127.0.0.1" }, "http://127.0.0.1:81"],
    [{ host: "::1" }, "http://[::1]:81"],
    [{ host: "files.example", tlsCert: "c", tlsKey: "k" }, "https://files.example:81"],
  ] as const;
  for (const [flags, url] of table) assert.equal(publicUrlOf(await settingsOf(flags), 81), url);
  assert.match(publicUrlOf(await settingsOf(), 81), /^http:\/\/[^/]+:81$/);
  assert.equal(localUrlOf(await settingsOf({ host: "0.0.0.0" }), 81), "http://127.0.0.1:81");
  assert.equal(isLoopbackOnly(await settingsOf({ host: "127.0.0.2" })), true);
  assert.equal(isLoopbackOnly(await settingsOf()), false);
});

test("API-12 a Host header must name this server, or be an address", () => {
  const isKnown = knownHosts("https://files.example:8443");
  for (const host of [
    "files.example:8443",
    "FILES.example",
    "localhost:8080",
    "127.0.0.1",
    "[::1]:80",
    "192.0.2.7:8080",
    hostname(),
  ]) {
    assert.equal(isKnown(host), true, host);
  }
  for (const host of [
    "",
    "evil.example",
    "files.example.evil",
    "127.0.0.1.evil.example",
    "0x7f.1",
  ]) {
    assert.equal(isKnown(host), false, host);
  }
});

test("only a direct connection of this machine is local, whatever headers say", async () => {
  const settings = await settingsOf({ trustedProxy: ["10.0.0.0/8"] });
  const originOf = originReader(settings);
  const from = (remoteAddress: string, headers: IncomingMessage["headers"] = {}) => {
    const socket = { remoteAddress, localAddress: "192.0.2.1" };
    const { isLocal, isPrivate } = originOf({ headers, socket } as IncomingMessage);
    return { isLocal, isPrivate };
  };
  const gone = originOf({ headers: {}, socket: {} } as IncomingMessage);
  assert.deepEqual([gone.isLocal, gone.isPrivate, gone.address], [false, false, undefined]);

  assert.deepEqual(from("127.0.0.1"), { isLocal: true, isPrivate: true });
  assert.deepEqual(from("::ffff:127.0.0.1"), { isLocal: true, isPrivate: true });
  assert.deepEqual(from("192.0.2.1"), { isLocal: true, isPrivate: true });
  assert.deepEqual(from("192.0.2.2"), { isLocal: false, isPrivate: false });
  // A proxy on this machine that nobody told us of.
  for (const name of ["x-forwarded-for", "forwarded", "via"]) {
    assert.deepEqual(from("127.0.0.1", { [name]: "127.0.0.1" }), {
      isLocal: false,
      isPrivate: false,
    });
  }
  const https = { "x-forwarded-proto": "https" };
  assert.deepEqual(from("192.0.2.2", { ...https, "x-forwarded-for": "192.0.2.9" }), {
    isLocal: false,
    isPrivate: false,
  });
  assert.deepEqual(from("10.0.0.1", { ...https, "x-forwarded-for": "127.0.0.1" }), {
    isLocal: false,
    isPrivate: true,
  });
  assert.deepEqual(from("10.0.0.1", { "x-forwarded-for": "192.0.2.9" }), {
    isLocal: false,
    isPrivate: false,
  });
});
