/** Files to publish in tests, and the proof that they arrived. */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { createRandom } from "../../src/base/random.ts";

/** `length` bytes that look random and are the same for the same `seed`. */
export function testBytes(length: number, seed: number): Uint8Array {
  const random = createRandom(seed);
  const words = new Uint32Array(Math.ceil(length / 4));
  for (let i = 0; i < words.length; i++) words[i] = random.nextUint32();
  return new Uint8Array(words.buffer, 0, length);
}

/**
 * Writes a tree that clients stumble over: a file over many pieces that ends within one, an empty
 * file, names with spaces, URL characters and other scripts, depth, and many small files.
 */
export function writeOddTree(directory: string): void {
  const lengths: Record<string, number> = {
    "large.bin": 3 * 2 ** 20 + 123,
    "empty.dat": 0,
    "one byte": 1,
    "100% & #1 [x] +'~.txt": 777,
    "sub dir/Grüße – 日本語 ☃.txt": 16_384,
    "sub dir/a/b/c/d/deep.txt": 16_385,
  };
  for (let i = 0; i < 100; i++) lengths[`many/${i}.txt`] = 100 + 37 * i;
  Object.entries(lengths).forEach(([path, length], i) => {
    const target = join(directory, path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, testBytes(length, i + 1));
  });
}

/** SHA-256 of every file under `path` (or of the one file) by its relative path. */
export function hashFiles(path: string): Map<string, string> {
  const paths = statSync(path).isDirectory()
    ? readdirSync(path, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
    : [path];
  return new Map(
    paths
      .sort()
      .map((file) => [
        relative(path, file),
        createHash("sha256").update(readFileSync(file)).digest("hex"),
      ]),
  );
}
