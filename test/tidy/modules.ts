/** The modules of src/ as the tidy tests see them: their text and what they import. */
import { posix } from "node:path";
import { readText, repositoryFiles } from "../../tools/repository.ts";

/** One TypeScript file under src/, tests apart. */
export interface Module {
  /** Path in the repository. */
  readonly path: string;
  readonly text: string;
  /** Paths in the repository that it imports, types included. */
  readonly imports: readonly string[];
}

const IMPORT = /(?:\bfrom\s+|\bimport\s*\(\s*|\bimport\s+)"(\.[^"]+)"/g;

/** All modules under src/ that are not tests. */
export function sourceModules(): Module[] {
  return repositoryFiles()
    .filter((path) => /^src\/.*\.tsx?$/.test(path) && !path.endsWith(".test.ts"))
    .map((path) => {
      const text = readText(path);
      return { path, text, imports: importsOf(path, text) };
    });
}

function importsOf(path: string, text: string): string[] {
  return [...text.matchAll(IMPORT)].map((match) =>
    posix.join(posix.dirname(path), match[1] as string),
  );
}
