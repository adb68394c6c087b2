/** The dashboard beside a real swarm: what it says is what the server's own log says. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { after, before, describe, test } from "node:test";
import { cspReports, type PagesWorld, startPages } from "../support/browser.ts";
import { runCommand } from "../support/command-line.ts";
import { testBytes } from "../support/odd-tree.ts";
import type { Line } from "../support/programs.ts";
import { Swarm } from "../support/swarm.ts";

const MB = 1e6;

/** How long a swarm may take to get into a state. */
const STATE_LIMIT_MS = 90_000;
const LOOK_EVERY_MS = 250;
const LOOKS = 120;

describe("the dashboard of a real swarm", () => {
  let world: PagesWorld;
  let swarm: Swarm;

  before(async () => {
    world = await startPages("--max-upload", "4M");
    writeFileSync(join(world.folder, "film.bin"), testBytes(24 * MB, 21));
    const options = ["--piece-length", "262144", "--server", world.server.url];
    const published = await runCommand(world.folder, "publish", "film.bin", ...options);
    assert.equal(published.code, 0, published.stderr);
    swarm = new Swarm(world.folder, world.server, "film.bin");
  });

  after(async () => {
    await swarm.leave();
    await world.close();
  });

  /** The states that serve told as JSON events, in order. */
  const logged = (): readonly Line[] =>
    world.server.program.lines.filter(({ event }) => event === "participation");

  test("S0 → S1 as peers come, live and with reasons, as the log has it", async () => {
    const { page, trouble } = await world.visit({ isLoggedIn: true });
    await page.goto("/admin/p/film.bin");
    const inState = (state: string) =>
      page.locator(`[data-now] .state.${state}`).waitFor({ timeout: STATE_LIMIT_MS });
    await inState("S0");

    // One takes its time: the swarm goes on while its page is looked at.
    const slow = swarm.addOurs("--max-download", "150k");
    for (let peer = 0; peer < 6; peer++) swarm.addOurs("--seed", "forever");
    await swarm.addOther("aria2");
    await swarm.addOther("transmission");
    await inState("S1");
    await page.locator("[data-peers] tbody tr").nth(6).waitFor();
    const client = page.locator("[data-peers] tbody bdi");
    await client
      .filter({ hasText: /aria2|transmission/i })
      .first()
      .waitFor();
    await swarm.ourPeersComplete(STATE_LIMIT_MS, [slow]);

    const said = await page
      .locator("[data-timeline] .state")
      .evaluateAll((labels) => labels.map((label) => label.getAttribute("data-state")));
    const told = logged().map(({ to }) => to);
    assert.deepEqual(said.toReversed().slice(-told.length), told.slice(-said.length));
    assert.ok(told.includes("S1"), told.join(" "));
    assert.deepEqual(trouble, []);
  });

  test("the overview says what the API says", async () => {
    const { page, trouble } = await world.visit({ isLoggedIn: true });
    const row = page.locator('[data-publication="film.bin"]');
    await row.locator("[data-field=copiesSent]").waitFor();
    // The status follows the page within some seconds: the SourceNode reports it every five.
    let difference = Number.POSITIVE_INFINITY;
    for (let look = 0; look < LOOKS && difference >= 0.1; look++) {
      const status = await page.request.get("/api/v1/publications/film.bin/status");
      const { copiesSent } = (await status.json()) as { readonly copiesSent: number };
      const shown = await row.locator("[data-field=copiesSent]").textContent();
      difference = Math.abs(Number.parseFloat(shown ?? "") - copiesSent);
      await delay(LOOK_EVERY_MS);
    }
    assert.ok(difference < 0.1, `${difference} copies apart`);
    await page.getByLabel("Price per GB").fill("2");
    await page.getByLabel("Price per GB").press("Enter");
    await page.reload();
    assert.equal(await page.getByLabel("Price per GB").inputValue(), "2");
    assert.deepEqual(trouble, []);
  });

  test("the ledger is filtered, exported and played back", async () => {
    const { page, trouble } = await world.visit({ isLoggedIn: true });
    await page.goto("/admin/p/film.bin/ledger");
    await page.locator("[data-ledger] tbody tr").first().waitFor();
    await page.getByLabel("Piece", { exact: true }).fill("3");
    await page.getByRole("button", { name: "Filter" }).click();
    const others = page
      .locator("[data-ledger] tbody td:nth-child(4)")
      .filter({ hasNotText: /^3$/ });
    await others.first().waitFor({ state: "detached" });
    const href = await page.getByRole("link", { name: "CSV" }).getAttribute("href");
    const csv = await (await page.request.get(href as string)).text();
    assert.ok(csv.trim().split("\n").length >= 2, csv);

    const slider = page.getByRole("slider", { name: "Moment" });
    const sent = async () => (await page.locator("[data-frame]").textContent()) ?? "";
    const atEnd = await sent();
    await slider.focus();
    await slider.press("Home");
    assert.notEqual(await sent(), atEnd);
    await page.getByRole("button", { name: "Play" }).click();
    await page.getByRole("button", { name: "Stop" }).click();
    assert.deepEqual(trouble, []);
  });

  test("a policy is changed while it runs", async () => {
    const { page, trouble } = await world.visit({ isLoggedIn: true });
    await page.goto("/admin/p/film.bin/policy");
    await page.getByLabel("Fast").check();
    await page.getByLabel("Egress budget, GB").fill("5");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Saved.").waitFor();
    const answer = await page.request.get("/api/v1/publications/film.bin");
    const { policy } = (await answer.json()) as { readonly policy: Line };
    assert.equal(policy["policy"], "fast");
    assert.equal(policy["egressBudgetBytes"], 5e9);
    assert.deepEqual(trouble, []);
    assert.equal(await cspReports(world.server), 0);
  });
});
