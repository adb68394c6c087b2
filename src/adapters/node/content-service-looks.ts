/** Looks at a SourceNode as JSON lines, for an Announcer on another machine that watches it. */
import { z } from "zod";
import type { PublicationLook, SourceLook } from "../../ports/source-look.ts";
import { MAX_LOOK_PEERS } from "../../ports/source-look.ts";
import type { SwarmParticipation } from "../../protocol/control/participation.ts";
import type { PeerReport } from "../../protocol/wire/participation.ts";
import { isSwarmParticipation } from "../../protocol/control/participation-messages.ts";
import { errorSchema, infoHashSchema, type Parser, parser } from "./content-service-messages.ts";

const count = z.int().nonnegative();
const amount = z.number().nonnegative();
const characters = z.string().regex(/^[0-9A-Za-z]*$/);

const swarmSchema = z.strictObject({
  infoHash: infoHashSchema,
  piecesBelowFloor: count,
  participation: z.custom<SwarmParticipation>(isSwarmParticipation),
});

const sourceLookSchema: z.ZodType<SourceLook> = z
  .strictObject({
    at: amount,
    uplinkLimit: z.optional(amount),
    uplinkCapacity: amount,
    connections: count,
    cpuFraction: amount,
    eventLoopDelayMs: amount,
    storageReadRate: amount,
    swarms: z.array(swarmSchema),
  })
  .transform((look) => ({ ...look, uplinkLimit: look.uplinkLimit }));

const partnersSchema = z.strictObject({ sources: count, ownPeers: count, otherPeers: count });

const reportSchema: z.ZodType<PeerReport> = z.strictObject({
  downloaded: partnersSchema,
  uploaded: partnersSchema,
  downRate: count,
  upRate: count,
  neighbours: count,
  downlink: count,
  uplink: count,
  downLimit: count,
  leavesWhenDone: z.boolean(),
});

const publicationLookSchema: z.ZodType<PublicationLook> = z.strictObject({
  at: amount,
  swarm: swarmSchema,
  pieceLength: count,
  bytesByDoor: z.strictObject({ bittorrent: count, webseed: count, webrtc: count, http: count }),
  copies: characters,
  sent: characters,
  peers: z
    .array(
      z.strictObject({
        key: count,
        client: z.string().max(100),
        host: z.string().max(100),
        joinedAt: z.number(),
        pieces: count,
        gainedBytes: amount,
        sentBytes: amount,
        owedBytes: z.number(),
        report: z.optional(reportSchema),
      }),
    )
    .max(MAX_LOOK_PEERS),
  otherPeers: count,
});

/** A line of what is watched: a look, the end, or why there is no more. */
export type LookLine<Look> =
  | { readonly look: Look }
  | { readonly error: z.infer<typeof errorSchema> }
  | { readonly end: true };

/** Each parser reads one line; what does not fit is USAGE. */
export const parseSourceLook: Parser<LookLine<SourceLook>> = parser(lineOf(sourceLookSchema));
/** See `PublicationLook`. */
export const parsePublicationLook: Parser<LookLine<PublicationLook>> = parser(
  lineOf(publicationLookSchema),
);

function lineOf<Look>(schema: z.ZodType<Look>): z.ZodType<LookLine<Look>> {
  return z.union([
    z.strictObject({ look: schema }),
    z.strictObject({ error: errorSchema }),
    z.strictObject({ end: z.literal(true) }),
  ]);
}
