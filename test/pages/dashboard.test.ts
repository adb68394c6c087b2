/** The dashboard beside a real swarm: what it says is what the server's own log says. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { after, before, describe, test } from "node:test";
import type { Page } from "playwright-core";
import { cspReports, type PagesWorld, startPages } from "../support/browser.ts";
import { runCommand } from "../support/command-line.ts";
import { testBytes } from "../support/odd-tree.ts";
import type { Line } from "../support/programs.ts";
import { Swarm } from "../support/swarm.ts";

const MB = 1e6;

/** How long a swarm may take to get into a state; it takes a few seconds, and 10 s of silence for S2. */
const STATE_LIMIT_MS = 45_000;
const LOOK_EVERY_MS = 250;
const LOOKS = 120;
/** Changes of state that the page shows without being asked for more. */
const TIMELINE_LENGTH = 6;

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

  /** The states that serve told as JSON events, the newest first. */
  const logged = (): readonly string[] =>
    world.server.program.lines
      .filter(({ event }) => event === "participation")
      .map(({ to }) => String(to))
      .toReversed();

  /** The states that the page tells, the newest first. */
  const told = (page: Page): Promise<readonly string[]> =>
    page
      .locator("[data-timeline] .state")
      .evaluateAll((labels) => labels.map((label) => label.getAttribute("data-state") ?? ""));

  test("S0 → S1 → S2 → S1 as peers come and go, live and with reasons, as the log has it", async () => {
    const { page, trouble } = await world.visit({ isLoggedIn: true });
    await page.goto("/admin/p/film.bin");
    const inState = (state: string) =>
      page.locator(`[data-now] .state.${state}`).waitFor({ timeout: STATE_LIMIT_MS });
    await inState("S0");

    const last = swarm.addOurs("--seed", "forever");
    for (let peer = 0; peer < 5; peer++) swarm.addOurs("--seed", "forever");
    await swarm.addOther("aria2");
    await swarm.addOther("transmission");
    await inState("S1");
    await page.locator("[data-peers] tbody tr").nth(6).waitFor();
    const client = page.locator("[data-peers] tbody bdi");
    await client
      .filter({ hasText: /aria2|transmission/i })
      .first()
      .waitFor();
    await swarm.ourPeersComplete(STATE_LIMIT_MS);
    // All have everything, and the server has been silent for ten seconds.
    await inState("S2");

    // One stays: what it has alone is not enough for a newcomer, who takes its time.
    await swarm.leave([last]);
    swarm.addOurs("--max-download", "300k");
    await inState("S1");
    // What ours say of themselves stands apart from what the server saw.
    await page.locator("[data-report]").getByText("limit 300 kB/s").waitFor();
    assert.deepEqual(
      await page
        .locator("[data-peers] tr", { hasText: /aria2|transmission/i })
        .locator("[data-report]")
        .all(),
      [],
    );

    // The page shows the last six changes, and follows the log by half a second at most.
    let [shown, known]: (readonly string[])[] = [[], []];
    for (let look = 0; look < LOOKS; look++) {
      [shown, known] = [await told(page), logged().slice(0, TIMELINE_LENGTH)];
      if (shown.join() === known.join()) break;
      await delay(LOOK_EVERY_MS);
    }
    assert.deepEqual(shown, known);
    assert.match(logged().toReversed().join(" "), /S0 .*S1 .*S2 .*S1/);
    const [reason] = await page.locator("[data-timeline] li").allTextContents();
    assert.match(reason ?? "", /plain download|copies outside the server|the server sent/);
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
