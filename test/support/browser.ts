/** A real browser before a real server: Debian's chromium, and what went wrong in its pages. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { authorized, type LoopbackServer, startLoopbackServer } from "./loopback-server.ts";

/** How long anything on a page may take on a busy machine. */
export const PATIENCE_MS = 30_000;

/** The account that `startPages` makes. */
export const account = { name: "carol", password: "correct horse battery" } as const;

/** A server, a browser, and a folder for both. */
export interface PagesWorld {
  readonly folder: string;
  readonly server: LoopbackServer;
  readonly browser: Browser;
  /** A browser window of its own, logged in or not. */
  visit(options?: VisitOptions): Promise<Visitor>;
  close(): Promise<void>;
}

/** What a window is like. */
export interface VisitOptions {
  readonly isLoggedIn?: boolean;
  readonly colorScheme?: "dark" | "light";
  readonly width?: number;
  readonly height?: number;
}

/** A window with its page. */
export interface Visitor {
  readonly context: BrowserContext;
  readonly page: Page;
  /** Errors of scripts, and of what the page may load; must stay empty. */
  readonly trouble: string[];
}

/** Starts chromium. */
export function startBrowser(): Promise<Browser> {
  const executablePath = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
  return chromium.launch({ executablePath, args: ["--no-sandbox", "--lang=en-GB"] });
}

/** Starts a server with an account, and a browser. `more`: further options of `serve`. */
export async function startPages(...more: readonly string[]): Promise<PagesWorld> {
  const folder = mkdtempSync(join(tmpdir(), "btp-pages-"));
  const server = await startLoopbackServer(folder, 0, ...more);
  const made = await authorized(server, "/api/v1/users", {
    method: "POST",
    body: JSON.stringify({ ...account, role: "maintainer" }),
  });
  if (made.status !== 201) throw new Error(await made.text());
  const browser = await startBrowser();
  return {
    folder,
    server,
    browser,
    visit: (options) => visit(browser, server.url, options),
    async close() {
      await browser.close();
      await server.program.stop();
      rmSync(folder, { recursive: true });
    },
  };
}

async function visit(
  browser: Browser,
  url: string,
  { isLoggedIn = false, colorScheme = "light", width = 1280, height = 900 }: VisitOptions = {},
): Promise<Visitor> {
  const context = await browser.newContext({
    baseURL: url,
    colorScheme,
    viewport: { width, height },
    locale: "en-GB",
    reducedMotion: "reduce",
  });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  const trouble: string[] = [];
  page.on("pageerror", (error) => trouble.push(`script: ${error.message}`));
  page.on("console", (message) => {
    const text = message.text();
    // That nobody is logged in yet is an answer like any other.
    if (message.type() === "error" && !/status of 401/.test(text)) trouble.push(text);
  });
  if (isLoggedIn) await logIn(page);
  return { context, page, trouble };
}

/** Logs in as a person does. */
async function logIn(page: Page): Promise<void> {
  await page.goto("/login");
  await page.getByLabel("Name").fill(account.name);
  await page.getByLabel("Password").fill(account.password);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.waitForURL("**/admin");
}

/** How often browsers said that a page wanted what the policy forbids. */
export async function cspReports(server: LoopbackServer): Promise<number> {
  const response = await authorized(server, "/api/v1/csp-reports");
  return ((await response.json()) as { readonly count: number }).count;
}
