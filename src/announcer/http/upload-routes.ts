/**
 * Uploads: a plan of files first, then each file's bytes by offset, so that whatever breaks, the
 * next request goes on where the last one ended.
 */
import type { AccessControl } from "../../access/access-control.ts";
import { BtPublisherError } from "../../base/errors.ts";
import type { UploadStatus } from "../../ports/content-service.ts";
import type { Announcer } from "../announcer.ts";
import { type ApiRoute, apiRoute } from "./api-route.ts";
import { mustManage } from "./ownership.ts";
import { accessFrom, noQuerySchema, planSchema, policyFrom, torrentFrom } from "./schemas.ts";

const ONE_FILE = "/api/v1/publications/:name/files/:index";

/** The routes by which content comes in. */
export function uploadRoutes(announcer: Announcer, control: AccessControl): readonly ApiRoute[] {
  return [
    planRoute(announcer, control),
    statusRoute(announcer, control),
    ...fileRoutes(announcer, control),
  ];
}

function planRoute({ publications }: Announcer, control: AccessControl): ApiRoute {
  return apiRoute({
    method: "POST",
    path: "/api/v1/publications",
    access: "publisher",
    action: "publication.plan",
    summary: "Plan an upload, or find the open one of the same plan",
    query: noQuerySchema,
    body: planSchema,
    answers: {
      201: "The new upload",
      200: "The open upload",
      409: "The name is taken",
      422: "Files that cannot be published, or a .torrent that cannot be kept or lists others",
    },
    async handle({ body, principal, reply }) {
      const { isNew, ...status } = await publications.plan({
        name: body.name,
        contentName: body.contentName,
        isDirectory: body.isDirectory,
        files: body.files,
        policy: policyFrom(body.policy),
        access: accessFrom(body.access, principal, control),
        mayChange: (existing) => control.mayManage(principal, existing),
        torrent: torrentFrom(body.torrent),
      });
      void reply.code(isNew ? 201 : 200);
      return status;
    },
  });
}

function statusRoute(announcer: Announcer, control: AccessControl): ApiRoute {
  return apiRoute({
    method: "GET",
    path: "/api/v1/publications/:name/upload",
    access: "publisher",
    summary: "How far an upload is",
    query: noQuerySchema,
    answers: { 200: "Bytes received of each file", 404: "No such upload" },
    async handle({ parameters, principal }) {
      const name = parameters["name"] as string;
      mustManage(control, principal, await announcer.find(name));
      return announcer.publications.uploadStatus(name);
    },
  });
}

function fileRoutes(announcer: Announcer, control: AccessControl): readonly ApiRoute[] {
  const { publications } = announcer;
  return [
    apiRoute({
      method: "HEAD",
      path: ONE_FILE,
      access: "publisher",
      summary: "The offset from which a file goes on, in `Upload-Offset`",
      query: noQuerySchema,
      answers: { 204: "Upload-Offset", 404: "No such upload" },
      async handle({ parameters, principal, reply }) {
        const name = parameters["name"] as string;
        mustManage(control, principal, await announcer.find(name));
        const status = await publications.uploadStatus(name);
        const offset = offsetOf(status, indexFrom(parameters));
        return reply.code(204).header("upload-offset", offset).send();
      },
    }),
    apiRoute({
      method: "PATCH",
      path: ONE_FILE,
      access: "publisher",
      summary: "Append bytes to a file, which must hold exactly `Upload-Offset` bytes",
      query: noQuerySchema,
      takesBytes: true,
      answers: { 204: "Upload-Offset: what the file holds now", 409: "Another offset" },
      async handle({ parameters, principal, request, reply }) {
        const name = parameters["name"] as string;
        mustManage(control, principal, await announcer.find(name));
        const fileIndex = indexFrom(parameters);
        const offset = offsetFrom(request.headers["upload-offset"]);
        const body = request.server.bodyOf(request.raw, reply.raw);
        const status = await publications.append(name, { fileIndex, offset }, body);
        return reply.code(204).header("upload-offset", offsetOf(status, fileIndex)).send();
      },
    }),
  ];
}

function indexFrom(parameters: Readonly<Record<string, string>>): number {
  const text = parameters["index"] as string;
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new BtPublisherError("NOT_FOUND", "there is no such file in the plan");
}

function offsetFrom(header: string | string[] | undefined): number {
  const offset = /^\d{1,16}$/.test(String(header)) ? Number(header) : Number.NaN;
  if (Number.isSafeInteger(offset)) return offset;
  throw new BtPublisherError("USAGE", "the header Upload-Offset must tell the byte offset");
}

function offsetOf(status: UploadStatus, fileIndex: number): number {
  const offset = status.receivedBytes[fileIndex];
  if (offset !== undefined) return offset;
  throw new BtPublisherError("NOT_FOUND", "there is no such file in the plan");
}
