/** Every page, with hostile names on it: no script of theirs runs, and everybody can use it. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, describe, test } from "node:test";
import type { Page } from "playwright-core";
import { cspReports, type PagesWorld, startPages } from "../support/browser.ts";
import { authorized } from "../support/loopback-server.ts";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Names that were made to break pages; those with markup cannot be published at all. */
const hostile = [
  "&lt;img src=x onerror=alert(1)&gt;",
  "' onmouseover='alert(2)",
  "=HYPERLINK(1) {{7-7}} ${7-7} `x`",
  "\u05D0\u05D1\u05D2 right to left 123",
  "very-long-".repeat(20),
];

/** What axe found. */
interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
}

describe("every page", () => {
  let world: PagesWorld;
  const names = hostile.map((_, index) => `hostile-${index}`);

  before(async () => {
    world = await startPages();
    for (const [index, contentName] of hostile.entries())
      await publish(`hostile-${index}`, contentName);
  });

  after(() => world.close());

  async function publish(name: string, contentName: string): Promise<void> {
    const send = (
      method: string,
      path: string,
      body: string,
      headers: Readonly<Record<string, string>> = {},
    ) =>
      fetch(new URL(path, world.server.url), {
        method,
        body,
        headers: {
          authorization: `Bearer ${world.server.token}`,
          "content-type": "application/json",
          ...headers,
        },
      });
    const files = [{ path: [contentName], length: 3 }];
    const plan = JSON.stringify({ name, contentName, isDirectory: true, files });
    const planned = await send("POST", "/api/v1/publications", plan);
    assert.equal(planned.status, 201, await planned.text());
    await send("PATCH", `/api/v1/publications/${name}/files/0`, "abc", {
      "content-type": "application/octet-stream",
      "upload-offset": "0",
    });
    const published = await send("POST", `/api/v1/publications/${name}/publish`, "{}");
    assert.match(await published.text(), /"event":"published"/);
  }

  const pages = () => [
    "/",
    `/p/${names[1]}`,
    "/setup",
    "/login",
    "/admin",
    "/admin/publish",
    `/admin/p/${names[1]}`,
    `/admin/p/${names[1]}/ledger`,
    `/admin/p/${names[1]}/policy`,
    `/admin/p/${names[1]}/share`,
    "/admin/nowhere",
  ];

  /** Waits until nothing says any more that it is loading. */
  async function settled(page: Page): Promise<void> {
    await page.locator("h1").waitFor();
    await page.getByText("Loading …").first().waitFor({ state: "detached" });
  }

  test("A2 hostile names are shown as they are on every page, and nothing of them runs", async () => {
    const { page, trouble } = await world.visit({ isLoggedIn: true });
    let dialogs = 0;
    page.on("dialog", (dialog) => {
      dialogs++;
      void dialog.dismiss();
    });
    for (const [index, name] of names.entries()) {
      for (const path of [
        `/p/${name}`,
        ...["", "/ledger", "/policy", "/share"].map((part) => `/admin/p/${name}${part}`),
      ]) {
        await page.goto(path);
        await settled(page);
        await page.locator("h1 bdi", { hasText: hostile[index] as string }).waitFor();
        const width = await page.evaluate<number>("document.documentElement.scrollWidth");
        assert.ok(width <= 1280, `${path} is ${width} wide`);
      }
    }
    for (const path of ["/", "/admin"]) {
      await page.goto(path);
      for (const name of hostile) await page.locator("bdi", { hasText: name }).first().waitFor();
    }
    const markup = `<img src=x onerror=alert(3)>.txt`;
    await page.goto("/admin/publish");
    const dropped = await page.evaluateHandle(`(() => {
      const transfer = new DataTransfer();
      transfer.items.add(new File(["x"], ${JSON.stringify(markup)}));
      return transfer;
    })()`);
    await page.dispatchEvent(".drop", "drop", { dataTransfer: dropped });
    await page.getByRole("heading", { name: markup }).waitFor();
    await page.getByRole("button", { name: "Upload and publish" }).click();
    await page.getByRole("alert").getByText("not all systems allow").waitFor();
    assert.equal(dialogs, 0);
    // The refusal of the last name is an answer like any other.
    trouble.splice(
      trouble.findIndex((text) => /status of 422/.test(text)),
      1,
    );
    assert.deepEqual(trouble, []);
  });

  for (const colorScheme of ["light", "dark"] as const) {
    for (const width of [1280, 360]) {
      test(`everybody can use it: ${colorScheme}, ${width} pixels wide`, async () => {
        const { page } = await world.visit({ isLoggedIn: true, colorScheme, width });
        for (const path of pages()) {
          await page.goto(path);
          await settled(page);
          // As the browser's own tool it may run; no page could load it.
          await page.evaluate(axe);
          const found = await page.evaluate<readonly Violation[]>(
            `axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) => violations)`,
          );
          const told = found.flatMap(({ id, nodes }) =>
            nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`),
          );
          assert.deepEqual(told, [], path);
          const wide = await page.evaluate<number>("document.documentElement.scrollWidth");
          assert.ok(wide <= width, `${path} is ${wide} wide`);
        }
      });
    }
  }

  test("a page of the application can be used by keyboard alone", async () => {
    const { page } = await world.visit({ isLoggedIn: true });
    await page.goto("/admin");
    await page.locator("[data-publication]").first().waitFor();
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate("document.activeElement.textContent"), "Skip to the content");
    const seen: string[] = [];
    for (let presses = 0; presses < 30 && !seen.includes("Publish"); presses++) {
      await page.keyboard.press("Tab");
      seen.push(await page.evaluate<string>("document.activeElement.textContent"));
    }
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Publish" }).waitFor();
    assert.equal(await page.evaluate("document.activeElement.tagName"), "H1");
  });

  test("nothing of all that was against the content security policy", async () => {
    assert.equal(await cspReports(world.server), 0);
    const response = await authorized(world.server, "/api/v1/csp-reports");
    assert.match(await response.text(), /"reports":\[\]/);
  });
});
