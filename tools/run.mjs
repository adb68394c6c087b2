/**
 * The three commands of a fresh checkout: `setup`, `start [options of serve]`, `test`.
 *
 * Plain JavaScript for any Node from 18 on, because it is what brings the Node that the rest
 * needs: npm installs it (workspace tools/node24), and everything is then started by that path,
 * since a shell remembers where it found another one.
 */
import { spawn, spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bundledNode = join(root, "node_modules", ".bin", "node");
const bin = (name) => join(root, "node_modules", ".bin", name);

/** Commands that tests drive, and the Debian packages that bring them. */
const debianPackages = {
  aria2c: "aria2",
  chromium: "chromium",
  curl: "curl",
  ethtool: "ethtool",
  ip: "iproute2",
  minisign: "minisign",
  mktorrent: "mktorrent",
  nginx: "nginx",
  opentracker: "opentracker",
  rtorrent: "rtorrent",
  "transmission-daemon": "transmission-daemon",
  "transmission-show": "transmission-cli",
};

const commands = { setup, start, test };

const [name = "", ...args] = process.argv.slice(2);
const command = commands[name];
if (command === undefined) {
  process.stderr.write(`usage: node tools/run.mjs ${Object.keys(commands).join("|")} [options]\n`);
  process.exit(64);
}
process.exit(await command(args));

/** Installs what package-lock.json names, unless that is done. @returns the exit code. */
function setup() {
  const isOk = isInstalled() || runNpmCi();
  if (!isOk) return 1;
  if (nodePath() !== undefined) return 0;
  process.stderr.write(
    `BTPublisher needs Node ${neededNode().join(".")} or newer, and this is ${process.version}.\n` +
      `npm brings one on Linux x64 only: on ${process.platform} ${process.arch} install it from ` +
      "https://nodejs.org, then run this again.\n",
  );
  return 69;
}

/** Runs a server with all roles, with the defaults of `btpublisher serve`. */
async function start(options) {
  const isSetUp = setup();
  if (isSetUp !== 0) return isSetUp;
  if (!buildPages()) return 70;
  const child = spawn(nodePath(), [join(root, "src", "cli", "main.ts"), "serve", ...options], {
    stdio: "inherit",
  });
  // Ctrl-C reaches the child by itself; what is sent to this process alone is passed on.
  process.on("SIGINT", () => {});
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  return new Promise((resolve) => {
    child.on("exit", (code) => resolve(code ?? 70));
  });
}

/** Every check that a change must pass. All run, so that one run shows all that is wrong. */
function test() {
  const isSetUp = setup();
  if (isSetUp !== 0) return isSetUp;
  const node = nodePath();
  /** @type {[string, () => boolean][]} */
  const steps = [
    ["real clients for the interoperability tests", () => installClients() && installNpmClients()],
    ["pages", buildPages],
    ["types, pure core", () => run(node, [bin("tsc"), "-p", "tsconfig.core.json"])],
    ["types, pages", () => run(node, [bin("tsc"), "-p", "src/web/tsconfig.json"])],
    ["types", () => run(node, [bin("tsc"), "-p", "tsconfig.json"])],
    ["lint", () => run(node, [bin("oxlint"), "--type-aware", "--deny-warnings"])],
    ["format", () => run(node, [bin("biome"), "format"])],
    ["unit tests", () => run(node, ["--test", "src/**/*.test.ts"])],
    ["integration tests", () => run(node, ["--test", "--test-concurrency=2", "test/**/*.test.ts"])],
  ];
  const failed = [];
  for (const [title, step] of steps) {
    process.stdout.write(`\n== ${title}\n`);
    const startedAt = Date.now();
    if (!step()) failed.push(title);
    process.stdout.write(`== ${title}: ${((Date.now() - startedAt) / 1000).toFixed(1)} s\n`);
  }
  process.stdout.write(failed.length === 0 ? "\nall is well\n" : `\nwrong: ${failed.join(", ")}\n`);
  return failed.length === 0 ? 0 : 1;
}

/** Builds what the pages load, unless that is done. @returns whether it is there. */
function buildPages() {
  if (isBuilt()) return true;
  process.stdout.write("building the pages (npm run build:web)\n");
  return run(nodePath(), [join(root, "tools", "build-web.mjs")]);
}

/** Whether the built pages are as new as all that they are made of, as far as file times tell. */
function isBuilt() {
  const built = join(root, "dist", "web", "manifest.json");
  if (!existsSync(built)) return false;
  const made = statSync(built).mtimeMs;
  const folders = ["src/web", "src/protocol/api"].map((folder) => join(root, folder));
  const sources = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true }).map((name) => join(folder, name)),
  );
  const rest = ["package-lock.json", "tools/build-web.mjs"].map((name) => join(root, name));
  return [...folders, ...sources, ...rest].every((path) => statSync(path).mtimeMs <= made);
}

/** Brings the clients that test/interop drives, where that is possible. */
function installClients() {
  const missing = missingPackages();
  if (missing.length === 0) return true;
  const why = whyNoInstall();
  if (why !== undefined) {
    process.stdout.write(
      `not installing ${missing.join(" ")}: ${why}. Tests that need network namespaces and these ` +
        "clients are skipped, and say so.\n",
    );
    return true;
  }
  process.stdout.write(`installing ${missing.join(" ")}\n`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const install = ["install", "-y", "-qq", "--no-install-recommends", ...missing];
  return run("apt-get", ["update", "-qq"], env) && run("apt-get", install, env);
}

/**
 * Brings the clients that npm has. They have a lock file of their own, and lie beside our packages
 * rather than among them, so that no user of ours ever gets them. None of their scripts runs.
 */
function installNpmClients() {
  const folder = join(root, "node_modules", ".cache", "npm-clients");
  const source = join(root, "test", "npm-clients");
  const lock = "package-lock.json";
  const wanted = readFileSync(join(source, lock), "utf8");
  const marker = join(folder, "installed.json");
  if (existsSync(marker) && readFileSync(marker, "utf8") === wanted) return true;
  mkdirSync(folder, { recursive: true });
  for (const name of ["package.json", lock]) copyFileSync(join(source, name), join(folder, name));
  const flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  if (!runNpm("ci", "--prefix", folder, ...flags)) return false;
  writeFileSync(marker, wanted);
  return true;
}

function whyNoInstall() {
  if (process.platform !== "linux") return `this is ${process.platform}, not Linux`;
  if (process.getuid() !== 0) return "not root";
  return hasCommand("apt-get") ? undefined : "no apt-get here";
}

function missingPackages() {
  const missing = Object.keys(debianPackages).filter((name) => !hasCommand(name));
  const packages = missing.map((name) => debianPackages[name]);
  // Debian's own interpreter: its modules are not seen by another python3 that comes first in PATH.
  const python = spawnSync("/usr/bin/python3", ["-c", "import libtorrent"], { stdio: "ignore" });
  return python.status === 0 ? packages : [...packages, "python3-libtorrent"];
}

function hasCommand(name) {
  const folders = [...(process.env.PATH ?? "").split(":"), "/usr/sbin", "/sbin"];
  return folders.some((folder) => existsSync(join(folder, name)));
}

/** Whether node_modules is what the lock file says, as far as file times tell. */
function isInstalled() {
  const installed = join(root, "node_modules", ".package-lock.json");
  if (!existsSync(installed)) return false;
  return statSync(installed).mtimeMs >= statSync(join(root, "package-lock.json")).mtimeMs;
}

function runNpmCi() {
  process.stdout.write("installing packages (npm ci)\n");
  return runNpm("ci", "--no-audit", "--no-fund", "--loglevel=error");
}

/** @returns whether npm did it. */
function runNpm(...npmArgs) {
  // Inside `npm start` the very npm that runs is named by npm; else it is looked for.
  const cli = process.env.npm_execpath;
  const isOk = cli?.endsWith(".js")
    ? run(process.execPath, [cli, ...npmArgs])
    : run("npm", npmArgs);
  if (!isOk) process.stderr.write(`npm ${npmArgs[0]} failed: see above\n`);
  return isOk;
}

/** A Node that is new enough: this one, else the one that npm brought, else none. */
function nodePath() {
  if (isNewEnough(process.versions.node)) return process.execPath;
  const version = spawnSync(bundledNode, ["--version"], { encoding: "utf8" });
  return version.status === 0 && isNewEnough(version.stdout.slice(1)) ? bundledNode : undefined;
}

function neededNode() {
  const { engines } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  return engines.node.replace(">=", "").split(".").map(Number);
}

function isNewEnough(version) {
  const [major, minor] = version.split(".").map(Number);
  const [neededMajor, neededMinor] = neededNode();
  return major > neededMajor || (major === neededMajor && minor >= neededMinor);
}

/** Runs a program in the checkout, its output shown. @returns whether it exited 0. */
function run(program, programArgs, env = process.env) {
  const result = spawnSync(program, programArgs, { cwd: root, stdio: "inherit", env });
  if (result.error !== undefined) process.stderr.write(`${program}: ${result.error.message}\n`);
  return result.status === 0;
}
