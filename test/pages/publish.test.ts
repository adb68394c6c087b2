/** Publishing in a real browser, cut in the middle; and downloading by the button. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { after, before, describe, test } from "node:test";
import type { Page } from "playwright-core";
import { account, cspReports, type PagesWorld, startPages } from "../support/browser.ts";
import { program, runCommand } from "../support/command-line.ts";
import { authorized } from "../support/loopback-server.ts";
import { testBytes } from "../support/odd-tree.ts";
import type { Line } from "../support/programs.ts";

const MiB = 2 ** 20;
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

describe("publishing in a browser", () => {
  let world: PagesWorld;
  const big = testBytes(80 * MiB, 11);

  before(async () => {
    world = await startPages();
    writeFileSync(join(world.folder, "big.bin"), big);
  });

  after(() => world.close());

  const pick = (page: Page, path: string) =>
    page.locator("[data-pick=file]").setInputFiles(join(world.folder, path));

  test("a file dropped on the page is published, and its share page has every way to it", async () => {
    const { page, trouble } = await world.visit({ isLoggedIn: true });
    await page.getByRole("link", { name: "Publish", exact: true }).first().click();
    const dropped = await page.evaluateHandle(`(() => {
      const transfer = new DataTransfer();
      transfer.items.add(new File(["dropped content"], "dropped.txt"));
      return transfer;
    })()`);
    await page.dispatchEvent(".drop", "drop", { dataTransfer: dropped });
    await page.getByRole("heading", { name: "dropped.txt" }).waitFor();
    await page.getByLabel("Name in links").fill("drop-1");
    await page.getByLabel("Thrifty").check();
    await page.getByRole("button", { name: "Upload and publish" }).click();
    await page.waitForURL("**/admin/p/drop-1/share");

    const said = async (label: string) =>
      (await page.getByRole("region", { name: label, exact: true }).textContent()) ?? "";
    assert.equal(await said("Link"), `${world.server.url}/p/drop-1`);
    assert.match(await said("Magnet link"), /^magnet:\?xt=urn:btih:[0-9a-f]{40}/);
    assert.match(await said("curl command"), /^curl -fL -C - -o dropped\.txt http:/);
    assert.match(await said("Publish command"), /--name drop-2 --policy thrifty --server http:/);
    assert.match(await said("HTTP call to publish"), /^curl -fg -T \.\/dropped\.txt /);
    assert.ok((await page.locator("svg.qr path").getAttribute("d"))?.startsWith("M"));
    assert.deepEqual(trouble, []);
  });

  test("what the share page says for a CI works as it stands there, for the same people", async () => {
    const { page } = await world.visit({ isLoggedIn: true });
    const made = await authorized(world.server, "/api/v1/tokens", {
      method: "POST",
      body: JSON.stringify({ user: account.name }),
    });
    const { token } = (await made.json()) as { readonly token: string };
    const bin = join(world.folder, "bin");
    mkdirSync(bin);
    writeFileSync(join(bin, "btpublisher"), `#!/bin/sh\nexec '${program.join("' '")}' "$@"\n`, {
      mode: 0o755,
    });
    const contentName = "it's $HOME & co v1.txt";
    const env = { ...process.env, PATH: `${bin}:${process.env["PATH"]}`, BTPUBLISHER_TOKEN: token };
    writeFileSync(join(world.folder, contentName), "version 1");
    const first = ["--name", "ci-1", "--catalogue", "private", "--access", "admitted"];
    const policy = ["--policy", "thrifty", "--floor", "3", "--server", world.server.url];
    const begun = await runCommand(world.folder, "publish", contentName, ...first, ...policy);
    assert.equal(begun.code, 0, begun.stderr);
    for (const [number, label] of [
      [1, "Publish command"],
      [2, "HTTP call to publish"],
    ] as const) {
      await page.goto(`/admin/p/ci-${number}/share`);
      const said = page.getByRole("region", { name: label, exact: true });
      const line = (await said.textContent()) ?? "";
      writeFileSync(join(world.folder, contentName), `version ${number + 1}`);
      const options = { cwd: world.folder, env, encoding: "utf8" } as const;
      await promisify(execFile)("sh", ["-c", line], options);
      const path = `/api/v1/publications/ci-${number + 1}`;
      const view = (await (await page.request.get(path)).json()) as Line;
      const { catalogue, access, policy, bytes } = view;
      assert.deepEqual([catalogue, access, bytes], ["private", "admitted", 9]);
      assert.deepEqual(policy, { policy: "thrifty", floor: 3, onBudgetEnd: "serve-floor-only" });
    }
  });

  test("UPL-02 F-67 an upload goes on after a lost connection, a pause and a reload", async () => {
    const { page, context } = await world.visit({ isLoggedIn: true });
    await page.goto("/admin/publish");
    await pick(page, "big.bin");
    // The second part is cut; the third is held, so that there is time to pause and reload.
    let parts = 0;
    const third = Promise.withResolvers<void>();
    await context.route("**/files/0", async (route) => {
      if (route.request().method() !== "PATCH") return route.continue();
      parts++;
      if (parts === 2) return route.abort("connectionreset");
      if (parts === 3) return third.resolve();
      return route.continue();
    });
    await page.getByRole("button", { name: "Upload and publish" }).click();
    await page.getByText("Trying again by itself").waitFor();
    await page.getByText("Trying again by itself").waitFor({ state: "detached" });
    await third.promise;
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByText(/^Paused at/).waitFor();
    await page.reload();
    await page.getByText("This upload is not finished").waitFor();
    const status = await page.request.get("/api/v1/publications/big.bin/upload");
    const { receivedBytes } = (await status.json()) as { readonly receivedBytes: number[] };
    assert.deepEqual(receivedBytes, [32 * MiB]);

    // Another file is not taken for it.
    writeFileSync(join(world.folder, "other.bin"), "other");
    await pick(page, "other.bin");
    await page.getByRole("alert").getByText("another file").waitFor();
    await pick(page, "big.bin");
    await page.waitForURL("**/admin/p/big.bin/share");
    assert.ok(parts >= 5, `${parts} parts`);
  });

  test("the big button of the download page gives the very bytes, and so it does without scripts", async () => {
    const { page, trouble } = await world.visit();
    await page.goto("/p/big.bin");
    const listed = await page.locator(".files code").first().textContent();
    const begun = page.waitForEvent("download");
    await page.getByRole("link", { name: "Download", exact: true }).click();
    const download = await begun;
    assert.equal(download.suggestedFilename(), "big.bin");
    const got = sha256(readFileSync(await download.path()));
    assert.equal(got, sha256(big));
    assert.equal(listed, got);
    assert.deepEqual(trouble, []);

    const plain = await world.browser.newContext({ javaScriptEnabled: false });
    const bare = await plain.newPage();
    await bare.goto(`${world.server.url}/p/big.bin`);
    const href = await bare
      .getByRole("link", { name: "Download", exact: true })
      .getAttribute("href");
    assert.equal(href, "/files/big.bin/big.bin");
    assert.equal(await bare.getByRole("link", { name: "Torrent file" }).count(), 1);
    assert.match((await bare.locator(".live").textContent()) ?? "", /The server is ready for you/);
  });

  test("a folder is published with its paths", async () => {
    mkdirSync(join(world.folder, "tree", "deep"), { recursive: true });
    writeFileSync(join(world.folder, "tree", "a.txt"), "a");
    writeFileSync(join(world.folder, "tree", "deep", "b.txt"), "bb");
    const { page } = await world.visit({ isLoggedIn: true });
    await page.goto("/admin/publish");
    await page.locator("[data-pick=folder]").setInputFiles(join(world.folder, "tree"));
    await page.getByText("3 byte").waitFor();
    await page.getByRole("button", { name: "Upload and publish" }).click();
    await page.waitForURL("**/admin/p/tree/share");
    await page.goto("/p/tree");
    assert.deepEqual(await page.locator(".files tbody th").allTextContents(), [
      "a.txt",
      "deep/b.txt",
    ]);
  });

  test("UPL-14 a .torrent that is out already is kept, or what is wrong is said", async () => {
    const other = join(world.folder, "kept.bin");
    writeFileSync(other, testBytes(MiB, 12));
    assert.equal(
      (await runCommand(world.folder, "create", "kept.bin", "-o", "kept.torrent")).code,
      0,
    );
    const { page } = await world.visit({ isLoggedIn: true });
    const publish = async (path: string) => {
      await page.goto("/admin/publish");
      await pick(page, path);
      await page.getByText("Keep an existing .torrent").click();
      await page
        .getByLabel("The .torrent of this very content")
        .setInputFiles(join(world.folder, "kept.torrent"));
      await page.getByRole("button", { name: "Upload and publish" }).click();
    };
    await publish("big.bin");
    await page
      .getByRole("alert")
      .getByText(/"kept\.bin" with 1048576 bytes/)
      .waitFor();
    writeFileSync(other, testBytes(MiB, 13));
    await publish("kept.bin");
    await page
      .getByRole("alert")
      .getByText(/Piece 0 of 0 to \d+, in "kept\.bin", is not/)
      .waitFor();
    await page.getByRole("button", { name: "Discard" }).click();
    writeFileSync(other, testBytes(MiB, 12));
    await publish("kept.bin");
    await page.waitForURL("**/admin/p/kept.bin/share");

    const shown = await runCommand(world.folder, "inspect", "kept.torrent", "--json");
    const { infoHash } = JSON.parse(shown.stdout) as Line;
    const magnet = page.getByRole("region", { name: "Magnet link", exact: true });
    assert.match((await magnet.textContent()) ?? "", new RegExp(String(infoHash)));
  });

  test("a path of the server is published where it lies", async () => {
    const { page } = await world.visit({ isLoggedIn: true });
    await page.goto("/admin/publish");
    await page.getByRole("button", { name: "Give its path" }).click();
    await page.getByLabel("Path on the server").fill("/nowhere/at/all");
    await page.getByRole("button", { name: "Publish", exact: true }).click();
    await page
      .getByRole("alert")
      .getByText(/nowhere/)
      .waitFor();
    await page.getByLabel("Path on the server").fill(join(world.folder, "other.bin"));
    await page.getByRole("button", { name: "Publish", exact: true }).click();
    await page.waitForURL("**/admin/p/other.bin/share");
  });

  test("what is unpublished is gone from the overview", async () => {
    const { page } = await world.visit({ isLoggedIn: true });
    await page.goto("/admin/p/other.bin/policy");
    const button = page.getByRole("button", { name: "Unpublish" });
    assert.equal(await button.isDisabled(), true);
    await page.getByLabel(/to confirm$/).fill("other.bin");
    await button.click();
    await page.waitForURL("**/admin");
    await page.locator('[data-publication="drop-1"]').waitFor();
    await page.locator('[data-publication="other.bin"]').waitFor({ state: "detached" });
  });

  test("nothing of all that was against the content security policy", async () => {
    assert.equal(await cspReports(world.server), 0);
  });
});
