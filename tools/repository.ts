/** The repository's own files, for the tools and tests that read them. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The checkout's folder. */
export const repositoryRoot = fileURLToPath(new URL("..", import.meta.url));

/** Paths of the files that are committed, or new and not ignored; sorted, with forward slashes. */
export function repositoryFiles(): string[] {
  const listed = execFileSync("git", ["ls-files", "-z", "-co", "--exclude-standard"], {
    cwd: repositoryRoot,
    encoding: "utf8",
  });
  const files = listed.split("\0").filter((path) => path !== "");
  return files.filter((path) => existsSync(join(repositoryRoot, path))).sort();
}

/** The text of a file, by its path in the repository. */
export function readText(path: string): string {
  return readFileSync(join(repositoryRoot, path), "utf8");
}
