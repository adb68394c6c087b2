import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { BtPublisherError } from "../base/errors.ts";
import { resolveServerSettings } from "./config.ts";

const defaults = { data: "./data", httpPort: 8080 };

function configFile(t: TestContext, text: string): string {
  const directory = mkdtempSync(join(tmpdir(), "btpublisher-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, "config.toml");
  writeFileSync(path, text);
  return path;
}

/** The message of the CONFIG error that `text` leads to. */
async function complaintAbout(t: TestContext, text: string): Promise<string> {
  const config = configFile(t, text);
  const error: unknown = await resolveServerSettings({ config }, defaults).catch(
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof BtPublisherError && error.code === "CONFIG", text);
  assert.ok(error.message.includes(config));
  return error.message.replace(config, "FILE");
}

test("the command line goes before the file, the file before defaults", async (t) => {
  const config = configFile(
    t,
    'data = "/srv/x"\nhttp-port = 0\nmax-upload = "100Mbit"\ntrusted-proxy = "10.0.0.0/8"\n',
  );

  const settings = await resolveServerSettings({ config, data: "/srv/y" }, defaults);

  assert.equal(settings.data, "/srv/y");
  assert.equal(settings.httpPort, 0);
  assert.equal(settings.peerPort, 6881);
  assert.equal(settings.maxUpload, 12_500_000);
  assert.equal(settings.trustedProxies.length, 1);
  assert.equal(settings.isInsecure, false);
});

test("CFG-01 a file that is not there, or a directory, is named", async () => {
  for (const config of ["/nonexistent/x.toml", "/"]) {
    await assert.rejects(resolveServerSettings({ config }, defaults), (error) => {
      assert.ok(error instanceof BtPublisherError && error.code === "CONFIG");
      return error.message.includes(config);
    });
  }
});

test("CFG-02 a syntax error has line and column", async (t) => {
  assert.match(await complaintAbout(t, 'data = "x"\nhost = = 3\n'), /^FILE:2:\d+: /);
});

test("CFG-03 an unknown key has a suggestion", async (t) => {
  assert.match(await complaintAbout(t, "http_port = 80\n"), /did you mean "http-port"/);
  assert.match(await complaintAbout(t, "pubic-url = 1\n"), /did you mean "public-url"/);
});

test("CFG-04 CFG-05 wrong types and values out of range are told with their key", async (t) => {
  const table = [
    ['http-port = "80"', /http-port/],
    ["peer-port = -1", /peer-port.*>=0/],
    ["http-port = 65536", /http-port.*<=65535/],
    ["workers = 65", /workers.*<=64/],
    ["announce-interval = 0", /announce-interval.*>=10/],
    ['max-upload = "fast"', /max-upload/],
    ["insecure = 1", /insecure/],
  ] as const;
  for (const [text, message] of table) assert.match(await complaintAbout(t, text), message);
});

test("CFG-13 trusting every address as a proxy is refused", async () => {
  await assert.rejects(resolveServerSettings({ trustedProxy: ["0.0.0.0/0"] }, defaults), {
    code: "CONFIG",
  });
});

test("what does not fit together, or is no address, is refused", async () => {
  const table = [
    { tlsCert: "cert.pem" },
    { publicUrl: "files.example" },
    { publicUrl: "https://files.example/path" },
    { publicUrl: "ftp://files.example" },
    { publicUrl: "https://user:secret@files.example" },
    { peerHost: "files.example" },
  ];
  for (const flags of table) {
    await assert.rejects(resolveServerSettings(flags, defaults), { code: "CONFIG" });
  }
  const { publicUrl } = await resolveServerSettings(
    { publicUrl: "HTTPS://Files.Example/" },
    defaults,
  );
  assert.equal(publicUrl, "https://files.example");
});
