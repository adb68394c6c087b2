/** `If-Match` (RFC 9110, 13.1.1): a change is made only to what its sender has seen. */
import { BtPublisherError } from "../../base/errors.ts";

const ENTITY_TAG = String.raw`(?:W\/)?"[\x21\x23-\x7e]*"`;
const LIST = new RegExp(String.raw`^${ENTITY_TAG}(?:\s*,\s*${ENTITY_TAG})*$`);

/** `version` as an entity tag. */
export function entityTag(version: string): string {
  return `"${version}"`;
}

/**
 * Whether a request with this header may change what has `version`. A weak tag names none.
 * @throws USAGE for a header that is not a list of entity tags.
 */
export function mayChangeVersion(header: string | undefined, version: string): boolean {
  const text = header?.trim() ?? "*";
  if (text === "*") return true;
  if (!LIST.test(text)) {
    const message = 'If-Match: the ETag of what is changed, as in "abc", or *';
    throw new BtPublisherError("USAGE", message, { detail: { reason: "BAD_FIELD" } });
  }
  return text.split(",").some((tag) => tag.trim() === entityTag(version));
}
