/**
 * Names of publications: what stands in `/p/NAME`. Lower-case letters, digits, `.`, `_` and `-`,
 * so that a name needs no escaping anywhere and two names never differ by case alone.
 */
import { fail, ok, type Result } from "../base/errors.ts";

const MAX_LENGTH = 100;

/** What follows `/p/NAME` in our own URLs; a name that ends so would be ambiguous. */
const RESERVED_ENDINGS = [".torrent", ".sha256", ".minisig"];

/** Whether `text` can be a publication's name. */
export function isSlug(text: string): boolean {
  return (
    text.length <= MAX_LENGTH &&
    /^[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?$/.test(text) &&
    !text.includes("..") &&
    !RESERVED_ENDINGS.some((ending) => text.endsWith(ending))
  );
}

/** The name that comes nearest to `text`, or undefined when nothing of it can stay. */
export function slugFrom(text: string): string | undefined {
  let slug = text
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, "-")
    .replace(/\.{2,}/g, ".")
    .slice(0, MAX_LENGTH);
  for (const ending of RESERVED_ENDINGS)
    if (slug.endsWith(ending)) slug = slug.replace(/\.(\w+)$/, "-$1");
  slug = slug.replace(/^[._-]+|[._-]+$/g, "");
  return isSlug(slug) ? slug : undefined;
}

/** The name of a publication: `wanted` when given, else made from `contentName`. */
export function chooseName(wanted: string | undefined, contentName: string): Result<string> {
  if (wanted === undefined) {
    const slug = slugFrom(contentName);
    if (slug !== undefined) return ok(slug);
    return fail("USAGE", "no name can be made from the content's name: choose one with --name");
  }
  if (isSlug(wanted)) return ok(wanted);
  const suggestion = slugFrom(wanted);
  const hint = suggestion === undefined ? "" : `; try ${suggestion}`;
  return fail(
    "USAGE",
    `a publication's name has lower-case letters, digits, ".", "_" and "-" only${hint}`,
  );
}
