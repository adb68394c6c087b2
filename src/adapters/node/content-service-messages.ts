/**
 * The values of `ContentService` as JSON: for the wire between an Announcer and a SourceNode, and
 * for the records that a SourceNode keeps on disk. Reading validates; unknown keys are refused.
 */
import { z } from "zod";
import { parseInfoHash } from "../../base/bytes.ts";
import {
  BtPublisherError,
  type ErrorCode,
  type ErrorDetail,
  fail,
  ok,
  type Result,
} from "../../base/errors.ts";
import type { InfoHash } from "../../base/units.ts";
import type { StoredPublication } from "../../ports/content-storage.ts";
import type {
  ContentPlan,
  LedgerEntry,
  LocalContent,
  PublishedContent,
  PublishOptions,
  UploadStatus,
  Withdrawal,
} from "../../ports/content-service.ts";
import { defaultPolicy, type PublicationPolicy } from "../../ports/publication-policy.ts";

/** What a policy leaves to its name; JSON leaves it out. */
const unsetPolicy = {
  floor: undefined,
  minRateBytesPerSecond: undefined,
  egressBudgetBytes: undefined,
  deadline: undefined,
};

/** Body of a request to publish a local path. */
export interface PublishLocalRequest extends Omit<LocalContent, "name"> {
  readonly options: PublishOptions;
}

/** One line of the answer to a publish request: news, and at last the outcome. */
export type PublishLine =
  | { readonly progress: readonly [doneBytes: number, totalBytes: number] }
  | { readonly published: PublishedContent }
  | { readonly error: ErrorMessage };

/** An error as a value. */
export interface ErrorMessage {
  readonly code: string;
  readonly message: string;
  readonly detail: ErrorDetail;
}

const count = z.number().int().nonnegative();
const path = z.array(z.string()).min(1);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
/** An info hash. */
export const infoHashSchema = z
  .string()
  .refine((text) => parseInfoHash(text) === text, "not an info hash")
  .transform((text) => text as InfoHash);

const bytes = z.base64().transform((text) => new Uint8Array(Buffer.from(text, "base64")));

const planSchema: z.ZodType<ContentPlan> = z.strictObject({
  name: z.string(),
  contentName: z.string(),
  isDirectory: z.boolean(),
  files: z.array(z.strictObject({ path, length: count, sha256: z.optional(sha256) })),
  keptInfo: z.optional(bytes),
});

const statusSchema: z.ZodType<UploadStatus> = z.strictObject({
  name: z.string(),
  receivedBytes: z.array(count),
});

const withdrawalsSchema: z.ZodType<readonly Withdrawal[]> = z.array(
  z
    .strictObject({
      name: z.string(),
      reason: z.enum(["file-missing", "file-changed", "not-removed", "damaged"]),
      path: z.optional(z.string()),
    })
    .transform((withdrawal) => ({ ...withdrawal, path: withdrawal.path })),
);

const policySchema: z.ZodType<PublicationPolicy> = z
  .strictObject({
    policy: z.enum(["fast", "balanced", "thrifty"]),
    floor: z.optional(count),
    minRateBytesPerSecond: z.optional(z.number().nonnegative()),
    egressBudgetBytes: z.optional(z.number().nonnegative()),
    onBudgetEnd: z.enum(["serve-floor-only", "stop", "ignore"]),
    deadline: z.optional(z.number()),
  })
  .transform((policy) => ({ ...unsetPolicy, ...policy }));

const optionsSchema: z.ZodType<PublishOptions> = z
  .strictObject({
    pieceLength: z.optional(count),
    isPrivate: z.boolean(),
    policy: policySchema,
  })
  .transform((options) => ({ ...options, pieceLength: options.pieceLength }));

const publishLocalSchema: z.ZodType<PublishLocalRequest> = z.strictObject({
  path: z.string().min(1),
  options: optionsSchema,
  keptInfo: z.optional(bytes),
});

const contentSchema: z.ZodType<PublishedContent> = z
  .strictObject({
    name: z.string(),
    infoHash: infoHashSchema,
    info: bytes,
    contentName: z.string(),
    isDirectory: z.boolean(),
    files: z.array(z.strictObject({ path, length: count, sha256 })),
    contentLength: count,
    // Records of version 0.1 have none.
    policy: policySchema.default(defaultPolicy),
    localPath: z.optional(z.string()),
  })
  .transform((content) => ({ ...content, localPath: content.localPath }));

const recordSchema: z.ZodType<StoredPublication> = z
  .strictObject({
    version: z.literal(1),
    content: contentSchema,
    publishedAt: z.number(),
    stamps: z.array(z.strictObject({ length: count, modifiedAt: z.number() })),
  })
  .transform(({ content, publishedAt, stamps }) => ({ content, publishedAt, stamps }));

/** See `ErrorMessage`. */
export const errorSchema: z.ZodType<ErrorMessage> = z.strictObject({
  code: z.string().regex(/^[A-Z][A-Z0-9_]*$/),
  message: z.string(),
  detail: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
});

const publishLineSchema: z.ZodType<PublishLine> = z.union([
  z.strictObject({ progress: z.tuple([count, count]) }),
  z.strictObject({ published: contentSchema }),
  z.strictObject({ error: errorSchema }),
]);

const entrySchema: z.ZodType<LedgerEntry> = z.strictObject({
  at: z.number(),
  infoHash: infoHashSchema,
  door: z.enum(["bittorrent", "webseed", "webrtc", "http"]),
  peerId: z.string(),
  address: z.string(),
  pieceIndex: count,
  bytes: count,
});

const ledgerLineSchema = z.union([
  z.strictObject({ entry: entrySchema }),
  z.strictObject({ error: errorSchema }),
  z.strictObject({ end: z.literal(true) }),
]);

const listLineSchema = z.union([
  z.strictObject({ content: contentSchema }),
  z.strictObject({ error: errorSchema }),
  z.strictObject({ end: z.literal(true) }),
]);

/** One line of the answer to a list request; the last one is `end` or `error`. */
export type ListLine = z.infer<typeof listLineSchema>;

/** One line of the answer to a ledger request; the last one is `end` or `error`. */
export type LedgerLine = z.infer<typeof ledgerLineSchema>;

/** Each parser reads one JSON text; what does not fit is USAGE. */
export const parsePlan: Parser<ContentPlan> = parser(planSchema);
/** See `UploadStatus`. */
export const parseUploadStatus: Parser<UploadStatus> = parser(statusSchema);
/** See `PublishOptions`. */
export const parsePublishOptions: Parser<PublishOptions> = parser(optionsSchema);
/** See `Withdrawal`. */
export const parseWithdrawals: Parser<readonly Withdrawal[]> = parser(withdrawalsSchema);
/** See `PublicationPolicy`. */
export const parsePolicy: Parser<PublicationPolicy> = parser(policySchema);
/** See `PublishLocalRequest`. */
export const parsePublishLocal: Parser<PublishLocalRequest> = parser(publishLocalSchema);
/** See `StoredPublication`. */
export const parseStoredPublication: Parser<StoredPublication> = parser(recordSchema);
/** See `ErrorMessage`. */
export const parseErrorMessage: Parser<ErrorMessage> = parser(errorSchema);
/** See `PublishLine`. */
export const parsePublishLine: Parser<PublishLine> = parser(publishLineSchema);
/** See `LedgerLine`. */
export const parseLedgerLine: Parser<LedgerLine> = parser(ledgerLineSchema);
/** See `ListLine`. */
export const parseListLine: Parser<ListLine> = parser(listLineSchema);

/** A publication as a JSON value. */
export function publishedContentJson(content: PublishedContent): object {
  return { ...content, info: base64Of(content.info) };
}

/** A plan, or a request to publish a local path, as a JSON value. */
export function planJson(plan: ContentPlan | PublishLocalRequest): object {
  return { ...plan, keptInfo: plan.keptInfo && base64Of(plan.keptInfo) };
}

function base64Of(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

/** A publication's record as text. */
export function encodeStoredPublication(publication: StoredPublication): string {
  const content = publishedContentJson(publication.content);
  return JSON.stringify({ version: 1, ...publication, content });
}

/** What went wrong, for the other side. Failures that are not ours tell nothing. */
export function errorMessage(error: unknown): ErrorMessage {
  if (error instanceof BtPublisherError) {
    const { code, message, detail } = error;
    return { code, message, detail };
  }
  return { code: "INTERNAL", message: "the SourceNode failed: see its log", detail: {} };
}

/** The error that the other side told. */
export function errorOf(message: ErrorMessage): BtPublisherError {
  const { code, message: text, detail } = message;
  return new BtPublisherError(code as ErrorCode, text, { detail });
}

/** Reads one JSON text; what does not fit is USAGE. */
export type Parser<Value> = (text: string) => Result<Value>;

/** A parser of what `schema` says. */
export function parser<Value>(schema: z.ZodType<Value>): Parser<Value> {
  return (text) => {
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch {
      return fail("USAGE", "the text is not JSON");
    }
    const result = schema.safeParse(json);
    if (result.success) return ok(result.data);
    const issue = result.error.issues[0];
    return fail("USAGE", `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "is wrong"}`);
  };
}
