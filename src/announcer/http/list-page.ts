/** Lists in pages: each item has a key that never changes, and a page begins after one. */
import { z } from "zod";
import { userNameSchema } from "./schemas.ts";

const DEFAULT_LIMIT = 100;
const limit = z.coerce.number().int().min(1).max(1000).optional().describe("Default: 100.");

/** The query of a list in the order of names. */
export const byNameSchema = z.strictObject({
  limit,
  after: z
    .string()
    .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/)
    .optional()
    .describe("A name: from `next`."),
});

/** The query of a list of what users have, whose oldest item comes first. */
export const byAgeSchema = z.strictObject({
  user: userNameSchema.optional().describe("Of this one only."),
  limit,
  after: z
    .string()
    .regex(/^\d{16}\.[0-9a-f]{1,64}$/)
    .optional()
    .describe("From `next`."),
});

/** Which page was asked for; what else is in it stays in the address of the next one. */
export interface PageQuery {
  readonly limit?: number | undefined;
  readonly after?: string | undefined;
  readonly user?: string | undefined;
}

/** A part of a list, and the address of the part after it: undefined at the end. */
export interface ListPage<Item> {
  readonly items: readonly Item[];
  readonly next: string | undefined;
}

/**
 * The page of `all` that `query` asks for. `all` ascends by `keyOf`. A page begins after a key and not
 * at a place: what is made or removed meanwhile neither repeats an item nor skips one.
 */
export function pageOf<Item>(
  all: readonly Item[],
  keyOf: (item: Item) => string,
  path: string,
  query: PageQuery,
): ListPage<Item> {
  const { limit: most = DEFAULT_LIMIT, after, user } = query;
  const rest = after === undefined ? all : all.filter((item) => keyOf(item) > after);
  const items = rest.slice(0, most);
  const last = rest.length > most ? items.at(-1) : undefined;
  if (last === undefined) return { items, next: undefined };
  const wanted = { limit: String(most), after: keyOf(last), ...(user !== undefined && { user }) };
  return { items, next: `${path}?${new URLSearchParams(wanted).toString()}` };
}

/** The key of what is listed by its age: digits as wide as times get, so that text sorts as they do. */
export function ageKey({ createdAt, id }: { readonly createdAt: number; readonly id: string }) {
  return `${String(createdAt).padStart(16, "0")}.${id}`;
}
