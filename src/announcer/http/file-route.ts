/**
 * Publishing one file by one request, as `curl -T` sends it: for programs that cannot plan, resume and
 * watch. All of it is published, or nothing of it stays.
 */
import type { AccessControl } from "../../access/access-control.ts";
import { BtPublisherError } from "../../base/errors.ts";
import type { Announcer } from "../announcer.ts";
import type { Publications } from "../publications.ts";
import { type ApiRoute, apiRoute } from "./api-route.ts";
import { publishedJson } from "./representations.ts";
import { accessFrom, fileQuerySchema, optionsFrom, policyFrom } from "./schemas.ts";

/** The route of whole files. */
export function fileRoute(announcer: Announcer, control: AccessControl): ApiRoute {
  const { publications } = announcer;
  return apiRoute({
    method: "PUT",
    path: "/api/v1/files/:contentName",
    access: "publisher",
    action: "publication.publish",
    summary: "Publish one file: the body is the file, the answer comes when it is published",
    query: fileQuerySchema,
    takesBytes: true,
    continuesItself: true,
    answers: {
      201: "The publication",
      400: "No Content-Length, or fewer bytes than it said",
      409: "The name or the content is taken",
      422: "Another SHA-256, an empty file, or a name that no file may have",
    },
    async handle({ parameters, query, principal, request, reply }) {
      const contentName = parameters["contentName"] as string;
      const length = lengthFrom(request.headers["content-length"]);
      const { catalogue, access: level, sha256 } = query;
      const { name } = await publications.plan({
        name: query.name,
        contentName,
        isDirectory: false,
        files: [{ path: [contentName], length, ...(sha256 !== undefined && { sha256 }) }],
        policy: policyFrom(query),
        access: accessFrom({ catalogue, level }, principal, control),
        // What somebody began in another way is not ours to go on with.
        mayChange: () => false,
        endsWithRequest: true,
      });
      let isHere = false;
      await orNothing(publications, name, async () => {
        if (request.headers.expect !== undefined) reply.raw.writeContinue();
        const body = request.server.bodyOf(request.raw, reply.raw);
        const status = await publications.append(name, { fileIndex: 0, offset: 0 }, body);
        if (status.receivedBytes[0] !== length) throw cutOff();
        isHere = true;
        await publications.publish(name, optionsFrom(query));
      }).catch((error: unknown) => {
        // The stream's own error is none of the machine's.
        throw isHere || error instanceof BtPublisherError ? error : cutOff();
      });
      void reply.code(201);
      return publishedJson(await announcer.view(name));
    },
  });
}

/** Carries out `work`; when it fails, the upload `name` goes away. */
async function orNothing(
  publications: Publications,
  name: string,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    // Somebody dropped it: what has the name now is not ours.
    const isGone = error instanceof BtPublisherError && error.code === "CANCELLED";
    // While the SourceNode is away it stays; it is dropped there after a day.
    if (!isGone) await publications.unpublish(name).catch(() => undefined);
    throw error;
  }
}

function lengthFrom(header: string | undefined): number {
  const length = /^\d{1,16}$/.test(header ?? "") ? Number(header) : Number.NaN;
  if (Number.isSafeInteger(length)) return length;
  const message = "the header Content-Length must tell the size: send a file, not a pipe";
  throw new BtPublisherError("USAGE", message, { detail: { reason: "NO_LENGTH" } });
}

function cutOff(): BtPublisherError {
  const message = "the connection was lost before the whole file was here; send it again";
  return new BtPublisherError("USAGE", message, { detail: { reason: "CUT_OFF" } });
}
