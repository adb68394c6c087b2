/** Every page, with hostile names on it: no script of theirs runs, and everybody can use it. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, describe, test } from "node:test";
import type { Page } from "playwright-core";
import { signingCrypto } from "../../src/adapters/node/signing-crypto.ts";
import { createSecretKey, signFile } from "../../src/protocol/signature/minisign.ts";
import { encodePublicKey } from "../../src/protocol/signature/minisign-format.ts";
import { account, cspReports, type PagesWorld, startPages } from "../support/browser.ts";
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

const markup = `<img src=x onerror=alert(3)>.txt`;

/** Pages whose questions are asked over the page, and what opens them. */
const dialogs = [
  ["/admin/access", "Add an account"],
  [`/admin/access/accounts/${account.name}`, "Change the role"],
  [`/admin/access/accounts/${account.name}`, "Set a password"],
  [`/admin/access/accounts/${account.name}`, "Replace passkeys"],
  [`/admin/access/accounts/${account.name}`, "Remove"],
  ["/admin/access/tokens", "Make a token"],
  ["/admin/access/grants", "Give access"],
] as const;

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
    await signFirst();
    // The audit log tells of what was refused, too, by the name that it was given.
    for (const contentName of [markup, ...hostile]) {
      const files = [{ path: ["a"], length: 1 }];
      const plan = { contentName, isDirectory: true, files, access: { catalogue: "private" } };
      await send("POST", "/api/v1/publications", JSON.stringify(plan));
    }
    const user = account.name;
    await send("POST", "/api/v1/tokens", JSON.stringify({ user }));
    for (const publication of names)
      await send("POST", "/api/v1/grants", JSON.stringify({ user, publication }));
  });

  after(() => world.close());

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

  /** So that there are pages of what is signed, and of what is not. */
  async function signFirst(): Promise<void> {
    const list = await fetch(new URL("/p/hostile-0.sha256", world.server.url));
    const key = createSecretKey(signingCrypto);
    const trustedComment = hostile[0] as string;
    const message = new Uint8Array(await list.arrayBuffer());
    const signature = signFile(message, { key, trustedComment }, signingCrypto);
    const texts = JSON.stringify({ publicKey: encodePublicKey(key), signature });
    const signed = await send("PUT", "/api/v1/publications/hostile-0/signature", texts);
    assert.equal(signed.status, 200, await signed.text());
  }

  async function publish(name: string, contentName: string): Promise<void> {
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
    "/admin/access",
    `/admin/access/accounts/${account.name}`,
    "/admin/access/accounts/nobody-of-that-name",
    "/admin/access/tokens",
    "/admin/access/grants",
    "/admin/access/audit",
    "/admin/nowhere",
  ];

  /** Waits until nothing says any more that it is loading. */
  async function settled(page: Page): Promise<void> {
    await page.locator("h1").waitFor();
    await page.getByText("Loading …").first().waitFor({ state: "detached" });
  }

  test("API-07 the overview shows those with a text in a name, taken literally", async () => {
    const { page } = await world.visit({ isLoggedIn: true });
    await page.goto("/admin");
    const search = page.getByLabel("Find a publication");
    const rows = page.locator("tr[data-publication]");
    await search.fill("{{7-7}}");
    await rows.filter({ hasText: "=HYPERLINK" }).first().waitFor();
    assert.equal(await rows.filter({ hasNotText: "=HYPERLINK" }).count(), 0);
    await search.fill(".*");
    await page.getByText("No publication is named so").waitFor();
    await search.fill("");
    await rows.nth(hostile.length).waitFor();
  });

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
    await page.goto("/admin/access/audit");
    for (const name of [markup, ...hostile])
      await page.locator("td bdi", { hasText: name }).first().waitFor();
    const hostilePage = `/admin/access/accounts/${encodeURIComponent(markup)}`;
    await page.goto(hostilePage);
    await page.locator("h1 bdi", { hasText: markup }).waitFor();
    await page.getByRole("alert").getByText(markup).waitFor();
    await page.goto(`/admin/access/grants?publication=${encodeURIComponent(markup)}`);
    assert.equal(await page.getByLabel("Publication", { exact: true }).inputValue(), markup);
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

  /** No rule of axe is broken, and nothing is wider than the window. */
  async function check(page: Page, place: string, width: number): Promise<void> {
    // As the browser's own tool it may run; no page could load it.
    await page.evaluate(axe);
    const found = await page.evaluate<readonly Violation[]>(
      `axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) => violations)`,
    );
    const told = found.flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`),
    );
    assert.deepEqual(told, [], place);
    const wide = await page.evaluate<number>("document.documentElement.scrollWidth");
    assert.ok(wide <= width, `${place} is ${wide} wide`);
  }

  for (const colorScheme of ["light", "dark"] as const) {
    for (const width of [1280, 360]) {
      test(`everybody can use it: ${colorScheme}, ${width} pixels wide`, async () => {
        const { page } = await world.visit({ isLoggedIn: true, colorScheme, width });
        for (const path of pages()) {
          await page.goto(path);
          await settled(page);
          await check(page, path, width);
        }
        for (const [path, opener] of dialogs) {
          await page.goto(path);
          await settled(page);
          await page.getByRole("button", { name: opener }).click();
          await page.getByRole("dialog", { name: /\w/ }).waitFor();
          await check(page, `${path}: ${opener}`, width);
          await page.keyboard.press("Escape");
          await page.getByRole("dialog").waitFor({ state: "detached" });
          assert.equal(await page.evaluate("document.activeElement.textContent"), opener);
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

  test("A4 a page of another site shows none of ours in a frame", async () => {
    const places = ["/", "/login", "/admin", `/p/${names[1]}`];
    const frames = places.map((path) => `<iframe src="${world.server.url}${path}"></iframe>`);
    const other = createServer((_request, response) => {
      response.setHeader("content-type", "text/html").end(frames.join(""));
    });
    await once(other.listen(0, "127.0.0.1"), "listening");
    try {
      const { page } = await world.visit();
      await page.goto(`http://127.0.0.1:${(other.address() as AddressInfo).port}/`);
      const shown = page.frames().filter((frame) => frame !== page.mainFrame());
      assert.equal(shown.length, places.length);
      for (const frame of shown) assert.match(frame.url(), /^chrome-error:/);
    } finally {
      other.closeAllConnections();
      other.close();
    }
  });
});
