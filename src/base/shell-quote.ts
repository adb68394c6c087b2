/** Words of a POSIX shell, for command lines that people copy. */

/** `text` as one word. */
export function shellQuote(text: string): string {
  return /^[\w./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
