/** Publishing what is there already as it is: content with a .torrent, by API and command; archives. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { ApiError, Client } from "../../src/client/client.ts";
import { runCommand } from "../support/command-line.ts";
import {
  authorized,
  type LoopbackServer,
  startLoopbackServer,
} from "../support/loopback-server.ts";
import { bencode, good, type RawFields, sha1, sha1Hex } from "../support/metainfo.ts";
import { testBytes } from "../support/odd-tree.ts";
import { parseMetainfo } from "../../src/protocol/metainfo/parse.ts";

const PIECE = 16 * 1024;
const right = new Uint8Array(testBytes(5 * PIECE + 1, 1));
const wrong = right.map((byte, i) => (i === 2 * PIECE ? byte ^ 1 : byte));
const planned = { contentName: "new.bin", isDirectory: false };
const files = [{ path: ["new.bin"], length: right.length }];

/** As another project made it. */
function infoOf(changes: RawFields = {}): Buffer {
  const pieces = Array.from({ length: 6 }, (_, i) =>
    sha1(right.subarray(i * PIECE, (i + 1) * PIECE)),
  );
  const fields = { length: right.length, name: "old.bin", "piece length": PIECE };
  return bencode({ ...fields, pieces: Buffer.concat(pieces), ...changes });
}

function torrentOf(changes: RawFields = {}): Buffer {
  const head = bencode({ announce: "http://elsewhere.example/announce", "created by": "them" });
  const tail = bencode({ "url-list": ["http://elsewhere.example/"] });
  const info = Buffer.concat([bencode("info"), infoOf(changes)]);
  return Buffer.concat([head.subarray(0, -1), info, tail.subarray(1)]);
}

describe("what is there already", () => {
  let folder: string;
  let server: LoopbackServer;
  let client: Client;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "btp-existing-"));
    writeFileSync(join(folder, "new.bin"), right);
    writeFileSync(join(folder, "wrong.bin"), wrong);
    writeFileSync(join(folder, "old.torrent"), torrentOf());
    writeFileSync(join(folder, "private.torrent"), torrentOf({ private: 1 }));
    server = await startLoopbackServer(folder);
    client = new Client({ url: server.url, token: server.token });
  });

  after(async () => {
    await server.program.stop();
    rmSync(folder, { recursive: true });
  });

  const run = (...args: readonly string[]) => runCommand(folder, ...args, "--server", server.url);
  const isProblem = (status: number, code: string) => (error: unknown) => {
    assert.ok(error instanceof ApiError, String(error));
    assert.deepEqual([error.problem.status, error.problem.code], [status, code]);
    return true;
  };

  test("UPL-13 UPL-14 by the typed client: refused by its wrong piece, then published as it was", async () => {
    const torrent = torrentOf().toString("base64");
    const { name } = await client.planUpload({ ...planned, files, torrent });
    assert.equal(name, "old.bin");
    await client.append(name, { index: 0, offset: 0 }, wrong);
    await assert.rejects(client.publish(name), (error) => {
      assert.ok(error instanceof ApiError);
      assert.partialDeepStrictEqual(error.problem, {
        status: 422,
        code: "HASH_MISMATCH",
        pieceIndex: 2,
        path: "old.bin",
      });
      return true;
    });
    assert.equal((await client.status(name)).state, "uploading");

    await client.append(name, { index: 0, offset: 0 }, right);
    const { infoHash, torrentUrl, fileUrls } = await client.publish(name);

    assert.equal(infoHash, sha1Hex(infoOf()));
    const bytes = new Uint8Array(await (await fetch(torrentUrl)).arrayBuffer());
    const metainfo = good(parseMetainfo(bytes, { sha1 }));
    const ours = [metainfo.announceTiers, metainfo.webSeeds, metainfo.createdBy];
    assert.ok(!JSON.stringify(ours).includes("elsewhere"));
    assert.equal(metainfo.createdBy, "BTPublisher");
    assert.match(String(fileUrls[0]), /\/files\/old\.bin\/old\.bin$/);
    const served = await (await fetch(String(fileUrls[0]))).arrayBuffer();
    assert.equal(Buffer.compare(new Uint8Array(served), right), 0);
    await assert.rejects(
      client.publishLocal({ name: "twin", path: join(folder, "new.bin"), torrent }),
      isProblem(409, "CONFLICT"),
    );
    await client.unpublish(name);
  });

  test("UPL-13 what does not fit is refused before a byte is sent", async () => {
    const plan = { ...planned, files };
    const refused = [
      [{ ...plan, torrent: torrentOf({ private: 1 }).toString("base64") }, 422, "META_PRIVATE"],
      [
        { ...plan, torrent: torrentOf().toString("base64"), access: { catalogue: "members" } },
        422,
        "META_PRIVATE",
      ],
      [
        { ...plan, torrent: torrentOf({ length: 4 * PIECE + 1 }).toString("base64") },
        422,
        "META_PIECES_COUNT",
      ],
      [{ ...plan, torrent: Buffer.from("hello").toString("base64") }, 422, "BENC_SYNTAX"],
      [{ ...plan, torrent: "not base64" }, 400, "USAGE"],
      [{ ...plan, torrent: "A".repeat(14_000_000) }, 400, "USAGE"],
      [{ ...plan, isDirectory: true, torrent: torrentOf().toString("base64") }, 422, "META_FILES"],
    ] as const;
    for (const [body, status, code] of refused) {
      await assert.rejects(client.planUpload(body), isProblem(status, code));
    }
    assert.deepEqual((await authorizedStatus("old.bin")).status, 404);
  });

  test("UPL-13 UPL-14 by command, where it lies: refused with the fitting exit code, or kept", async () => {
    const table = [
      [["new.bin", "--torrent", "missing.torrent"], 66, /missing\.torrent/],
      [["new.bin", "--torrent", "new.bin"], 65, /BENC_|not a \.torrent/],
      [["new.bin", "wrong.bin", "--torrent", "old.torrent"], 64, /one file or folder/],
      [
        ["new.bin", "--torrent", "old.torrent", "--piece-length", "64Ki"],
        64,
        /leave --piece-length/,
      ],
      [["wrong.bin", "--torrent", "old.torrent"], 65, /piece 2 of 0 to 5, in "old\.bin", is not/],
      [["new.bin", "--torrent", "private.torrent"], 65, /choose the catalogue members or private/],
      [["new.bin", "--torrent", "old.torrent", "--catalogue", "members"], 65, /catalogue public/],
    ] as const;
    for (const [args, code, message] of table) {
      const ended = await run("publish", ...args);
      assert.equal(ended.code, code, `${args.join(" ")}: ${ended.stderr}`);
      assert.match(ended.stderr, message);
    }
    assert.equal((await runCommand(folder, "key", "sign.key")).code, 0);

    const args = ["new.bin", "--torrent", "private.torrent", "--catalogue", "members"];
    const kept = await run("publish", ...args, "--sign", "sign.key", "--json");

    assert.equal(kept.code, 0, kept.stderr + kept.stdout);
    assert.match(kept.stdout, new RegExp(sha1Hex(infoOf({ private: 1 }))));
    assert.match(kept.stdout, /"event":"signed"/);
  });

  test("UPL-07 an archive is one file like any other: nothing is taken out of it", async () => {
    const archive = zipOf(["../outside.txt", "/absolute.txt", "twice.txt", "twice.txt"]);
    const { fileUrls } = await client.publishFile("evil.zip", archive);

    const served = new Uint8Array(await (await fetch(String(fileUrls[0]))).arrayBuffer());
    assert.equal(Buffer.compare(served, archive), 0);
    const written = readdirSync(folder, { recursive: true }).map(String);
    assert.deepEqual(
      written.filter((path) => /outside|absolute|twice/.test(path)),
      [],
    );
    assert.deepEqual((await client.publication("evil.zip")).files.length, 1);
  });

  function authorizedStatus(name: string): Promise<Response> {
    return authorized(server, `/api/v1/publications/${name}/status`);
  }
});

/** A .zip file of stored files with these names, each with a wrong CRC and a few bytes. */
function zipOf(names: readonly string[]): Uint8Array<ArrayBuffer> {
  const content = Buffer.from("taken out");
  const locals: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const name of names) {
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt32LE(content.length, 14);
    fields.writeUInt32LE(content.length, 18);
    fields.writeUInt16LE(name.length, 22);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(offset, 10);
    const local = Buffer.concat([
      Buffer.from("PK\u0003\u0004"),
      fields,
      Buffer.from(name),
      content,
    ]);
    central.push(
      Buffer.concat([Buffer.from("PK\u0001\u0002\u0014\0"), fields, place, Buffer.from(name)]),
    );
    locals.push(local);
    offset += local.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(names.length, 4);
  end.writeUInt16LE(names.length, 6);
  end.writeUInt32LE(directory.length, 8);
  end.writeUInt32LE(offset, 12);
  return new Uint8Array(Buffer.concat([...locals, directory, Buffer.from("PK\u0005\u0006"), end]));
}
