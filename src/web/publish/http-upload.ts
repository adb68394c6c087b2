/** An upload's world: the API by XMLHttpRequest, which tells how much has left, as fetch does not. */
import { problemOf, publicationPath } from "../../client/client.ts";
import { ApiError, api, hasStatus, messageOf } from "../api.ts";
import { Refusal, type UploadWorld } from "./upload.ts";

/** Statuses after which the same request may work: another offset, too slow, busy, a bug. */
const WORTH_TRYING = new Set([0, 408, 409, 429, 500, 502, 503, 504]);

/** The upload of the publication called `name`. */
export function httpUpload(name: string): UploadWorld {
  const pathOf = (index: number) => publicationPath(name, `/files/${index}`);
  return {
    async offset(index) {
      return await api.uploadOffset(name, index).catch((error: unknown) => {
        throw failureOf(error);
      });
    },
    append: (index, offset, part, how) =>
      new Promise((resolve, reject) => {
        const request = new XMLHttpRequest();
        request.open("PATCH", pathOf(index));
        request.setRequestHeader("content-type", "application/octet-stream");
        request.setRequestHeader("upload-offset", String(offset));
        request.upload.addEventListener("progress", ({ loaded }) => how.onSent(loaded));
        request.addEventListener("load", () => {
          if (request.status === 204) resolve();
          else reject(failureOf(new ApiError(problemOf(request.status, request.responseText))));
        });
        const cut = (): void => reject(new Error("The connection is lost."));
        request.addEventListener("error", cut);
        request.addEventListener("abort", cut);
        how.signal.addEventListener("abort", () => request.abort(), { once: true });
        request.send(part);
      }),
    wait: (ms, signal) =>
      new Promise((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          removeEventListener("online", done);
          signal.removeEventListener("abort", done);
          resolve();
        };
        const timer = setTimeout(done, ms);
        addEventListener("online", done);
        signal.addEventListener("abort", done);
      }),
  };
}

/** What the upload makes of an error: some are worth trying again. */
function failureOf(error: unknown): unknown {
  if (!(error instanceof ApiError) || WORTH_TRYING.has(error.problem.status)) return error;
  if (hasStatus(error, 401)) {
    return new Refusal("The session has ended: log in again, then go on.");
  }
  const isGone = hasStatus(error, 404);
  return new Refusal(isGone ? "The server has dropped this upload." : messageOf(error));
}
