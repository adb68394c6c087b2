/**
 * File names of a torrent, in two directions. What strangers named is made safe to create and to
 * show, in the way of libtorrent (`sanitize_append_path_element`), so that downloads of both have
 * equal names. What we publish must need no such change anywhere.
 */
import { fail, type MetainfoErrorCode, ok, type Result } from "../../base/errors.ts";
import { decodeText, deceptiveCharacters, quoteName } from "./display-text.ts";

/** Whose rules names follow: Windows allows fewer. */
export type NameRules = "posix" | "windows";

/** Elements of a path; libtorrent's limit. */
export const MAX_PATH_DEPTH = 100;

/** UTF-8 bytes of a path with its separators: Linux's PATH_MAX. */
export const MAX_PATH_BYTES = 4096;

/**
 * UTF-8 bytes after which a name is cut; libtorrent's number. File systems allow 255; the rest is
 * for an extension and for the number of a duplicate.
 */
const MAX_NAME_BYTES = 240;

/** Names of devices on Windows, also with an extension. */
const reservedName = /^(con|prn|aux|nul|clock\$|conin\$|conout\$|(com|lpt)[0-9¹²³]) *(\.|$)/i;

/** Printable ASCII but for the separators. */
const plainName = /^[ -.0-[\]-~]*$/;

/** BitComet's pad files; clients that know them never write a file so named. */
const bitCometPad = "_____padding_file_";

/**
 * The safe form of one path element, or undefined when nothing that could name a file is left of
 * it (`..`, `/`, spaces). It has no separator, control or deceptive character, and is not too long.
 */
export function sanitizeName(raw: Uint8Array, rules: NameRules): string | undefined {
  let name = decodeText(raw);
  // Most names are plain, and a torrent may have 100,000 of them.
  if (!plainName.test(name)) {
    name = name
      .replace(/[/\\]/g, "")
      .replace(deceptiveCharacters, "")
      .replace(/\p{Cc}/gu, "_");
  }
  if (rules === "windows") name = name.replace(/[?<>"|*:]/g, "_");
  name = shorten(name);
  if (/^(\.{0,2}| +)$/.test(name)) return undefined;
  return rules === "windows" ? fitWindows(name) : name;
}

function fitWindows(name: string): string | undefined {
  const trimmed = name.replace(/[ .]+$/, "");
  if (trimmed === "") return undefined;
  return reservedName.test(trimmed) ? `_${trimmed}` : trimmed;
}

/** Cuts a long name at a character's edge, and keeps its extension. */
function shorten(name: string): string {
  if (utf8Length(name) <= MAX_NAME_BYTES) return name;
  let bytes = 0;
  let end = 0;
  for (const character of name) {
    if (bytes >= MAX_NAME_BYTES) break;
    bytes += utf8Length(character);
    end += character.length;
  }
  const rest = name.slice(end);
  const extension = rest.slice(Math.max(0, rest.lastIndexOf(".")));
  const hasExtension = extension.startsWith(".") && utf8Length(extension) < 10;
  return name.slice(0, end) + (hasExtension ? extension : "");
}

/** Whether the path is one of BitComet's pad files, older than BEP 47. */
export function isBitCometPad(path: readonly string[]): boolean {
  return path.some((element) => element.includes(bitCometPad));
}

/**
 * Whether all clients on all systems write this path as it stands: the rule for what we publish.
 * The message names the element and its directory, and says what to change.
 */
export function checkPath(elements: readonly string[]): Result<undefined, MetainfoErrorCode> {
  if (elements.length === 0) return fail("META_NAME", "a file has no name");
  const path = elements.join("/");
  if (elements.length > MAX_PATH_DEPTH) {
    const message = `the path ${quoteName(path)} has more than ${MAX_PATH_DEPTH} levels of directories`;
    return fail("META_PATH_DEPTH", message);
  }
  for (const [i, element] of elements.entries()) {
    const flaw = flawOf(element);
    if (flaw === undefined) continue;
    const place = i === 0 ? "" : ` in ${quoteName(elements.slice(0, i).join("/"))}`;
    return fail("META_NAME", `the name ${quoteName(element)}${place} ${flaw}: please rename it`);
  }
  if (utf8Length(path) > MAX_PATH_BYTES) {
    const message = `the path ${quoteName(path)} has more than ${MAX_PATH_BYTES} bytes: please shorten it`;
    return fail("META_PATH_LONG", message);
  }
  return ok(undefined);
}

function flawOf(name: string): string | undefined {
  if (name === "") return "is empty";
  if (/^\.{1,2}$/.test(name)) return "means a directory";
  if (/[\p{Cc}\p{Cs}]/u.test(name)) return "has a control character";
  if (name.search(deceptiveCharacters) >= 0) return "has an invisible character";
  if (/[/\\?<>"|*:]/.test(name))
    return 'has one of / \\ ? < > " | * :, which not all systems allow';
  if (/[ .]$/.test(name)) return "ends with a space or a dot, which Windows drops";
  if (reservedName.test(name)) return "is a device on Windows";
  if (name.includes(bitCometPad)) return "is taken for padding by some clients";
  if (utf8Length(name) > MAX_NAME_BYTES) return `has more than ${MAX_NAME_BYTES} bytes`;
  return undefined;
}

/** Bytes of `text` in UTF-8, without making them. */
function utf8Length(text: string): number {
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    // Each half of a surrogate pair stands for two of its four bytes.
    const isSurrogate = unit >= 0xd800 && unit < 0xe000;
    length += unit < 0x80 ? 1 : unit < 0x800 || isSurrogate ? 2 : 3;
  }
  return length;
}
