/** Puts a step before every call that changes the file system, to kill or to fail there. */
import promises, { type FileHandle } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";

type Method = (this: unknown, ...parameters: unknown[]) => Promise<unknown>;
type Methods = Record<string, Method>;

const FUNCTIONS = [
  "appendFile",
  "mkdir",
  "open",
  "rename",
  "rm",
  "truncate",
  "unlink",
  "utimes",
  "writeFile",
];
const HANDLE_METHODS = ["sync", "truncate", "writev"];

/**
 * Calls `onStep` with the call's name before each change that anybody in this thread makes through
 * node:fs/promises; what it throws is the call's failure. @returns a function that ends this.
 */
export async function watchFileSteps(onStep: (name: string) => void): Promise<() => void> {
  const handle: FileHandle = await promises.open("/dev/null");
  const prototype = Object.getPrototypeOf(handle) as Methods;
  await handle.close();
  const restores = [
    ...FUNCTIONS.map((name) => wrap(promises as unknown as Methods, name, onStep)),
    ...HANDLE_METHODS.map((name) => wrap(prototype, name, onStep)),
  ];
  syncBuiltinESMExports();
  return () => {
    for (const restore of restores) restore();
    syncBuiltinESMExports();
  };
}

function wrap(owner: Methods, name: string, onStep: (name: string) => void): () => void {
  const original = owner[name] as Method;
  owner[name] = async function (...parameters) {
    onStep(name);
    return original.apply(this, parameters);
  };
  return () => {
    owner[name] = original;
  };
}
