/**
 * Paths that a file system could take for the same: macOS and Windows ignore case, macOS also how
 * accents are composed. And a name cannot be both a file and a directory.
 */
import { fail, type MetainfoErrorCode, ok, type Result } from "../../base/errors.ts";
import { quoteName } from "./display-text.ts";

/**
 * Names that may be found taken while numbering. Enough for 100 equal names, and a bound for
 * torrents that were made to keep us counting.
 */
const MAX_TRIES = 5000;

/**
 * `paths` with a number put into the names that collide with an earlier file or with a directory:
 * `a.txt`, `a.1.txt`. A path without a collision stays the same object.
 */
export function distinctPaths(
  paths: readonly (readonly string[])[],
): Result<readonly (readonly string[])[], MetainfoErrorCode> {
  const folders = new Folders();
  const folderOf = paths.map((path) => folders.add(path.slice(0, -1)));
  const taken = new Set<string>();
  const distinct: (readonly string[])[] = [];
  let tries = 0;
  for (const [i, path] of paths.entries()) {
    const original = path.at(-1) as string;
    let name = original;
    let key = keyOf(folderOf[i] as number, name);
    for (let number = 1; taken.has(key) || folders.has(key); number++) {
      if (++tries > MAX_TRIES) {
        return fail("META_TOO_MANY_DUPLICATES", "too many files have the same name");
      }
      name = withNumber(original, number);
      key = keyOf(folderOf[i] as number, name);
    }
    taken.add(key);
    distinct.push(name === original ? path : [...path.slice(0, -1), name]);
  }
  return ok(distinct);
}

/** The first of `paths` that `distinctPaths` would have to change. */
export function findCollision(
  paths: readonly (readonly string[])[],
): readonly string[] | undefined {
  const distinct = distinctPaths(paths);
  return paths.find((path, i) => !distinct.ok || distinct.value[i] !== path);
}

/** META_PATH_COLLISION when two of `paths` collide. */
export function checkDistinct(
  paths: readonly (readonly string[])[],
): Result<undefined, MetainfoErrorCode> {
  const collision = findCollision(paths);
  if (collision === undefined) return ok(undefined);
  return fail(
    "META_PATH_COLLISION",
    `not all systems can tell ${quoteName(collision.join("/"))} from another path of the content: please rename it`,
  );
}

/** All directories of a torrent, numbered; 0 is its root. */
class Folders {
  readonly #numbers = new Map<string, number>();

  /** The number of the directory `path`, which it adds with those above it. */
  add(path: readonly string[]): number {
    let number = 0;
    for (const element of path) {
      const key = keyOf(number, element);
      number = this.#numbers.get(key) ?? this.#numbers.size + 1;
      this.#numbers.set(key, number);
    }
    return number;
  }

  has(key: string): boolean {
    return this.#numbers.has(key);
  }
}

/**
 * Equal for names in one directory that some file system does not tell apart. Upper case first:
 * letters with two lower-case forms (σ and ς) are one then. That also joins ß and ss, on the safe side.
 */
function keyOf(folder: number, name: string): string {
  const folded = /^[ -~]*$/.test(name)
    ? name.toLowerCase()
    : name.normalize("NFC").toUpperCase().toLowerCase().normalize("NFC");
  return `${folder}/${folded}`;
}

/** `name.ext` as `name.1.ext`. */
function withNumber(name: string, number: number): string {
  const dot = name.lastIndexOf(".");
  const end = dot > 0 ? dot : name.length;
  return `${name.slice(0, end)}.${number}${name.slice(end)}`;
}
