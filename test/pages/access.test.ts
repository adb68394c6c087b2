/** Accounts, tokens and grants in a real browser: what is made there is good, and ends there. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { after, before, describe, test } from "node:test";
import type { Page } from "playwright-core";
import { account, cspReports, type PagesWorld, startPages } from "../support/browser.ts";
import { program, runCommand } from "../support/command-line.ts";
import { authorized } from "../support/loopback-server.ts";

const password = "a password of some words";

describe("who may what, in a browser", () => {
  let world: PagesWorld;

  before(async () => {
    world = await startPages();
    writeFileSync(join(world.folder, "secret.bin"), "secret");
    const options = ["--catalogue", "private", "--server", world.server.url];
    const published = await runCommand(world.folder, "publish", "secret.bin", ...options);
    assert.equal(published.code, 0, published.stderr);
  });

  after(() => world.close());

  const send = (method: string, path: string, body: object) =>
    authorized(world.server, path, { method, body: JSON.stringify(body) });

  /** The status with which the server answers whoever shows `token`. */
  async function statusFor(token: string, path: string): Promise<number> {
    const headers = { authorization: `Bearer ${token}` };
    return (await fetch(new URL(path, world.server.url), { headers })).status;
  }

  const dialog = (page: Page) => page.getByRole("dialog");
  const secret = async (page: Page): Promise<string> =>
    (await page.getByRole("region", { name: "The token" }).textContent()) ?? "";

  test("an account is added, gets access and a token, and loses both", async () => {
    const { page, trouble } = await world.visit({ isLoggedIn: true });
    await page.getByRole("link", { name: "Access" }).click();
    await page.locator(`[data-account="${account.name}"]`).waitFor();
    await page.getByRole("button", { name: "Add an account" }).click();
    await dialog(page).getByLabel("Name").fill("alice");
    await page.getByRole("button", { name: "Add the account" }).click();
    await page.getByRole("heading", { name: "alice", exact: true }).waitFor();
    await page.getByText("No token was made yet").waitFor();

    await page.getByRole("button", { name: "Make a token" }).click();
    await page.getByRole("button", { name: "Make the token" }).click();
    const token = await secret(page);
    assert.match(token, /^btpt_[0-9a-f]{16}_/);
    assert.equal(await statusFor(token, "/p/secret.bin"), 404);

    await page.getByRole("button", { name: "Give access" }).click();
    await dialog(page).getByLabel("Publication", { exact: true }).fill("nothing.bin");
    await dialog(page).getByRole("button", { name: "Give access" }).click();
    await dialog(page).getByRole("alert").getByText("There is no such publication").waitFor();
    await dialog(page).getByLabel("Publication", { exact: true }).fill("secret.bin");
    await dialog(page).getByRole("button", { name: "Give access" }).click();
    await page.locator("[data-grant]").waitFor();
    assert.equal(await statusFor(token, "/p/secret.bin"), 200);

    await page.getByRole("button", { name: "Take back: Download secret.bin" }).click();
    await dialog(page).getByRole("button", { name: "Take back" }).click();
    await page.getByText("Nothing beyond what its role may").waitFor();
    assert.equal(await statusFor(token, "/p/secret.bin"), 404);

    await page.getByRole("button", { name: /^Revoke the token/ }).click();
    await page.keyboard.press("Escape");
    assert.equal(await statusFor(token, "/api/v1/me"), 200);
    await page.getByRole("button", { name: /^Revoke the token/ }).click();
    await dialog(page).getByRole("button", { name: "Revoke" }).click();
    await page.getByText(/^Revoked /).waitFor();
    assert.equal(await page.evaluate("document.activeElement.textContent"), "Tokens");
    assert.equal(await statusFor(token, "/api/v1/me"), 401);
    trouble.splice(
      trouble.findIndex((text) => /status of 404/.test(text)),
      1,
    );
    assert.deepEqual(trouble, []);
  });

  test("a token's text is shown once, and replacing it ends the old one", async () => {
    await send("POST", "/api/v1/users", { name: "bob", role: "publisher" });
    const { page, trouble } = await world.visit({ isLoggedIn: true });
    await page.goto("/admin/access/accounts/bob");
    await page.getByRole("button", { name: "Make a token" }).click();
    await dialog(page).getByLabel("Publish").uncheck();
    await dialog(page).getByLabel("How long").selectOption("A week");
    await page.getByRole("button", { name: "Make the token" }).click();
    const first = await secret(page);
    await page.reload();
    await page.locator("[data-token]").waitFor();
    assert.equal((await page.content()).includes(first), false);

    await page.getByRole("button", { name: /^Replace the token/ }).click();
    await dialog(page).getByRole("button", { name: "Replace" }).click();
    const second = await secret(page);
    assert.notEqual(second, first);
    assert.equal(await statusFor(first, "/api/v1/me"), 401);
    const headers = { authorization: `Bearer ${second}` };
    const answer = await fetch(new URL("/api/v1/me", world.server.url), { headers });
    const { scopes } = (await answer.json()) as { readonly scopes: readonly string[] };
    assert.deepEqual(scopes.toSorted(), ["download", "read:stats"]);
    await page.getByRole("button", { name: "I have it" }).click();
    assert.equal(await page.locator("[data-secret]").count(), 0);
    assert.deepEqual(trouble, []);
  });

  test("an account is changed, disabled, enabled and removed", async () => {
    await send("POST", "/api/v1/users", { name: "dora", role: "downloader", password });
    const { page, trouble } = await world.visit({ isLoggedIn: true });
    await page.goto("/admin/access/accounts/dora");
    await page.getByRole("button", { name: "Change the role" }).click();
    await dialog(page).getByLabel("Publisher").check();
    await dialog(page).getByRole("button", { name: "Change the role" }).click();
    await page.getByText("The role is changed").waitFor();
    await page.getByRole("button", { name: "Replace passkeys" }).click();
    await dialog(page).getByRole("button", { name: "Replace" }).click();
    await page.getByText("0 passkeys replaced").waitFor();
    for (const step of ["Disable", "Enable"]) {
      await page.getByRole("button", { name: step, exact: true }).click();
      await dialog(page).getByRole("button", { name: step }).click();
    }
    await page.getByRole("button", { name: "Disable", exact: true }).waitFor();
    const users = await (await authorized(world.server, "/api/v1/users")).json();
    const dora = (users as { users: { name: string; role: string }[] }).users.find(
      ({ name }) => name === "dora",
    );
    assert.equal(dora?.role, "publisher");
    await page.getByRole("button", { name: "Remove" }).click();
    await dialog(page).getByRole("button", { name: "Remove" }).click();
    await page.locator(`[data-account="${account.name}"]`).waitFor();
    assert.equal(await page.locator('[data-account="dora"]').count(), 0);
    await page.goto("/admin/access/accounts/dora");
    await page.getByText("no account named dora").waitFor();

    await page.goto("/admin/access/audit");
    await page.getByText("Removed an account").first().waitFor();
    assert.deepEqual(trouble, []);
  });

  test("a session that ends in the middle leads to the log-in, and back", async () => {
    const { page, context } = await world.visit({ isLoggedIn: true });
    const logIn = async (): Promise<void> => {
      await page.getByLabel("Name").fill(account.name);
      await page.getByLabel("Password").fill(account.password);
      await page.getByRole("button", { name: "Log in" }).click();
    };
    await page.goto("/admin/access/grants");
    await page.getByRole("button", { name: "Give access" }).click();
    await dialog(page).getByLabel("Account", { exact: true }).fill("alice");
    await dialog(page).getByLabel("Publication", { exact: true }).fill("secret.bin");
    await context.clearCookies();
    await dialog(page).getByRole("button", { name: "Give access" }).click();
    await page.waitForURL("**/login?next=%2Fadmin%2Faccess%2Fgrants");
    assert.equal(await dialog(page).count(), 0);
    await logIn();
    await page.getByRole("button", { name: "Give access" }).waitFor();

    // Whoever changes their own password is logged out, and told so by the page.
    await page.goto(`/admin/access/accounts/${account.name}`);
    await page.getByRole("button", { name: "Set a password" }).click();
    await dialog(page).getByText("This is your own account").waitFor();
    await dialog(page).getByLabel("New password").fill(account.password);
    await dialog(page).getByRole("button", { name: "Set the password" }).click();
    await page.waitForURL("**/login?next=**");
    await logIn();
    await page.getByRole("heading", { name: account.name, exact: true }).waitFor();
  });

  test("who is no maintainer sees what is theirs only", async () => {
    await send("POST", "/api/v1/users", { name: "erin", role: "downloader", password });
    const { page } = await world.visit();
    await page.goto("/login");
    await page.getByLabel("Name").fill("erin");
    await page.getByLabel("Password").fill(password);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByRole("heading", { name: "Access" }).waitFor();
    const links = page.getByRole("navigation", { name: "Access" }).getByRole("link");
    assert.deepEqual(await links.allTextContents(), ["Tokens"]);
    await page.getByRole("button", { name: "Make a token" }).click();
    await page.getByRole("button", { name: "Make the token" }).click();
    const token = await secret(page);
    assert.equal(await statusFor(token, "/api/v1/me"), 200);
    assert.equal(await statusFor(token, "/api/v1/users"), 403);
  });

  test("whom it was granted downloads it by the button, and by the command of the page", async () => {
    await send("POST", "/api/v1/users", { name: "frank", role: "downloader", password });
    await send("POST", "/api/v1/grants", { user: "frank", publication: "secret.bin" });
    const { page, trouble } = await world.visit();
    await page.goto("/login");
    await page.getByLabel("Name").fill("frank");
    await page.getByLabel("Password").fill(password);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByRole("heading", { name: "Access" }).waitFor();
    await page.goto("/p/secret.bin");
    const begun = page.waitForEvent("download");
    await page.getByRole("link", { name: "Download", exact: true }).click();
    assert.equal(readFileSync(await (await begun).path(), "utf8"), "secret");

    const made = await send("POST", "/api/v1/tokens", { user: "frank" });
    const { token } = (await made.json()) as { readonly token: string };
    const line = (await page.locator("pre", { hasText: "btpublisher get" }).textContent()) ?? "";
    const args = line.split(" ").slice(1);
    const run = promisify(execFile);
    const env = { ...process.env, BTPUBLISHER_TOKEN: token };
    await run(program[0], [program[1], ...args, "-o", "got"], { cwd: world.folder, env });
    assert.equal(readFileSync(join(world.folder, "got", "secret.bin"), "utf8"), "secret");
    assert.deepEqual(trouble, []);
  });

  test("a list goes on where the server says that it does", async () => {
    const { page } = await world.visit({ isLoggedIn: true });
    const one = { role: "downloader", isDisabled: false, hasPassword: false };
    const at = new Date().toISOString();
    await page.route(/\/api\/v1\/users/, (route) => {
      const isFirst = !route.request().url().includes("after");
      const users = [{ ...one, name: isFirst ? "first" : "second", createdAt: at }];
      const next = isFirst ? { next: "/api/v1/users?after=first" } : {};
      return route.fulfill({ json: { users, ...next } });
    });
    await page.goto("/admin/access");
    await page.locator('[data-account="first"]').waitFor();
    await page.getByRole("button", { name: "More" }).click();
    await page.locator('[data-account="second"]').waitFor();
    assert.equal(await page.getByRole("button", { name: "More" }).count(), 0);
    await page.getByRole("link", { name: "second" }).click();
    await page.getByRole("heading", { name: "second" }).waitFor();
    await page.getByText("With tokens only").waitFor();
  });

  test("a button pressed again after a lost answer makes nothing twice", async () => {
    const { page } = await world.visit({ isLoggedIn: true });
    await page.goto("/admin/access/accounts/bob");
    await page.locator("[data-token]").first().waitFor();
    const before = await page.locator("[data-token]").count();
    let lost = 0;
    await page.route("**/api/v1/tokens", async (route) => {
      if (route.request().method() !== "POST" || lost > 0) return route.continue();
      lost++;
      await route.fetch();
      return route.abort("connectionreset");
    });
    await page.getByRole("button", { name: "Make a token" }).click();
    await page.getByRole("button", { name: "Make the token" }).click();
    await dialog(page).getByRole("alert").getByText("cannot be reached").waitFor();
    await page.getByRole("button", { name: "Make the token" }).click();
    assert.match(await secret(page), /^btpt_/);
    await page.reload();
    await page.locator("[data-token]").first().waitFor();
    assert.equal(await page.locator("[data-token]").count(), before + 1);
  });

  test("nothing of all that was against the content security policy", async () => {
    assert.equal(await cspReports(world.server), 0);
  });
});
