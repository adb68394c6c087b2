import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { typedPassword } from "./password.ts";

test("a password is taken as it is typed, and not shown", async () => {
  const input = new PassThrough();
  const shown = new PassThrough().setEncoding("utf8");
  const typed = typedPassword("Password of carol", input, shown);
  for (const letter of "correct  horse\r") input.write(letter);
  assert.equal(await typed, "correct  horse");
  assert.equal(shown.read(), "Password of carol: \n");
});

test("Ctrl-C and Ctrl-D end the question without a password", async () => {
  for (const end of ["\u0003", "\u0004"]) {
    const input = new PassThrough();
    const typed = typedPassword("Password", input, new PassThrough());
    input.write(end);
    await assert.rejects(typed, { code: "CANCELLED" });
  }
});
