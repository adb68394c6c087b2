/** A file system of its own for a test: small, so that it fills up, or read-only. */
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";

/** A mounted tmpfs. */
export interface SmallFileSystem {
  readonly path: string;
  makeReadOnly(): void;
  resize(bytes: number): void;
  remove(): void;
}

/**
 * Mounts a tmpfs of `bytes` at `path`, which is made; undefined where this process may not mount
 * (it takes root on Linux).
 */
export function mountSmallFileSystem(path: string, bytes: number): SmallFileSystem | undefined {
  mkdirSync(path);
  const mount = (...args: string[]) =>
    execFileSync("mount", [...args, path], { stdio: ["ignore", "ignore", "pipe"] });
  try {
    mount("-t", "tmpfs", "-o", `size=${bytes}`, "tmpfs");
  } catch {
    rmSync(path, { recursive: true });
    return undefined;
  }
  return {
    path,
    makeReadOnly: () => mount("-o", "remount,ro"),
    resize: (size) => mount("-o", `remount,size=${size}`),
    remove: () => {
      execFileSync("umount", ["--lazy", path]);
      rmSync(path, { recursive: true });
    },
  };
}
