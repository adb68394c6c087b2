/** The policy of a publication on its page: changed, taken back, and changed by two at once. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { cspReports, type PagesWorld, startPages } from "../support/browser.ts";
import { runCommand } from "../support/command-line.ts";
import { authorized } from "../support/loopback-server.ts";
import type { Line } from "../support/programs.ts";

const PLACE = "/api/v1/publications/thing.bin/policy";

describe("the page of a policy", () => {
  let world: PagesWorld;

  before(async () => {
    world = await startPages();
    writeFileSync(join(world.folder, "thing.bin"), "hello");
    const options = ["--floor", "3", "--server", world.server.url];
    const published = await runCommand(world.folder, "publish", "thing.bin", ...options);
    assert.equal(published.code, 0, published.stderr);
  });

  after(() => world.close());

  const held = async (): Promise<Line> => {
    const answer = (await (await authorized(world.server, PLACE)).json()) as Line;
    return answer["policy"] as Line;
  };

  test("what is changed holds, and an emptied field is the policy's own again", async () => {
    const { page, trouble } = await world.visit({ isLoggedIn: true });
    await page.goto("/admin/p/thing.bin/policy");
    assert.equal(await page.getByLabel("Floor, copies").inputValue(), "3");
    await page.getByLabel("Thrifty").check();
    await page.getByLabel("Floor, copies").fill("");
    await page.getByLabel("Least rate, MB/s").fill("1.5");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Saved.").waitFor();
    const { policy, floor, minRateBytesPerSecond } = await held();
    assert.deepEqual([policy, floor, minRateBytesPerSecond], ["thrifty", undefined, 1_500_000]);
    assert.deepEqual(trouble, []);
  });

  test("API-15 whoever was overtaken is told so, sees what holds now, and can change that", async () => {
    const { page, trouble } = await world.visit({ isLoggedIn: true });
    await page.goto("/admin/p/thing.bin/policy");
    await page.getByLabel("Floor, copies").fill("7");
    const other = { method: "PATCH", body: JSON.stringify({ policy: "fast", floor: 4 }) };
    assert.equal((await authorized(world.server, PLACE, other)).status, 200);

    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("alert").getByText("Somebody else changed the policy").waitFor();
    await page.getByLabel("Fast").and(page.locator(":checked")).waitFor();
    assert.equal(await page.getByLabel("Floor, copies").inputValue(), "4");
    assert.deepEqual([(await held())["policy"], (await held())["floor"]], ["fast", 4]);

    await page.getByLabel("Floor, copies").fill("7");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Saved.").waitFor();
    assert.equal((await held())["floor"], 7);
    // The browser's console tells each answer of 400 and more.
    assert.deepEqual(
      trouble.filter((text) => !/status of 412/.test(text)),
      [],
    );
    assert.equal(await cspReports(world.server), 0);
  });
});
