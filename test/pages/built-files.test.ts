/** What browsers load is small, and all of it is ours. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readWebBuild } from "../../src/adapters/node/web-build.ts";

/** Compressed, in bytes: on a slow phone that is a second. */
const MAX_FIRST_LOAD = 100_000;

test("the first load of every page is at most 100 kB compressed", async () => {
  const build = await readWebBuild();
  assert.ok(build !== undefined, "run: npm run build:web");
  const all = [...build.files.values()].reduce((sum, file) => sum + file.brotli.length, 0);
  assert.ok(all <= MAX_FIRST_LOAD, `${all} bytes, all pages together`);
  const style = build.entry("style.css");
  for (const source of ["admin.tsx", "download.ts"] as const) {
    const { script, styles, preloads } = build.entry(source);
    assert.ok(script !== undefined);
    const loaded = [script, ...styles, ...preloads, ...style.styles];
    const bytes = loaded.reduce(
      (sum, path) => sum + (build.files.get(path)?.brotli.length ?? 1e9),
      0,
    );
    assert.ok(bytes <= MAX_FIRST_LOAD, `${source}: ${bytes} bytes`);
  }
});

test("no built file names another host", async () => {
  const build = await readWebBuild();
  for (const [path, { plain }] of build?.files ?? []) {
    const text = new TextDecoder().decode(plain);
    const hosts = [...text.matchAll(/\bhttps?:\/\/([\w.-]+)/g)].map((match) => match[1]);
    // Names of XML namespaces look like addresses, and are none.
    assert.deepEqual(
      hosts.filter((host) => host !== "www.w3.org"),
      [],
      path,
    );
  }
});
