/**
 * A trial at full size, for people: `npm run trial [-- FOLDER]`. Publishes a large tree of real files
 * (by default everything in node_modules, and the odd names of the tests), downloads it with our
 * client, aria2, libtorrent, transmission and curl, each on a host of its own, and compares the
 * SHA-256 of every file. Needs root, for the network namespaces.
 */
import { cpSync, lstatSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { assertArrived } from "../support/arrived.ts";
import { clientKinds } from "../support/clients.ts";
import { runOn, TestNetwork, whyNoNamespaces } from "../support/netns.ts";
import { hashFiles, testBytes, writeOddTree } from "../support/odd-tree.ts";
import { publishOn, startOurs, startServer } from "../support/our-programs.ts";

const LIMIT_MS = 600_000;
const root = fileURLToPath(new URL("../../", import.meta.url));

/** A tree of 500 MB and more: thousands of small files, some large ones, odd names. */
function buildTree(tree: string): void {
  writeOddTree(tree);
  cpSync(join(root, "node_modules"), join(tree, "modules"), {
    recursive: true,
    // Links are not content: publishing refuses them.
    filter: (path) => !lstatSync(path).isSymbolicLink(),
  });
  for (const n of [1, 2, 3])
    writeFileSync(join(tree, `large ${n}.img`), testBytes(80_000_000 + n, n));
}

function say(text: string): void {
  console.log(`${(performance.now() / 1000).toFixed(1).padStart(7)} s  ${text}`);
}

const why = whyNoNamespaces();
if (why !== undefined) throw new Error(why);
const folder = mkdtempSync(join(tmpdir(), "btp-trial-"));
const network = new TestNetwork();
const given = process.argv[2];
const tree = given === undefined ? join(folder, "tree") : resolve(given);
const name = tree.split("/").at(-1) as string;
const host = network.addHost("server");
const running: { stop(): Promise<void> }[] = [];
try {
  if (given === undefined) buildTree(tree);
  const original = hashFiles(tree);
  say(`${original.size} files in ${tree}`);
  const server = await startServer(host, join(folder, "server"));
  running.push(server.program);
  const published = await publishOn(host, server, tree);
  say(`published ${String(published["bytes"])} bytes`);
  const torrent = join(folder, "content.torrent");
  await runOn(host, "curl", "-sSf", "-o", torrent, String(published["torrentUrl"]));

  const ours = startOurs(
    network.addHost("ours"),
    "get",
    String(published["pageUrl"]),
    "-o",
    join(folder, "ours"),
  );
  running.push(ours);
  await ours.succeed(LIMIT_MS);
  assertSame(join(folder, "ours", name), "our client");

  for (const kind of clientKinds) {
    const directory = join(folder, kind.name);
    mkdirSync(directory);
    const scratch = join(folder, `${kind.name}-scratch`);
    const client = kind.start("leech", {
      host: network.addHost(kind.name),
      torrent,
      directory,
      scratch,
    });
    running.push(client);
    await client.complete(LIMIT_MS);
    await client.stop();
    assertArrived(kind, tree, join(directory, name));
    say(`${kind.name}: every file is the same`);
    rmSync(directory, { recursive: true });
  }

  const curl = network.addHost("curl");
  const urls = published["fileUrls"] as string[];
  const list = urls.map((url) => {
    const path = decodeURIComponent(new URL(url).pathname).split("/").slice(4).join("/");
    return `url = "${url}"\noutput = "${join(folder, "curl", path).replaceAll('"', '\\"')}"`;
  });
  writeFileSync(join(folder, "curl.config"), list.join("\n"));
  await runOn(curl, "curl", "-sSf", "--create-dirs", "--config", join(folder, "curl.config"));
  assertSame(join(folder, "curl"), "curl");

  function assertSame(copy: string, who: string): void {
    const found = hashFiles(copy);
    for (const [path, digest] of original) {
      if (found.get(path) !== digest) throw new Error(`${who}: ${path} differs`);
    }
    if (found.size !== original.size) throw new Error(`${who}: ${found.size} files`);
    say(`${who}: every file is the same`);
  }
} finally {
  for (const program of running.reverse()) await program.stop();
  network.close();
  rmSync(folder, { recursive: true, force: true });
}
