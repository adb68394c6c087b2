/** Command lines and snippets with the real values of a publication in them. */
import { shellQuote } from "../../base/shell-quote.ts";
import type { ApiPublicationView } from "../../protocol/api/values.ts";

/** What people and programs paste. */
export interface Commands {
  readonly get: string;
  /** Undefined where there is no single file to name. */
  readonly curl: string | undefined;
  readonly html: string;
  /** Signs it, as long as nobody did. */
  readonly sign: string;
  /** Checks the signature by hand; undefined when there is none. */
  readonly verify: string | undefined;
  readonly publish: string;
  readonly http: string;
}

/** The commands for `view`; `origin`: where its API is. */
export function commandsOf(view: ApiPublicationView, origin: string): Commands {
  const { name, pageUrl, contentName, isDirectory, files, signature } = view;
  const isPublic = view.catalogue === "public";
  const url = isDirectory ? undefined : files[0]?.url;
  return {
    // Whoever needs a token has it in BTPUBLISHER_TOKEN, which goes to a server that is named only.
    get: `btpublisher get ${shellQuote(pageUrl)}${isPublic ? "" : ` --server ${shellQuote(origin)}`}`,
    curl: url && `curl -fL -C - -o ${shellQuote(contentName)} ${shellQuote(url)}`,
    html: `<a href="${escape(pageUrl)}">Download ${escape(contentName)}</a>`,
    sign: `btpublisher sign ${name} --key minisign.key --server ${shellQuote(origin)}`,
    verify: signature && `minisign -Vm ${name}.sha256 -P ${signature.publicKey}`,
    publish: publishCommand(view, origin),
    http: httpCall(view, origin),
  };
}

/** The next version from the folder that it lies in, for the same people by the same policy. */
function publishCommand(view: ApiPublicationView, origin: string): string {
  const { contentName, name, policy, catalogue, access } = view;
  const { floor, minRateBytesPerSecond, egressBudgetBytes, onBudgetEnd } = policy;
  const options = Object.entries({
    name: nextName(name),
    policy: policy.policy,
    floor,
    "min-rate": minRateBytesPerSecond,
    "egress-budget": egressBudgetBytes,
    "on-budget-end": egressBudgetBytes === undefined ? undefined : onBudgetEnd,
    catalogue: catalogue === "public" ? undefined : catalogue,
    access,
    server: origin,
  }).flatMap(([option, value]) =>
    value === undefined ? [] : [`--${option} ${shellQuote(String(value))}`],
  );
  return ["btpublisher publish", shellQuote(`./${contentName}`), ...options].join(" ");
}

/** The same by one call of the API. */
function httpCall(view: ApiPublicationView, origin: string): string {
  return view.isDirectory ? folderCall(view, origin) : fileCall(view, origin);
}

/** A file is sent from anywhere. Without -g curl reads brackets in its name as patterns. */
function fileCall(view: ApiPublicationView, origin: string): string {
  const { contentName, name, catalogue, access } = view;
  const { deadline: _, ...policy } = view.policy;
  const query = new URLSearchParams({ name: nextName(name) });
  for (const [key, value] of Object.entries({ ...policy, catalogue, access })) {
    if (value !== undefined) query.set(key, String(value));
  }
  const url = `${origin}/api/v1/files/${encodeURIComponent(contentName)}?${query}`;
  return (
    `curl -fg -T ${shellQuote(`./${contentName}`)} ${shellQuote(url)}` +
    ' -H "Authorization: Bearer $BTPUBLISHER_TOKEN"'
  );
}

/** A folder has many files: only one of the server's own disk is published by one call. */
function folderCall(view: ApiPublicationView, origin: string): string {
  const { contentName, name, catalogue, access } = view;
  // A deadline of this version is none of the next.
  const { deadline: _, ...policy } = view.policy;
  const path = `${FOLDER}/${contentName}`;
  const body = { path, name: nextName(name), policy, access: { catalogue, level: access } };
  // Out of the quotes for as long as the shell is to put its folder in.
  const text = shellQuote(JSON.stringify(body)).replace(FOLDER, () => `'"$PWD"'`);
  return (
    `curl -f -X POST ${shellQuote(`${origin}/api/v1/local-publications`)}` +
    ' -H "Authorization: Bearer $BTPUBLISHER_TOKEN" -H "Content-Type: application/json"' +
    ` -d ${text}`
  );
}

/** Stands for the folder of the shell: in no name, and first in the body. */
const FOLDER = "@FOLDER@";

/** A name for the next version: the last number in it, one up; or a 2 at its end. */
export function nextName(name: string): string {
  const match = /^(.*?)(\d{1,9})(\D*)$/.exec(name);
  if (match === null) return `${name}-2`;
  const [, before = "", number = "", after = ""] = match;
  return before + String(Number(number) + 1).padStart(number.length, "0") + after;
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
