/** Command lines and snippets with the real values of a publication in them. */
import type { PublicationView } from "../api.ts";

/** What people and programs paste. */
export interface Commands {
  readonly get: string;
  /** Undefined where there is no single file to name. */
  readonly curl: string | undefined;
  readonly html: string;
  readonly publish: string;
  readonly http: string;
}

/** The commands for `view`; `origin`: where its API is. */
export function commandsOf(view: PublicationView, origin: string): Commands {
  const { pageUrl, contentName, name, policy, isDirectory, files } = view;
  const url = isDirectory ? undefined : files[0]?.url;
  const next = nextName(name);
  const body = JSON.stringify({
    path: `/srv/${contentName}`,
    name: next,
    policy: { policy: policy.policy },
  });
  return {
    get: `btpublisher get ${shellQuote(pageUrl)}`,
    curl: url && `curl -fL -C - -o ${shellQuote(contentName)} ${shellQuote(url)}`,
    html: `<a href="${escape(pageUrl)}">Download ${escape(contentName)}</a>`,
    publish:
      `btpublisher publish ${shellQuote(`./${contentName}`)} --name ${shellQuote(next)}` +
      ` --policy ${policy.policy} --server ${shellQuote(origin)}`,
    http:
      `curl -f -X POST ${shellQuote(`${origin}/api/v1/local-publications`)}` +
      ' -H "Authorization: Bearer $BTPUBLISHER_TOKEN" -H "Content-Type: application/json"' +
      ` -d ${shellQuote(body)}`,
  };
}

/** A name for the next version: the last number in it, one up; or a 2 at its end. */
export function nextName(name: string): string {
  const match = /^(.*?)(\d{1,9})(\D*)$/.exec(name);
  if (match === null) return `${name}-2`;
  const [, before = "", number = "", after = ""] = match;
  return before + String(Number(number) + 1).padStart(number.length, "0") + after;
}

/** One word of a POSIX shell. */
export function shellQuote(text: string): string {
  return /^[\w./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
};

function escape(text: string): string {
  return text.replaceAll(/[&<>"]/g, (character) => ESCAPES[character] as string);
}
