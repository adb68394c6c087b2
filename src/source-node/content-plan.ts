/** The rules for content to come; they hold before a byte is transferred. */
import { BtPublisherError, unwrap } from "../base/errors.ts";
import type { ContentPlan } from "../ports/content-service.ts";
import { checkContent } from "../protocol/metainfo/create.ts";
import { matchKeptFiles, parseKeptInfo } from "../protocol/metainfo/kept-info.ts";

/**
 * @throws BtPublisherError USAGE for a bad name; META_... for paths and lengths that not all
 * clients would take as they stand, META_EMPTY; for a kept info dictionary that cannot be served, or
 * that has other names or files.
 */
export function assertPublishablePlan(
  plan: ContentPlan,
  sha1: (bytes: Uint8Array) => Uint8Array,
): void {
  assertName(plan.name);
  const { contentName: name, isDirectory, files, keptInfo } = plan;
  unwrap(checkContent({ name, isDirectory, files }));
  if (keptInfo === undefined) return;
  const info = unwrap(parseKeptInfo(keptInfo, sha1));
  unwrap(matchKeptFiles(info, plan));
  // It names what is served, and what is staged becomes that by a single rename.
  if (info.name === name) return;
  throw new BtPublisherError("META_NAME", `the .torrent names its content ${info.name}`);
}

/** @throws BtPublisherError USAGE when `name` cannot be a publication's, and so a folder's. */
export function assertName(name: string): void {
  if (/^[a-z0-9](?:[a-z0-9._-]{0,98}[a-z0-9])?$/.test(name) && !name.includes("..")) return;
  const message = `a publication's name has lower-case letters, digits, ".", "_" and "-" only`;
  throw new BtPublisherError("USAGE", message, { detail: { name } });
}
