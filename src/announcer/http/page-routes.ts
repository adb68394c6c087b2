/** The pages for people, and the files that go with them. None has a script. */
import type { FastifyInstance, FastifyReply } from "fastify";
import type { AccessControl } from "../../access/access-control.ts";
import type { Announcer, PublicationView } from "../announcer.ts";
import type { Publication } from "../../ports/catalogue.ts";
import { icon, styleSheet } from "../pages/assets.ts";
import { cataloguePage } from "../pages/catalogue-page.ts";
import { checksumList } from "../pages/checksum-list.ts";
import { downloadPage } from "../pages/download-page.ts";
import { setupPage } from "../pages/setup-page.ts";
import { withdrawalText } from "../withdrawals.ts";
import { mustSee } from "./ownership.ts";

const PAGE_LENGTH = 100;
const DAY_S = 24 * 60 * 60;
const publicRoute = { config: { access: "public" } } as const;
const readerRoute = { config: { access: "reader" } } as const;

/** Adds the pages of `announcer` to `app`. */
export function addPages(app: FastifyInstance, announcer: Announcer, control: AccessControl): void {
  addAssets(app);
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
    return sendHtml(reply, cataloguePage(published, older));
  });
  app.get<{ Params: { file: string } }>("/p/:file", readerRoute, async (request, reply) => {
    const { file } = request.params;
    const [, name = file, ending] = /^(.*)\.(torrent|sha256)$/.exec(file) ?? [];
    const publication = await announcer.find(name);
    mustSee(control, request.principal, publication);
    // The same address shows others something else, or nothing.
    if (publication.access.catalogue !== "public") void reply.header("cache-control", "no-store");
    if (ending === "torrent") return sendTorrent(announcer, control, publication, reply);
    const view = await announcer.view(name);
    return ending === "sha256" ? sendChecksums(view, reply) : sendHtml(reply, downloadPage(view));
  });
  app.get("/setup", publicRoute, async (_request, reply) => sendHtml(reply, setupPage()));
  app.get("/healthz", publicRoute, async (_request, reply) =>
    reply.type("text/plain").send("ok\n"),
  );
  app.get("/readyz", publicRoute, async (_request, reply) => {
    const { isReady } = announcer.publications;
    return reply
      .code(isReady ? 200 : 503)
      .type("text/plain")
      .send(isReady ? "ready\n" : "the SourceNode has not been reached yet\n");
  });
}

function addAssets(app: FastifyInstance): void {
  const assets = {
    "/assets/style.css": ["text/css; charset=utf-8", styleSheet],
    "/assets/icon.svg": ["image/svg+xml", icon],
    // Downloads are for everybody; crawlers need not fetch every torrent again and again.
    "/robots.txt": ["text/plain; charset=utf-8", "User-agent: *\nDisallow: /files/\n"],
  } as const;
  for (const [path, [type, text]] of Object.entries(assets)) {
    app.get(path, publicRoute, async (_request, reply) =>
      reply.type(type).header("cache-control", `public, max-age=${DAY_S}`).send(text),
    );
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
  const { name, content } = publication;
  const { principal, clientAddress } = reply.request;
  const infoHash = content?.infoHash;
  const passkey = infoHash && (await control.passkeyOf(principal, publication, infoHash));
  const { bytes, etag, withdrawal } = await announcer.torrent(name, passkey);
  if (passkey !== undefined && infoHash !== undefined) {
    await control.admit(principal, infoHash, clientAddress);
  }
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

function sendChecksums(view: PublicationView, reply: FastifyReply): FastifyReply {
  return reply
    .type("text/plain; charset=utf-8")
    .header("content-disposition", `attachment; filename="${view.publication.name}.sha256"`)
    .send(checksumList(view.publication.content));
}
