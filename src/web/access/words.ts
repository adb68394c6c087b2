/** Roles, scopes and spans of time, in words. */
import type { ApiRole, ApiScope } from "../../protocol/api/access.ts";
import type { ApiCatalogue } from "../../protocol/api/values.ts";
import type { Option } from "../parts/choice.tsx";

/** Roles. */
export const roles: readonly Option<ApiRole>[] = [
  {
    value: "downloader",
    name: "Downloader",
    text: "Gets what is for members, and what was granted.",
  },
  {
    value: "publisher",
    name: "Publisher",
    text: "Also publishes, into the catalogues that were granted.",
  },
  {
    value: "maintainer",
    name: "Maintainer",
    text: "May everything, with accounts and tokens of everybody.",
  },
];

/** What a role is called. */
export function roleName(role: ApiRole): string {
  return roles.find(({ value }) => value === role)?.name ?? role;
}

/** What tokens are for. */
export const scopes: Readonly<Record<ApiScope, { readonly name: string; readonly text: string }>> =
  {
    download: { name: "Download", text: "What the account may get." },
    publish: { name: "Publish", text: "And change or end what it published." },
    "read:stats": { name: "Statistics", text: "How the swarms of its publications stand." },
    admin: { name: "Administer", text: "Accounts, tokens, grants, everything." },
  };

/** The most that tokens of a role may be for. */
export const scopesOfRole: Readonly<Record<ApiRole, readonly ApiScope[]>> = {
  downloader: ["download"],
  publisher: ["download", "publish", "read:stats"],
  maintainer: ["download", "publish", "read:stats", "admin"],
};

/** Catalogues. */
export const catalogueNames: Readonly<Record<ApiCatalogue, string>> = {
  public: "the public catalogue",
  members: "the members' catalogue",
  private: "the private catalogue",
};

/** How long something may last, in seconds as text; "": without an end. */
export const spans: readonly { readonly seconds: string; readonly name: string }[] = [
  { seconds: "86400", name: "A day" },
  { seconds: "604800", name: "A week" },
  { seconds: "2592000", name: "30 days" },
  { seconds: "7776000", name: "90 days" },
  { seconds: "31536000", name: "A year" },
];

/** What was done, in words; the action's own name where there are none. */
export function actionText(action: string): string {
  return actions[action] ?? action;
}

const actions: Readonly<Record<string, string>> = {
  setup: "Set the server up",
  login: "Logged in",
  logout: "Logged out",
  "user.add": "Added an account",
  "user.change": "Changed an account",
  "user.remove": "Removed an account",
  "user.rotate-keys": "Replaced passkeys",
  "token.create": "Made a token",
  "token.revoke": "Revoked a token",
  "grant.add": "Gave access",
  "grant.remove": "Took access back",
  "publication.plan": "Began an upload",
  "publication.publish": "Published",
  "publication.set-policy": "Changed a policy",
  "publication.unpublish": "Unpublished",
};
