/** What requests to the API may say; anything else in them is refused (API-04). */
import { z } from "zod";
import type { AccessControl } from "../../access/access-control.ts";
import type { Principal } from "../../access/principal.ts";
import { BtPublisherError } from "../../base/errors.ts";
import {
  type PublicationAccess,
  type PublicationPolicy,
  publicAccess,
} from "../../ports/catalogue.ts";
import type { TorrentShape } from "../../ports/content-service.ts";
import { MAX_TORRENT_BYTES } from "../../protocol/metainfo/limits.ts";
import { MAX_MINISIGN_LENGTH } from "../../protocol/signature/minisign-format.ts";
import { defaultPolicy } from "../policy.ts";

/** Most files of a publication (reliability G). */
const MAX_FILES = 100_000;

const count = z.int().min(0);

/** The body that changes a policy: what is left out stays, what is null is the policy's own again. */
export const policyChangeSchema = z.strictObject({
  policy: z.enum(["fast", "balanced", "thrifty"]).optional(),
  floor: z.int().min(0).max(100).nullish(),
  minRateBytesPerSecond: count.nullish(),
  egressBudgetBytes: count.nullish(),
  onBudgetEnd: z.enum(["serve-floor-only", "stop", "ignore"]).optional(),
  deadline: z.iso.datetime({ offset: true }).nullish(),
});

const policySchema = policyChangeSchema.optional();

const accessFields = {
  catalogue: z.enum(["public", "members", "private"]).optional(),
  level: z.enum(["tracker", "admitted", "ticketed"]).optional(),
};

const accessSchema = z
  .strictObject(accessFields)
  .optional()
  .describe("Who may get it, and how far that is enforced; default: everybody.");

const nameSchema = z
  .string()
  .max(200)
  .optional()
  .describe("The publication's name, a lower-case slug; default: made from the content's name.");

const pieceLengthSchema = z
  .int()
  .min(2 ** 14)
  .max(2 ** 26)
  .refine((length) => Number.isInteger(Math.log2(length)), "must be a power of two");

const sha256Schema = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .optional()
  .describe("Lower-case hexadecimal; publishing checks it.");

const optionFields = {
  pieceLength: pieceLengthSchema.optional().describe("Bytes; default: chosen from the size."),
  isPrivate: z.boolean().optional().describe("BEP 27."),
};

/** Of a .torrent file, in base64. */
const MAX_TORRENT_TEXT = 4 * Math.ceil(MAX_TORRENT_BYTES / 3);

const torrentSchema = z
  .base64()
  .min(1)
  .max(MAX_TORRENT_TEXT)
  .optional()
  .describe("A .torrent file, in base64, whose info hash the publication keeps.");

/** The body that plans an upload. */
export const planSchema = z.strictObject({
  name: nameSchema,
  contentName: z.string().min(1).max(1024),
  isDirectory: z.boolean(),
  files: z
    .array(
      z.strictObject({
        path: z.array(z.string().max(1024)).min(1).max(100),
        length: count,
        sha256: sha256Schema,
      }),
    )
    .min(1)
    .max(MAX_FILES),
  policy: policySchema,
  access: accessSchema,
  torrent: torrentSchema,
});

/** The body that publishes what was uploaded; may be left out. */
export const publishSchema = z.strictObject(optionFields).optional();

/** The body that publishes a path of the server. */
export const localSchema = z.strictObject({
  name: nameSchema,
  path: z.string().min(1).max(4096).describe("Absolute path on the SourceNode's machine."),
  policy: policySchema,
  access: accessSchema,
  torrent: torrentSchema,
  ...optionFields,
});

/** The body that signs a publication: texts as minisign writes them. */
export const signatureSchema = z.strictObject({
  publicKey: z.string().max(MAX_MINISIGN_LENGTH).describe("minisign's: `RW…`."),
  signature: z.string().max(MAX_MINISIGN_LENGTH).describe("The .minisig file of `/p/NAME.sha256`."),
});

/** A number in a query. */
const digits = z
  .string()
  .regex(/^\d{1,16}$/, "must be a number")
  .transform(Number);

/** The query that publishes one file by one request: a policy, an access and options, all flat. */
export const fileQuerySchema = z.strictObject({
  name: nameSchema,
  sha256: sha256Schema,
  policy: policyChangeSchema.shape.policy,
  floor: digits.pipe(z.int().max(100)).optional(),
  minRateBytesPerSecond: digits.pipe(count).optional(),
  egressBudgetBytes: digits.pipe(count).optional(),
  onBudgetEnd: policyChangeSchema.shape.onBudgetEnd,
  deadline: z.iso.datetime({ offset: true }).optional(),
  catalogue: accessFields.catalogue,
  access: accessFields.level,
  pieceLength: digits.pipe(pieceLengthSchema).optional(),
  isPrivate: z
    .enum(["true", "false"])
    .transform((text) => text === "true")
    .optional(),
});

/** The query of a list. */
export const pageSchema = z.strictObject({
  limit: z.coerce.number().int().min(1).max(100).optional(),
  before: z.iso.datetime({ offset: true }).optional(),
  q: z.string().min(1).max(100).optional().describe("Those with this text in a name."),
});

/** A user's name, as far as a request may go wrong about it. */
export const userNameSchema = z.string().max(64);

/** A password: longer ones are nobody's. */
export const passwordSchema = z.string().max(1024);

/** The query of every other route: none. */
export const noQuerySchema = z.strictObject({});

/** The policy that a body asks for, complete; what it leaves out is `before`'s. */
export function policyFrom(
  input: z.infer<typeof policySchema>,
  before: PublicationPolicy = defaultPolicy,
): PublicationPolicy {
  const deadline = input?.deadline;
  return {
    policy: input?.policy ?? before.policy,
    floor: changed(input?.floor, before.floor),
    minRateBytesPerSecond: changed(input?.minRateBytesPerSecond, before.minRateBytesPerSecond),
    egressBudgetBytes: changed(input?.egressBudgetBytes, before.egressBudgetBytes),
    onBudgetEnd: input?.onBudgetEnd ?? before.onBudgetEnd,
    deadline: changed(
      typeof deadline === "string" ? Date.parse(deadline) : deadline,
      before.deadline,
    ),
  };
}

function changed(
  wanted: number | null | undefined,
  before: number | undefined,
): number | undefined {
  return wanted === undefined ? before : (wanted ?? undefined);
}

/** The access that a body asks for. @throws DENIED when `principal` may not publish so. */
export function accessFrom(
  input: z.infer<typeof accessSchema>,
  principal: Principal,
  control: AccessControl,
): PublicationAccess {
  const access = {
    catalogue: input?.catalogue ?? publicAccess.catalogue,
    level: input?.level ?? publicAccess.level,
    ownerId: principal.type === "user" ? principal.user.id : undefined,
  };
  if (control.mayPublishInto(principal, access).isAllowed) return access;
  const message = `you may not publish into the catalogue ${access.catalogue}`;
  throw new BtPublisherError("DENIED", message, { detail: { reason: "NO_RIGHT" } });
}

/** The publish options that a body asks for. */
export function optionsFrom(input: z.infer<typeof publishSchema>): TorrentShape {
  return { pieceLength: input?.pieceLength, isPrivate: input?.isPrivate ?? false };
}

/** The bytes of a .torrent file in a body. */
export function torrentFrom(text: string | undefined): Uint8Array | undefined {
  return text === undefined ? undefined : Buffer.from(text, "base64");
}

/** `input` as `schema` says. @throws USAGE that names the first wrong place. */
export function parseInput<Output>(schema: z.ZodType<Output>, input: unknown): Output {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const place = (issue?.path ?? [])
    .map((key) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`))
    .join("")
    .replace(/^\./, "");
  const reason = issue?.code === "unrecognized_keys" ? "UNKNOWN_FIELD" : "BAD_FIELD";
  const message = place === "" ? `${issue?.message}` : `${place}: ${issue?.message}`;
  throw new BtPublisherError("USAGE", message, { detail: { reason, field: place } });
}
