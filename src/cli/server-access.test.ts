import assert from "node:assert/strict";
import { test } from "node:test";
import { parsePublication } from "./server-access.ts";

test("a publication is its name, or the address of its page or of a file beside it", () => {
  const flags = { token: "btpt_x" };
  assert.deepEqual(parsePublication("debian.iso", flags), { name: "debian.iso", flags });
  for (const ending of ["", ".torrent", ".sha256", ".sha256.minisig"]) {
    assert.deepEqual(parsePublication(`https://files.example/p/debian.iso${ending}`, flags), {
      name: "debian.iso",
      flags: { ...flags, server: "https://files.example" },
    });
  }
  // No name has escapes: what is none is looked for all the same, and not found.
  assert.equal(parsePublication("https://files.example/p/%zz", flags).name, "%zz");
  for (const bad of ["https://files.example/", "https://files.example/p/a/b", "http://"]) {
    assert.throws(() => parsePublication(bad, flags), { code: "USAGE" }, bad);
  }
});
