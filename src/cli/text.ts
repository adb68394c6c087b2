/**
 * Values as text for people: sizes, rates, durations, tables.
 *
 * Names come from strangers, so whatever reaches a terminal passes `escapeForTerminal` first: no
 * torrent may move the cursor, change colours or turn text round.
 */

import { sizeText } from "../base/size-text.ts";

/** Control characters (C0 without tab and newline, DEL, C1) and the marks that turn text round. */
const UNSAFE = /(?![\t\n])[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/gu;

/** `text` with control and direction characters written out as `\x1b` or `\u202e`. */
export function escapeForTerminal(text: string): string {
  return text.replace(UNSAFE, (character) => {
    const code = character.charCodeAt(0).toString(16);
    return code.length <= 2 ? `\\x${code.padStart(2, "0")}` : `\\u${code.padStart(4, "0")}`;
  });
}

/** JSON of `value` on one line, in which nothing can act on a terminal. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value).replace(
    UNSAFE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** A size: `512 B`, `1.50 MB`, `2.93 GB`. */
export function formatBytes(bytes: number): string {
  return sizeText(bytes, "B");
}

/** A piece length, which is a power of two as a rule: `256 KiB`, `4 MiB`. */
export function formatPieceLength(bytes: number): string {
  if (bytes % 2 ** 20 === 0) return `${bytes / 2 ** 20} MiB`;
  return bytes % 2 ** 10 === 0 ? `${bytes / 2 ** 10} KiB` : `${bytes} B`;
}

/** A rate, as `formatBytes` a second. */
export function formatRate(bytesPerSecond: number): string {
  return `${formatBytes(bytesPerSecond)}/s`;
}

/** A duration as `0.4 s`, `12 s`, `2:05` (minutes), `3:20:05` (hours) or `2 d 3 h`. */
export function formatSeconds(seconds: number): string {
  if (seconds > 0 && seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const pad = (value: number) => String(value).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  if (hours >= 48) return `${Math.floor(hours / 24)} d ${hours % 24} h`;
  if (hours > 0) return `${hours}:${pad(minutes)}:${pad(whole % 60)}`;
  return `${minutes}:${pad(whole % 60)}`;
}

/** Rows in aligned columns, `header` first. Cells are escaped. No line ends in spaces. */
export function formatTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const lines = [header, ...rows].map((row) =>
    row.map((cell) => escapeForTerminal(cell).replaceAll("\n", "\\n")),
  );
  const widths = header.map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0)),
  );
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] as number))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
