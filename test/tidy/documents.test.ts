/** The documents say what is: paths exist, one title each, nothing of the machine they were made on. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join, posix } from "node:path";
import { test } from "node:test";
import { readText, repositoryFiles, repositoryRoot } from "../../tools/repository.ts";

const files = repositoryFiles();
const documents = files.filter((path) => path.endsWith(".md"));

function withoutFences(text: string): string {
  return text.replaceAll(/^```[\s\S]*?^```/gm, "");
}

/** Paths in backquotes that begin with a folder of ours, without patterns and placeholders. */
function pathsNamedIn(text: string): string[] {
  const named = text.matchAll(
    /`((?:src|test|docs|tools|bench|bin|web|examples|\.ci)\/[\w./@-]*)`/g,
  );
  return [...named].map((match) => match[1] as string);
}

function linksIn(text: string): string[] {
  const links = [...withoutFences(text).matchAll(/\]\(([^)\s]+)\)/g)];
  return links
    .map((match) => (match[1] as string).replace(/#.*$/, ""))
    .filter((target) => target !== "" && !/^[a-z]+:/.test(target));
}

test("every path that a document names exists", () => {
  const wrong = documents.flatMap((document) =>
    pathsNamedIn(readText(document))
      .filter((path) => !existsSync(join(repositoryRoot, path)))
      .map((path) => `${document}: ${path}`),
  );
  assert.deepEqual(wrong, []);
});

test("every relative link of a document leads somewhere", () => {
  const wrong = documents.flatMap((document) =>
    linksIn(readText(document))
      .filter((link) => !existsSync(join(repositoryRoot, posix.dirname(document), link)))
      .map((link) => `${document}: ${link}`),
  );
  assert.deepEqual(wrong, []);
});

test("every document has exactly one title, and it comes first", () => {
  const wrong = documents.filter((document) => {
    const text = withoutFences(readText(document));
    return !text.startsWith("# ") || (text.match(/^# /gm) ?? []).length !== 1;
  });
  assert.deepEqual(wrong, []);
});

test("nothing names the machine or the notes that it was made with", () => {
  // With brackets, so that this file does not find itself.
  const machine = /[/]work[/]|[/]root[/]|[/]home[/]\w|[/]Users[/]\w/;
  const notes =
    /\.\.[/]shared[/]|\b(?:design|reliability|libraries|style|laws|anchors|baselines|stock-clients)[.]md\b/;
  const texts = files.filter((path) =>
    /\.(tsx?|css|mjs|js|json|md|py|sh|c|toml)$|^\.ci\//.test(path),
  );
  const wrong = texts.filter((path) => {
    const text = readText(path);
    return machine.test(text) || notes.test(text);
  });
  assert.deepEqual(wrong, []);
});

/** A package of the lock file, as far as it is looked at. */
interface LockedPackage {
  readonly integrity?: string;
  readonly link?: boolean;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly hasInstallScript?: boolean;
}

test("A18 what is installed has a digest, runs no script at that, and is little", () => {
  const lock = JSON.parse(readText("package-lock.json")) as {
    readonly packages: Readonly<Record<string, LockedPackage>>;
  };
  const packages = Object.entries(lock.packages).filter(
    ([path, { link }]) => path.includes("node_modules/") && link !== true,
  );
  const pathsWhere = (isWrong: (each: LockedPackage) => boolean) =>
    packages.filter(([, each]) => isWrong(each)).map(([path]) => path);
  assert.deepEqual(
    pathsWhere(({ hasInstallScript }) => hasInstallScript === true),
    [],
  );
  // Binaries of development tools for systems other than those that the lock file was made on.
  const isForOthers = ({ dev, optional }: LockedPackage) => dev === true && optional === true;
  assert.deepEqual(
    pathsWhere((each) => !isForOthers(each) && each.integrity?.startsWith("sha512-") !== true),
    [],
  );
  assert.match(readText(".npmrc"), /^ignore-scripts=true$/m);

  const { dependencies, devDependencies } = JSON.parse(readText("package.json")) as Readonly<
    Record<"dependencies" | "devDependencies", Readonly<Record<string, string>>>
  >;
  const versions = Object.values({ ...dependencies, ...devDependencies });
  assert.deepEqual(
    versions.filter((version) => !/^\d+\.\d+\.\d+$/.test(version)),
    [],
  );
  assert.ok(
    Object.keys(dependencies).length <= 10,
    "each is a risk: docs/adr/0004-dependencies.md",
  );
});

test("the lock file names no registry", () => {
  assert.doesNotMatch(readText("package-lock.json"), /"resolved": "https?:/);
});
