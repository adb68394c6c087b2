import assert from "node:assert/strict";
import { test } from "node:test";
import { latin1Bytes } from "../base/bytes.ts";
import { KeyBytes } from "../protocol/tracker/key.ts";
import { KeyTable, MAX_KEY_BYTES } from "./key-table.ts";

/** `text` in the middle of a packet. */
function inPacket(text: string): KeyBytes {
  const key = new KeyBytes();
  key.bytes = latin1Bytes(`before${text}behind`);
  key.start = 6;
  key.end = 6 + text.length;
  return key;
}

test("finds keys of all lengths, as text and where they lie, and no others", () => {
  const table = new KeyTable<string>(7, 10_000);
  const keys = Array.from({ length: 1000 }, (_, i) => `${i}-`.padEnd(4 + (i % 60), "k"));
  for (const key of keys) table.set(key, key);
  for (const key of keys) {
    assert.equal(table.get(key), key);
    assert.equal(table.get(inPacket(key)), key);
    assert.equal(table.get(inPacket(`${key}x`.slice(0, MAX_KEY_BYTES))), undefined);
  }
  table.set(keys[0] as string, "another");
  assert.equal(table.get(inPacket(keys[0] as string)), "another");
});

test("what is longer than a key is nobody's", () => {
  const table = new KeyTable<string>(7, 10);
  const long = "k".repeat(MAX_KEY_BYTES + 1);
  table.set(long, "long");
  assert.equal(table.get(long), undefined);
  assert.equal(table.get(inPacket(long)), undefined);
});

test("with as many keys as there may be it begins anew", () => {
  const table = new KeyTable<number>(7, 100);
  for (let i = 0; i < 100; i++) table.set(`key-${i}`, i);
  assert.equal(table.get("key-0"), 0);
  table.set("key-100", 100);
  assert.equal(table.get("key-0"), undefined);
  assert.equal(table.get("key-100"), 100);
});
