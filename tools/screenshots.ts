/**
 * `npm run screenshots`: pictures of every page in dark, light and phone width, from a server with a
 * running swarm of real clients, into docs/screens.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import type { Page } from "playwright-core";
import { startPages, type Visitor } from "../test/support/browser.ts";
import { authorized } from "../test/support/loopback-server.ts";
import { runCommand } from "../test/support/command-line.ts";
import { testBytes } from "../test/support/odd-tree.ts";
import { Swarm } from "../test/support/swarm.ts";
import { repositoryRoot } from "./repository.ts";

const MB = 1e6;

/** How long the swarm may take to be worth a picture. */
const LIMIT_MS = 120_000;

const folder = join(repositoryRoot, "docs", "screens");

/** What everybody sees: a name, an address, and the part of the page that must be there. */
const publicPages = [
  ["download", "/p/aurora-linux-13.iso", "main"],
  ["catalogue", "/", "table"],
  ["setup", "/setup#btps_of-the-link", "form"],
  ["login", "/login", "form"],
] as const;

/** What maintainers see. */
const pages = [
  ["overview", "/admin", "[data-publication]"],
  ["live", "/admin/p/aurora-linux-13.iso", "[data-peers] tbody tr"],
  ["ledger", "/admin/p/aurora-linux-13.iso/ledger", "[data-ledger] tbody tr"],
  ["policy", "/admin/p/aurora-linux-13.iso/policy", "form"],
  ["share", "/admin/p/aurora-linux-13.iso/share", ".qr"],
  ["publish", "/admin/publish", ".drop"],
  ["accounts", "/admin/access", "[data-account]"],
  ["account", "/admin/access/accounts/bob", "[data-grant]"],
  ["grants", "/admin/access/grants", "[data-grant]"],
  ["audit", "/admin/access/audit", "[data-entry]"],
  ["tokens", "/admin/access/tokens", "[data-token]"],
] as const;

const looks = [
  { name: "light", colorScheme: "light", width: 1280, height: 800 },
  { name: "dark", colorScheme: "dark", width: 1280, height: 800 },
  { name: "phone", colorScheme: "light", width: 390, height: 844 },
] as const;

const world = await startPages("--max-upload", "3M");
try {
  await runCommand(world.folder, "key");
  await publish("aurora-linux-13.iso", 48 * MB, "--sign", "minisign.key");
  await publish("weather-2026.nc", 9 * MB);
  await publish("old-film.webm", 5 * MB);
  await publish("partner-preview.zip", 2 * MB, "--catalogue", "private");
  await fillAccess();
  const visitors = await Promise.all(
    looks.map((look) => world.visit({ ...look, isLoggedIn: true })),
  );
  const swarm = new Swarm(world.folder, world.server, "aurora-linux-13.iso");
  const small = new Swarm(world.folder, world.server, "weather-2026.nc");
  try {
    await animate(visitors, swarm, small);
  } finally {
    await Promise.all([swarm.leave(), small.leave()]);
  }
} finally {
  await world.close();
}
process.stdout.write(`pictures are in ${folder}\n`);

/** Accounts as a small publisher has them. */
async function fillAccess(): Promise<void> {
  const send = async (path: string, body: object): Promise<void> => {
    const init = { method: "POST", body: JSON.stringify(body) };
    const answer = await authorized(world.server, path, init);
    if (!answer.ok) throw new Error(await answer.text());
  };
  const password = "some words that nobody guesses";
  const end = new Date(Date.now() + 30 * 24 * 60 * 60 * 1000).toISOString();
  await send("/api/v1/users", { name: "alice", role: "downloader" });
  await send("/api/v1/users", { name: "bob", role: "publisher", password });
  await send("/api/v1/users", { name: "nightly-build", role: "publisher" });
  await send("/api/v1/users", { name: "northern-observatory", role: "downloader", password });
  await send("/api/v1/tokens", { user: "bob", lifeSeconds: 2_592_000 });
  await send("/api/v1/tokens", { user: "bob", scopes: ["download"], lifeSeconds: 604_800 });
  await send("/api/v1/tokens", { user: "nightly-build", scopes: ["publish"] });
  await send("/api/v1/grants", { user: "bob", right: "publish", catalogue: "public" });
  await send("/api/v1/grants", { user: "bob", publication: "partner-preview.zip", expiresAt: end });
  await send("/api/v1/grants", { user: "alice", catalogue: "private" });
  await send("/api/v1/grants", { user: "nightly-build", right: "publish", catalogue: "members" });
  await send("/api/v1/grants", {
    user: "northern-observatory",
    publication: "partner-preview.zip",
    expiresAt: end,
  });
}

async function publish(name: string, bytes: number, ...more: readonly string[]): Promise<void> {
  writeFileSync(join(world.folder, name), testBytes(bytes, bytes % 97));
  const options = ["--piece-length", "65536", "--server", world.server.url, ...more];
  const ended = await runCommand(world.folder, "publish", name, ...options);
  if (ended.code !== 0) throw new Error(ended.stderr);
}

/** Starts the peers while the pages are watched, and takes the pictures in the middle. */
async function animate(visitors: readonly Visitor[], swarm: Swarm, small: Swarm): Promise<void> {
  for (const { page } of visitors) await page.goto("/admin/p/aurora-linux-13.iso");
  for (const peer of [1, 2, 3])
    small.addOurs("--max-download", `${peer * 100}k`, "--seed", "forever");
  for (const peer of [1, 2, 3, 4, 5]) {
    swarm.addOurs(
      "--max-upload",
      `${peer * 300}k`,
      "--max-download",
      `${peer * 500}k`,
      "--seed",
      "forever",
    );
  }
  await swarm.addOther("aria2");
  await swarm.addOther("transmission");
  // Half of a swarm's life is on the chart by then.
  const [first] = visitors as [Visitor];
  const halfway = `[...document.querySelectorAll("[data-peers] progress")].filter(
    (bar) => bar.value > 0.4).length >= 4`;
  const limit = AbortSignal.timeout(LIMIT_MS);
  while (!(await first.page.evaluate<boolean>(halfway))) {
    if (limit.aborted) throw new Error("the swarm does not get on");
    await first.page.waitForTimeout(500);
  }
  for (const [index, { page }] of visitors.entries()) {
    const look = looks[index] as (typeof looks)[number];
    // The chart knows what was seen while its page was open: that page comes first.
    await picture(page, "live", look.name);
    for (const [name, path, part] of pages.filter(([each]) => each !== "live")) {
      await page.goto(path);
      await page.locator(part).first().waitFor();
      await page.getByText("Loading …").first().waitFor({ state: "detached" });
      // Rates are measured while somebody looks: the first one takes a moment.
      await page.waitForTimeout(1500);
      await picture(page, name, look.name);
    }
    await page.getByRole("button", { name: "Make a token" }).click();
    await picture(page, "token", look.name);
    await page.goto("/admin/p/partner-preview.zip/share");
    await page.locator(".notice").waitFor();
    await picture(page, "share-private", look.name);
    const stranger = await world.visit(look);
    for (const [name, path, part] of publicPages) {
      await stranger.page.goto(path);
      await stranger.page.locator(part).first().waitFor();
      await picture(stranger.page, name, look.name);
    }
  }
}

/** A picture of the whole page; of the window where a dialog covers it. */
async function picture(page: Page, name: string, look: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${name}-${look}.png`);
  if ((await page.getByRole("dialog").count()) > 0) {
    await page.screenshot({ path, animations: "disabled" });
    return;
  }
  const height = await page.evaluate<number>("document.documentElement.scrollHeight");
  const clip = {
    x: 0,
    y: 0,
    width: page.viewportSize()?.width ?? 0,
    height: Math.min(height, 1800),
  };
  await page.screenshot({ path, fullPage: true, clip, animations: "disabled" });
}
