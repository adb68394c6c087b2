/** What every adapter of the catalogue port must do. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { parseInfoHash } from "../../src/base/bytes.ts";
import { BtPublisherError } from "../../src/base/errors.ts";
import type { InfoHash } from "../../src/base/units.ts";
import {
  type Catalogue,
  type Publication,
  type PublicationContent,
  summaryOf,
} from "../../src/ports/catalogue.ts";

const hasCode = (code: string) => (error: unknown) =>
  error instanceof BtPublisherError && error.code === code;

function infoHash(digit: string): InfoHash {
  return parseInfoHash(digit.repeat(40)) as InfoHash;
}

function contentWith(digit: string): PublicationContent {
  return {
    infoHash: infoHash(digit),
    info: Uint8Array.from([0, 1, 255]),
    contentName: "Some Thing \u{1f600}",
    isDirectory: true,
    contentLength: 2 ** 42 + 3,
    files: [
      { path: ["a", "b.bin"], length: 2 ** 42, sha256: "0".repeat(64) },
      { path: ["c'; DROP TABLE publication; --"], length: 3, sha256: "f".repeat(64) },
    ],
    publishedAt: 1_700_000_000_123,
  };
}

function publication(name: string, createdAt: number, content?: PublicationContent): Publication {
  return {
    name,
    state: content === undefined ? "uploading" : "published",
    createdAt,
    policy: {
      policy: "thrifty",
      floor: 3,
      minRateBytesPerSecond: undefined,
      egressBudgetBytes: 2 ** 50,
      onBudgetEnd: "stop",
      deadline: undefined,
    },
    access: { catalogue: "private", level: "ticketed", ownerId: undefined },
    content,
  };
}

/** Registers the contract's tests; `open` gives an empty catalogue. */
export function testCatalogue(
  adapter: string,
  open: (t: TestContext) => Promise<Catalogue> | Catalogue,
): void {
  test(`${adapter}: gives back what was created and updated, byte for byte`, async (t) => {
    const catalogue = await open(t);
    const planned = publication("thing", 1);
    await catalogue.create(planned);
    assert.deepEqual(await catalogue.get("thing"), planned);

    const done = publication("thing", 1, contentWith("a"));
    await catalogue.update(done);

    assert.deepEqual(await catalogue.get("thing"), done);
    assert.deepEqual(await catalogue.findByInfoHash(infoHash("a")), done);
    assert.equal(await catalogue.findByInfoHash(infoHash("b")), undefined);
  });

  test(`${adapter}: API-18 a name is taken once`, async (t) => {
    const catalogue = await open(t);
    await catalogue.create(publication("thing", 1));

    await assert.rejects(catalogue.create(publication("thing", 2)), hasCode("CONFLICT"));

    assert.equal((await catalogue.get("thing"))?.createdAt, 1);
  });

  test(`${adapter}: API-17 an info hash is taken once`, async (t) => {
    const catalogue = await open(t);
    await catalogue.create(publication("thing", 1, contentWith("a")));
    await catalogue.create(publication("other", 2));

    const twin = publication("other", 2, contentWith("a"));
    await assert.rejects(catalogue.update(twin), hasCode("CONFLICT"));
    await assert.rejects(
      catalogue.create(publication("third", 3, contentWith("a"))),
      hasCode("CONFLICT"),
    );

    assert.equal((await catalogue.get("other"))?.content, undefined);
    assert.equal(await catalogue.get("third"), undefined);
  });

  test(`${adapter}: only what exists is updated; removing twice is fine`, async (t) => {
    const catalogue = await open(t);
    await assert.rejects(catalogue.update(publication("thing", 1)), hasCode("NOT_FOUND"));

    await catalogue.create(publication("thing", 1, contentWith("a")));
    await catalogue.remove("thing");
    await catalogue.remove("thing");

    assert.equal(await catalogue.get("thing"), undefined);
    await catalogue.create(publication("again", 2, contentWith("a")));
  });

  test(`${adapter}: lists newest first, by pages, without files and piece hashes`, async (t) => {
    const catalogue = await open(t);
    const all = [
      publication("b", 10, contentWith("a")),
      publication("a", 30),
      publication("c", 20),
    ];
    for (const each of all) await catalogue.create(each);

    const names = async (page?: { limit: number; before?: number }) =>
      (await catalogue.list(page)).map((each) => each.name);
    assert.deepEqual(await names(), ["a", "c", "b"]);
    assert.deepEqual(await names({ limit: 2 }), ["a", "c"]);
    assert.deepEqual(await names({ limit: 2, before: 20 }), ["b"]);
    assert.deepEqual((await catalogue.list())[2], summaryOf(all[0] as Publication));
  });

  test(`${adapter}: API-07 lists those with a text in a name, literally`, async (t) => {
    const catalogue = await open(t);
    const content = { ...contentWith("a"), contentName: 'A_"File" 100%.iso' };
    await catalogue.create(publication("kept", 1, content));
    await catalogue.create(publication("a-file", 2));

    const found = async (text: string) => (await catalogue.list({ text })).map((each) => each.name);
    assert.deepEqual(await found("FILE"), ["a-file", "kept"]);
    assert.deepEqual(await found('_"file" 100%'), ["kept"]);
    assert.deepEqual(await catalogue.list({ text: "iso", before: 1 }), []);
    for (const text of ["%", "_", '"']) assert.deepEqual(await found(text), ["kept"], text);
    for (const text of [".*", "a_f", "k%", "\\", "' OR 1=1 --", "\0", "kept\0a"]) {
      assert.deepEqual(await found(text), [], text);
    }
  });
}
