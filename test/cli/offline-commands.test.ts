/** The commands that need no network, as a user runs them. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { program, runCommand } from "../support/command-line.ts";
import { testBytes, writeOddTree } from "../support/odd-tree.ts";

const lines = (text: string): Record<string, unknown>[] =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe("offline commands", () => {
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "btp-cli-"));
    writeOddTree(join(folder, "tree"));
    writeFileSync(join(folder, "single.bin"), testBytes(100_000, 1));
    writeFileSync(join(folder, "page.html"), "<html>not found</html>");
  });

  after(() => rmSync(folder, { recursive: true }));

  test("CLI-01 without a command, with an unknown one or an unknown option: usage, exit 64", async () => {
    for (const args of [[], ["frobnicate"], ["inspect", "--frobnicate", "x"], ["inspect"]]) {
      const { code, stdout, stderr } = await runCommand(folder, ...args);
      assert.equal(code, 64, args.join(" "));
      assert.match(stderr, /usage: btpublisher/i);
      assert.equal(stdout, "");
    }
  });

  test("CLI-01 a file whose name begins with a dash: how to name it", async () => {
    writeFileSync(join(folder, "-dash.bin"), "x");
    const { code, stderr } = await runCommand(folder, "publish", "-dash.bin");
    assert.equal(code, 64);
    assert.match(stderr, /\.\/-dash\.bin/);
    rmSync(join(folder, "-dash.bin"));
  });

  test("CFG-01 a certificate that is not there: its option, exit 78", async () => {
    const files = ["--tls-cert", "no.pem", "--tls-key", "no.pem"];
    const { code, stderr } = await runCommand(folder, "serve", "--data", "data", ...files);
    assert.equal(code, 78);
    assert.match(stderr, /--tls-cert: .*no\.pem/);
  });

  test("CLI-17 a wrong use with --json is a line with its code", async () => {
    const { code, stdout } = await runCommand(folder, "frobnicate", "--json");
    assert.equal(code, 64);
    assert.deepEqual(
      lines(stdout).map(({ event, code: errorCode }) => [event, errorCode]),
      [["error", "USAGE"]],
    );
  });

  test("help and version exit 0", async () => {
    const help = await runCommand(folder, "create", "--help");
    assert.equal(help.code, 0);
    assert.match(help.stdout, /Examples:/);
    const version = await runCommand(folder, "--version");
    assert.equal(version.code, 0);
    assert.match(version.stdout, /^\d+\.\d+\.\d+\n$/);
  });

  test("create, inspect and verify agree about a folder", async () => {
    const options = ["--announce", "http://tracker.example/announce", "--piece-length", "16Ki"];
    const created = await runCommand(folder, "--json", "create", "tree", ...options);
    assert.equal(created.code, 0, created.stderr);
    const { infoHash, pieces, path } = lines(created.stdout).at(-1) ?? {};
    assert.equal(path, "tree.torrent");

    const inspected = await runCommand(folder, "inspect", "tree.torrent", "--json");
    const torrent = lines(inspected.stdout).at(-1) ?? {};
    assert.equal(torrent["infoHash"], infoHash);
    assert.deepEqual(torrent["announceTiers"], [["http://tracker.example/announce"]]);
    const files = torrent["files"] as { path: string; length: number }[];
    assert.equal(files.length, 106);
    assert.ok(files.some((file) => file.path === "empty.dat" && file.length === 0));

    for (const data of [".", "tree"]) {
      const verified = await runCommand(folder, "verify", "tree.torrent", "--data", data, "--json");
      assert.equal(verified.code, 0, verified.stderr);
      assert.equal(lines(verified.stdout).at(-1)?.["goodPieces"], pieces);
    }
  });

  test("a private torrent has no magnet link", async () => {
    await runCommand(folder, "create", "tree", "--private", "-o", "private.torrent");

    const inspected = await runCommand(folder, "inspect", "private.torrent", "--json");

    assert.deepEqual(lines(inspected.stdout).at(-1)?.["isPrivate"], true);
    assert.equal(lines(inspected.stdout).at(-1)?.["magnet"], undefined);
    const { stdout } = await runCommand(folder, "inspect", "private.torrent");
    assert.doesNotMatch(stdout, /magnet/);
  });

  test("log tells all that --since takes", async () => {
    const { code, stderr } = await runCommand(folder, "log", "x", "--since", "tomorrow");
    assert.equal(code, 64);
    assert.match(stderr, /a moment, as 2026-12-31T18:00, or how long ago: 90s, 2h/);
  });

  test("verify names the damaged files and exits 65", async () => {
    await runCommand(folder, "create", "single.bin", "--piece-length", "16Ki");
    truncateSync(join(folder, "single.bin"), 99_999);

    const { code, stdout } = await runCommand(
      folder,
      "verify",
      "single.bin.torrent",
      "--data",
      ".",
      "--json",
    );

    assert.equal(code, 65);
    const [verified, error] = lines(stdout).slice(-2);
    assert.equal(verified?.["pieces"], 7);
    assert.equal(verified?.["goodPieces"], 6);
    assert.deepEqual(verified?.["damagedFiles"], ["single.bin"]);
    assert.equal(error?.["code"], "DIGEST");
  });

  test("verify misses a file without a byte, which no piece reaches into", async () => {
    const data = join(folder, "copy");
    writeOddTree(join(data, "tree"));
    rmSync(join(data, "tree", "empty.dat"));
    await runCommand(folder, "create", "tree", "-o", "copy.torrent");

    const verify = ["verify", "copy.torrent", "--data", "copy"];
    const { code, stdout, stderr } = await runCommand(folder, ...verify);

    assert.equal(code, 65);
    assert.match(stdout, /damaged: empty\.dat/);
    assert.match(stderr, /1 empty files? (is|are) missing/);
  });

  test("all odd names are told at once, with their folder", async () => {
    const odd = join(folder, "odd");
    mkdirSync(join(odd, "sub"), { recursive: true });
    for (const name of ["a?.txt", "sub/b|.txt", "fine.txt"]) writeFileSync(join(odd, name), "x");

    const { code, stderr } = await runCommand(folder, "create", "odd");

    assert.equal(code, 65);
    assert.match(stderr, /"a\?\.txt" in "odd"/);
    assert.match(stderr, /"b\|\.txt" in "odd\/sub"/);
  });

  test("a URL is no file", async () => {
    for (const [args, said] of [
      [["get", "ftp://files.example/a.torrent"], /ftp: URLs cannot be read/],
      [["inspect", "ftp://files.example/a.torrent"], /ftp: URLs cannot be read/],
      [["verify", "https://files.example/a.torrent", "--data", "."], /download it first/],
    ] as const) {
      const { code, stderr } = await runCommand(folder, ...args);
      assert.equal(code, 64, args.join(" "));
      assert.match(stderr, said);
    }
  });

  test("CLI-02 a missing file exits 66", async () => {
    for (const args of [
      ["inspect", "none.torrent"],
      ["create", "none"],
    ]) {
      const { code, stderr } = await runCommand(folder, ...args);
      assert.equal(code, 66, args.join(" "));
      assert.match(stderr, /none/);
    }
  });

  test("TOR-01 what never ends is not read to its end", async () => {
    const { code, stderr } = await runCommand(folder, "inspect", "/dev/zero");
    assert.equal(code, 65);
    assert.match(stderr, /META_SIZE/);
  });

  test("CLI-03 a bad torrent exits 65 with its code", async () => {
    const { code, stderr } = await runCommand(folder, "inspect", "page.html");
    assert.equal(code, 65);
    assert.match(stderr, /\(BENC_[A-Z_]+\)/);
  });

  test("CLI-10 a reader that goes away is no crash", () => {
    const { stdout, stderr } = spawnSync(
      "bash",
      ["-c", '"$0" "$1" inspect page.html --json | true; echo "${PIPESTATUS[0]}"', ...program],
      { cwd: folder, encoding: "utf8" },
    );
    assert.match(stdout, /^(0|65|141)\n$/);
    assert.equal(stderr, "");
  });

  test("CLI-14 a magnet link that the shell cut at its first & is warned of", async () => {
    const magnet = `magnet:?xt=urn:btih:${"ab".repeat(20)}`;
    const cut = await runCommand(folder, "inspect", magnet);
    assert.equal(cut.code, 0);
    assert.match(cut.stderr, /quotes/);
    const whole = await runCommand(folder, "inspect", `${magnet}&tr=http://a.example/announce`);
    assert.equal(whole.stderr, "");
  });

  test("CLI-15 create never writes over its input or anything else unasked", async () => {
    for (const output of ["page.html", "tree", "/dev/null"]) {
      const { code, stderr } = await runCommand(folder, "create", "page.html", "-o", output);
      assert.equal(code, 73, output);
      assert.match(stderr, /STORAGE_EXISTS/);
    }
    assert.equal(readFileSync(join(folder, "page.html"), "utf8"), "<html>not found</html>");
  });

  test("CLI-04 an output that cannot be written exits 73", async () => {
    const { code } = await runCommand(folder, "create", "page.html", "-o", "none/x.torrent");
    assert.equal(code, 73);
  });
});
