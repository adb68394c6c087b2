/** The pages for people, and the files that go with them. */
import type { FastifyInstance, FastifyReply } from "fastify";
import type { AccessControl } from "../../access/access-control.ts";
import { BtPublisherError } from "../../base/errors.ts";
import type { Announcer, PublicationView } from "../announcer.ts";
import type { Publication } from "../../ports/catalogue.ts";
import type { WebBuild } from "../../ports/web-build.ts";
import { checksumList } from "../../protocol/signature/checksum-list.ts";
import { appPage } from "../pages/app-page.ts";
import { errorPage } from "../pages/layout.ts";
import { cataloguePage } from "../pages/catalogue-page.ts";
import { downloadPage } from "../pages/download-page.ts";
import { withdrawalText } from "../withdrawals.ts";
import { mustSee } from "./ownership.ts";

const PAGE_LENGTH = 100;

/** What pages are made of. */
export interface PagesOptions {
  readonly announcer: Announcer;
  readonly control: AccessControl;
  /** Undefined when nothing was built: the pages are plain then, and those of publishers missing. */
  readonly web: WebBuild | undefined;
}

const publicRoute = { config: { access: "public" } } as const;
const readerRoute = { config: { access: "reader" } } as const;

/** Adds the pages of `announcer` to `app`; `web`: what their scripts and style were built to. */
export function addPages(app: FastifyInstance, { announcer, control, web }: PagesOptions): void {
  addAppPages(app, web);
  app.get<{ Querystring: { before?: string } }>("/", readerRoute, async (request, reply) => {
    const before = Number(request.query.before ?? Number.NaN);
    const page = await announcer.list({
      limit: PAGE_LENGTH,
      ...(Number.isSafeInteger(before) && { before }),
    });
    const published = page.filter(
      (each) => each.state === "published" && control.mayDownload(request.principal, each),
    );
    const last = page.length === PAGE_LENGTH ? page.at(-1) : undefined;
    const older = last && `/?before=${last.createdAt}`;
    return sendHtml(reply, cataloguePage(published, older, web));
  });
  app.get<{ Params: { file: string } }>("/p/:file", readerRoute, async (request, reply) => {
    const { file } = request.params;
    const [, name = file, ending] = /^(.*)\.(torrent|sha256|sha256\.minisig)$/.exec(file) ?? [];
    const publication = await announcer.find(name);
    mustSee(control, request.principal, publication);
    // The same address shows others something else, or nothing.
    if (publication.access.catalogue !== "public") void reply.header("cache-control", "no-store");
    if (ending === "torrent") return sendTorrent(announcer, control, publication, reply);
    const view = await announcer.view(name);
    // The page's links lead to the SourceNode's door, which goes by addresses.
    await control.admit(request.principal, publication, request.clientAddress);
    if (ending === undefined) return sendHtml(reply, downloadPage(view, web));
    return sendText(reply, file, ending === "sha256" ? checksumsOf(view) : signatureOf(view));
  });
}

/** The publisher's pages: one document, whose script looks at the address. */
function addAppPages(app: FastifyInstance, web: WebBuild | undefined): void {
  const text = web && appPage(web);
  for (const path of ["/admin", "/admin/*", "/login", "/setup"]) {
    app.get(path, publicRoute, async (_request, reply) => {
      if (text !== undefined) return sendHtml(reply, text);
      const sentence = "The pages are not built yet: run `npm run build:web`, then start again.";
      return sendHtml(reply.code(503), errorPage("Not built", sentence, web));
    });
  }
}

function sendHtml(reply: FastifyReply, text: string): FastifyReply {
  return reply.type("text/html; charset=utf-8").send(text);
}

/** To whoever needs a passkey with that in it; its address is let in at once, for web seeds. */
async function sendTorrent(
  announcer: Announcer,
  control: AccessControl,
  publication: Publication,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { name } = publication;
  const { principal, clientAddress } = reply.request;
  const passkey = await control.admit(principal, publication, clientAddress);
  const { bytes, etag, withdrawal } = await announcer.torrent(name, passkey);
  void reply.header("etag", etag);
  if (withdrawal !== undefined) {
    const text = `not served at the moment: ${withdrawalText(withdrawal)}`;
    // Names are of all scripts, and headers are not.
    void reply.header("btpublisher-notice", encodeURIComponent(text));
  }
  if (reply.request.headers["if-none-match"] === etag) return reply.code(304).send();
  return reply
    .type("application/x-bittorrent")
    .header("content-disposition", `attachment; filename="${name}.torrent"`)
    .send(bytes);
}

function checksumsOf({ publication }: PublicationView): string {
  return checksumList(publication.content);
}

/** @throws NOT_FOUND when nobody signed it. */
function signatureOf({ publication }: PublicationView): string {
  const { signature } = publication.content;
  if (signature !== undefined) return signature.file;
  throw new BtPublisherError("NOT_FOUND", "its publisher has not signed it");
}

function sendText(reply: FastifyReply, fileName: string, text: string): FastifyReply {
  return reply
    .type("text/plain; charset=utf-8")
    .header("content-disposition", `attachment; filename="${fileName}"`)
    .send(text);
}
