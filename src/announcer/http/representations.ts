/** What the API answers with: the role's values as JSON. Sizes are bytes, times ISO 8601. */
import type {
  PublicationPolicy,
  PublicationSignature,
  PublicationSummary,
} from "../../ports/catalogue.ts";
import type { Withdrawal } from "../../ports/content-service.ts";
import type { KnownSource, SwarmCounts } from "../../ports/tracker-control.ts";
import type { ListedPublication, PublicationStatus, PublicationView } from "../announcer.ts";
import { pageUrl, torrentUrl } from "../links.ts";
import { policyVersion } from "../policy.ts";
import { participationView } from "../participation-view.ts";
import { withdrawalText } from "../withdrawals.ts";
import { isoTime } from "./iso-time.ts";

/** A publication in a list. */
export function listedJson(publication: ListedPublication, publicUrl: string): object {
  const { name, content, counts } = publication;
  const isPublished = publication.state === "published" && content !== undefined;
  return {
    ...headJson(publication),
    ...withdrawalJson(publication.withdrawal),
    ...(isPublished && {
      pageUrl: pageUrl(publicUrl, name),
      torrentUrl: torrentUrl(publicUrl, name),
      peers: countsJson(counts),
      participation: counts?.participation?.state,
    }),
  };
}

/** A published publication with all its addresses. */
export function viewJson(view: PublicationView): object {
  const { publication, fileUrls } = view;
  const { files, info: _info, ...content } = publication.content;
  return {
    ...headJson({ ...publication, content: { ...content, fileCount: files.length } }),
    ...withdrawalJson(view.withdrawal),
    pageUrl: view.pageUrl,
    torrentUrl: view.torrentUrl,
    magnet: view.magnet,
    peers: countsJson(view.counts),
    files: files.map(({ path, length, sha256 }, index) => ({
      path,
      bytes: length,
      sha256,
      url: fileUrls[index],
    })),
  };
}

/** The end of a publishing: what `btpublisher publish --json` prints. */
export function publishedJson(view: PublicationView): object {
  const { infoHash, contentLength } = view.publication.content;
  return {
    event: "published",
    infoHash,
    name: view.publication.name,
    bytes: contentLength,
    pageUrl: view.pageUrl,
    torrentUrl: view.torrentUrl,
    magnet: view.magnet,
    fileUrls: view.fileUrls,
  };
}

/** What the system does for a publication. */
export function statusJson(status: PublicationStatus): object {
  const length = status.publication.content?.contentLength ?? 0;
  const sentBytes = status.sources.reduce((sum, { swarm }) => sum + swarm.sentBytes, 0);
  const copies = status.sources.map(({ swarm }) => swarm.copies);
  return {
    ...headJson(status.publication),
    ...withdrawalJson(status.withdrawal),
    progress: status.progress && {
      bytes: status.progress.doneBytes,
      total: status.progress.totalBytes,
    },
    peers: countsJson(status.counts),
    participation: participationView(
      status.counts?.participation,
      status.sources.map(({ swarm }) => swarm.participation),
      length,
    ),
    ...(status.sources.length > 0 && {
      sentBytes,
      copiesSent: length === 0 ? 0 : sentBytes / length,
      copies: Math.max(...copies),
      sources: status.sources.map(({ source, swarm }) => ({
        sourceId: source.sourceId,
        isAlive: source.isAlive,
        connections: swarm.connections,
        sentBytes: swarm.sentBytes,
        copies: swarm.copies,
      })),
    }),
  };
}

function countsJson(counts: SwarmCounts | undefined): object | undefined {
  if (counts === undefined) return undefined;
  const { complete, incomplete, downloaded } = counts;
  return { complete, incomplete, downloaded };
}

/** What anybody may know of a swarm; empty while the Tracker is away. */
export function swarmJson(counts: SwarmCounts | undefined): object {
  const state = counts?.participation?.state;
  return { ...countsJson(counts), ...(state !== undefined && { participation: { state } }) };
}

/** A SourceNode. */
export function sourceJson(source: KnownSource): object {
  const { swarms, ...figures } = source.status ?? {};
  return {
    sourceId: source.sourceId,
    isAlive: source.isAlive,
    publicUrl: source.publicUrl,
    peerAddress: source.peerAddress,
    ...figures,
    publications: swarms?.length,
  };
}

function headJson(publication: PublicationSummary): object {
  const { name, state, createdAt, policy, access, content } = publication;
  return {
    name,
    state,
    createdAt: isoTime(createdAt),
    catalogue: access.catalogue,
    access: access.catalogue === "public" ? undefined : access.level,
    policy: policyJson(policy),
    policyVersion: policyVersion(publication),
    ...(content !== undefined && {
      infoHash: content.infoHash,
      contentName: content.contentName,
      isDirectory: content.isDirectory,
      bytes: content.contentLength,
      fileCount: content.fileCount,
      publishedAt: isoTime(content.publishedAt),
      ...(content.signature !== undefined && { signature: signatureJson(content.signature) }),
    }),
  };
}

/** Who signed it; the signature itself is a file beside the checksum list. */
export function signatureJson(signature: PublicationSignature): object {
  const { publicKey, trustedComment, signedAt } = signature;
  return {
    publicKey,
    trustedComment,
    ...(signedAt !== undefined && { signedAt: isoTime(signedAt) }),
  };
}

/** A state of its own for whoever reads: published, and not to be had from here. */
function withdrawalJson(withdrawal: Withdrawal | undefined): object {
  if (withdrawal === undefined) return {};
  const { reason, path } = withdrawal;
  const message = withdrawalText(withdrawal);
  return { state: "withdrawn", withdrawn: { reason, path, message } };
}

/** A policy; what its name decides is left out. */
export function policyJson(policy: PublicationPolicy): object {
  return { ...policy, deadline: isoTime(policy.deadline) };
}
