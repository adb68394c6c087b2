#!/usr/bin/env node
/**
 * The installed command. Plain JavaScript that names no export a Node from 18 on lacks, so that one
 * that is too old gets told so. A checkout runs its sources; a published package has only what was
 * built.
 */
import { existsSync, readFileSync } from "node:fs";
import module from "node:module";
import process from "node:process";

const { engines } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
const [neededMajor, neededMinor] = engines.node.replace(">=", "").split(".").map(Number);
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < neededMajor || (major === neededMajor && minor < neededMinor)) {
  process.stderr.write(
    `btpublisher needs Node ${engines.node}, and this is ${process.version}: ` +
      "install a newer one from https://nodejs.org\n",
  );
  process.exit(69);
}

// Compiled code is kept between runs: a start takes a third of the time.
module.enableCompileCache();

const source = new URL("../src/cli/main.ts", import.meta.url);
const built = new URL("../dist/cli/main.js", import.meta.url);
const { main } = await import(existsSync(source) ? source.href : built.href);
process.exit(await main(process.argv.slice(2)));
