/**
 * What publishing by the page costs the server: `node bench/publish-page.ts [--mib N] [--warm-mib N]
 * [--runs N]`. A real chromium gives a file to the form and uploads it; its own time is not counted. With
 * `--warm-mib` so much is published before what counts: a server that has just started runs its code
 * for the first time. The data folder and the file are below TMPDIR.
 */
import { randomFillSync } from "node:crypto";
import { closeSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import type { Page } from "playwright-core";
import { type PagesWorld, startPages } from "../test/support/browser.ts";
import {
  cpuSecondsOf,
  hashOnce,
  MIB,
  OwnMemory,
  type PublishCost,
  statusBytes,
  tableHead,
  tableRow,
} from "./publish-cost.ts";

const { values } = parseArgs({
  options: {
    mib: { type: "string", default: "1024" },
    "warm-mib": { type: "string", default: "0" },
    runs: { type: "string", default: "3" },
  },
});
const totalBytes = Number(values.mib) * MIB;
const warmBytes = Number(values["warm-mib"]) * MIB;
const part = randomFillSync(new Uint8Array(MIB));

process.stdout.write(tableHead);
for (let run = 1; run <= Number(values.runs); run++) {
  const hashSeconds = hashOnce(part, totalBytes);
  const world = await startPages();
  try {
    const { page } = await world.visit({ isLoggedIn: true });
    if (warmBytes > 0) await publish(world, page, { name: "warm", bytes: warmBytes });
    const cost = await publish(world, page, { name: "big", bytes: totalBytes });
    process.stdout.write(tableRow(run, { hashSeconds, ...cost }));
  } finally {
    await world.close();
  }
}

async function publish(
  world: PagesWorld,
  page: Page,
  { name, bytes }: { readonly name: string; readonly bytes: number },
): Promise<PublishCost> {
  const file = join(world.folder, `${name}.bin`);
  const descriptor = openSync(file, "w");
  // No two contents are alike.
  part.set(Buffer.from(name));
  for (let done = 0; done < bytes; done += part.length) writeSync(descriptor, part);
  closeSync(descriptor);
  await page.goto("/admin/publish");
  await page.locator("[data-pick=file]").setInputFiles(file);
  await page.getByLabel("Name in links").fill(name);

  const { pid } = world.server.program.child;
  const memory = new OwnMemory(pid);
  const cpuBefore = cpuSecondsOf(pid);
  const startedAt = performance.now();
  try {
    await page.getByRole("button", { name: "Upload and publish" }).click();
    await page.waitForURL(`**/admin/p/${name}/share`, { timeout: 300_000 });
    return {
      cpuSeconds: cpuSecondsOf(pid) - cpuBefore,
      ownBytes: memory.most,
      residentBytes: statusBytes(pid, "VmHWM"),
      seconds: (performance.now() - startedAt) / 1000,
    };
  } finally {
    memory.close();
  }
}
