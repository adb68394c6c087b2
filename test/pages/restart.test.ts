/** A server that dies under its pages and comes back: they say so, and go on without being asked. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type PagesWorld, startPages } from "../support/browser.ts";
import { killAndRestart, type LoopbackServer } from "../support/loopback-server.ts";

describe("a server that restarts under its pages", () => {
  let world: PagesWorld;
  let again: LoopbackServer | undefined;

  before(async () => {
    world = await startPages();
  });

  after(async () => {
    await again?.program.stop();
    await world.close();
  });

  test("what is shown stays, what is asked can be asked again, and the session lives on", async () => {
    const { page, context } = await world.visit({ isLoggedIn: true });
    await page.locator('[data-stream="live"]').waitFor();
    const other = await context.newPage();
    await other.goto("/admin/access");
    await other.getByRole("button", { name: "Add an account" }).click();
    const dialog = other.getByRole("dialog");
    await dialog.getByLabel("Name").fill("nina");

    world.server.program.child.kill("SIGKILL");
    await world.server.program.end();
    await page.getByText("Connection lost, trying again").waitFor();
    await dialog.getByRole("button", { name: "Add the account" }).click();
    await dialog.getByRole("alert").getByText("cannot be reached").waitFor();
    assert.equal(await dialog.getByLabel("Name").inputValue(), "nina");
    await other.keyboard.press("Escape");
    await other.getByRole("link", { name: "Tokens" }).click();
    await other.getByText("cannot be reached").waitFor();
    // A part of the application that was not loaded yet cannot be now.
    await other.getByRole("link", { name: "Publish", exact: true }).click();
    await other.getByText("This page cannot be shown").waitFor();

    again = await killAndRestart(world.folder, world.server);
    await page.locator('[data-stream="live"]').waitFor();
    await other.getByRole("button", { name: "Load it anew" }).click();
    await other.getByRole("heading", { name: "Drop a file or a folder here" }).waitFor();
    await other.goBack();
    await other.getByText("No token was made yet").waitFor();
  });
});
