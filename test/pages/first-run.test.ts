/** The first run as an operator has it: the link that serve prints, in a real browser. */
import assert from "node:assert/strict";
import type { Browser } from "playwright-core";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { account, PATIENCE_MS, startBrowser } from "../support/browser.ts";
import { startCommand } from "../support/command-line.ts";
import type { Program } from "../support/programs.ts";

describe("the first run in a browser", () => {
  let folder: string;
  let program: Program;
  let browser: Browser;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "btp-first-"));
    const place = ["--data", "data", "--host", "127.0.0.1", "--http-port", "0", "--peer-port", "0"];
    program = startCommand(folder, "serve", ...place);
    browser = await startBrowser();
  });

  after(async () => {
    await browser.close();
    await program.stop();
    rmSync(folder, { recursive: true });
  });

  /** The link, as it is printed for people. */
  async function setupLink(): Promise<string> {
    const limit = AbortSignal.timeout(PATIENCE_MS);
    for (;;) {
      const link = /http:\S+\/setup#\S+/.exec(program.stdout)?.[0];
      if (link !== undefined) return link;
      assert.ok(!limit.aborted, `no link in: ${program.stdout}`);
      await program.heard(limit);
    }
  }

  test("A8 the set-up link makes the first maintainer, who is logged in; it works once", async () => {
    const link = await setupLink();
    const page = await browser.newPage();
    await page.goto(link);
    await page.getByLabel("Name").fill(account.name);
    await page.getByLabel("Password", { exact: true }).fill(account.password);
    await page.getByLabel("Password again").fill("something else");
    await page.getByRole("button", { name: "Make the maintainer" }).click();
    await page.getByRole("alert").getByText("not the same").waitFor();
    await page.getByLabel("Password again").fill(account.password);
    await page.getByRole("button", { name: "Make the maintainer" }).click();
    await page.waitForURL("**/admin");
    await page.getByRole("heading", { name: "Overview" }).waitFor();
    await page.getByText("Nothing is published yet").waitFor();

    const [cookie] = await page.context().cookies();
    assert.equal(cookie?.httpOnly, true);
    assert.equal(cookie.sameSite, "Strict");
    assert.equal(await page.evaluate("document.cookie"), "");

    const second = await (await browser.newContext()).newPage();
    await second.goto(link);
    await second.getByLabel("Name").fill("mallory");
    await second.getByLabel("Password", { exact: true }).fill(account.password);
    await second.getByLabel("Password again").fill(account.password);
    await second.getByRole("button", { name: "Make the maintainer" }).click();
    await second.getByRole("alert").getByText("not good").waitFor();
  });

  test("A17 whoever is not logged in comes back after the log-in, to our own pages only", async () => {
    const { origin } = new URL(await setupLink());
    const page = await (await browser.newContext({ baseURL: origin })).newPage();
    const logIn = async (): Promise<void> => {
      await page.getByLabel("Name").fill(account.name);
      await page.getByLabel("Password").fill(account.password);
      await page.getByRole("button", { name: "Log in" }).click();
    };
    await page.goto("/admin/publish");
    await page.waitForURL("**/login?next=%2Fadmin%2Fpublish");
    await logIn();
    await page.getByRole("heading", { name: "Publish" }).waitFor();
    await page.getByRole("button", { name: "Log out" }).click();
    await page.waitForURL("**/login");

    for (const next of [
      "https://evil.example/admin",
      "//evil.example",
      "/admin/../p/x",
      "javascript:1",
    ]) {
      await page.goto(`/login?next=${encodeURIComponent(next)}`);
      await logIn();
      await page.waitForURL(`${origin}/admin`);
      await page.context().clearCookies();
    }
  });
});
