/** What goes wrong around a torrent and is tried again, told to people once. */
import type { Trouble } from "../peer/peer-ports.ts";
import type { Output } from "./output.ts";

/** A listener that warns of each trouble once, however often it comes again. */
export function warnOfTroubles(output: Output): (trouble: Trouble) => void {
  const told = new Set<string>();
  return (trouble) => {
    const text = describeTrouble(trouble);
    if (told.has(text)) return;
    told.add(text);
    output.warn(text);
  };
}

/** One line that says what happened. */
export function describeTrouble(trouble: Trouble): string {
  if (trouble.type === "tracker") return `tracker ${trouble.url}: ${trouble.message}`;
  return trouble.error.message;
}
