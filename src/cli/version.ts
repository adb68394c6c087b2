/** What the package says of itself; read beside `src` and beside `dist` alike. */
import { readFileSync } from "node:fs";

const packageJson = JSON.parse(
  readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
) as { readonly version: string; readonly description: string };

/** Semantic version of this program. */
export const version: string = packageJson.version;

/** What this program is for, in one line. */
export const description: string = packageJson.description;

/** How this program calls itself to peers, and in the torrents that it makes. */
export const clientName = `BTPublisher/${version}`;
