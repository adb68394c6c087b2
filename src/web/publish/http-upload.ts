/** An upload's world: the API by XMLHttpRequest, which tells how much has left, as fetch does not. */
import { errorOf, publicationPath } from "../api.ts";
import { Refusal, type UploadWorld } from "./upload.ts";

/** Statuses after which the same request may work: another offset, too slow, busy, a bug. */
const WORTH_TRYING = new Set([0, 408, 409, 429, 500, 502, 503, 504]);

/** The upload of the publication called `name`. */
export function httpUpload(name: string): UploadWorld {
  const pathOf = (index: number) => publicationPath(name, `/files/${index}`);
  return {
    async offset(index) {
      const response = await fetch(pathOf(index), { method: "HEAD" });
      if (!response.ok) throw failure(response.status, "");
      return Number(response.headers.get("upload-offset"));
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
          else reject(failure(request.status, request.responseText));
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

function failure(status: number, body: string): Error {
  const error = errorOf(status, body);
  if (WORTH_TRYING.has(status)) return error;
  const hint = status === 401 ? "The session has ended: log in again, then go on." : error.message;
  return new Refusal(status === 404 ? "The server has dropped this upload." : hint);
}
