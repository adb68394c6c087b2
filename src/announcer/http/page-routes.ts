/** The pages for people, and the files that go with them. All public, none with a script. */
import type { FastifyInstance, FastifyReply } from "fastify";
import type { Announcer, PublicationView } from "../announcer.ts";
import { icon, styleSheet } from "../pages/assets.ts";
import { cataloguePage } from "../pages/catalogue-page.ts";
import { checksumList } from "../pages/checksum-list.ts";
import { downloadPage } from "../pages/download-page.ts";
import { withdrawalText } from "../withdrawals.ts";

const PAGE_LENGTH = 100;
const DAY_S = 24 * 60 * 60;
const publicRoute = { config: { access: "public" } } as const;

/** Adds the pages of `announcer` to `app`. */
export function addPages(app: FastifyInstance, announcer: Announcer): void {
  addAssets(app);
  app.get<{ Querystring: { before?: string } }>("/", publicRoute, async (request, reply) => {
    const before = Number(request.query.before ?? Number.NaN);
    const page = await announcer.list({
      limit: PAGE_LENGTH,
      ...(Number.isSafeInteger(before) && { before }),
    });
    const published = page.filter(({ state }) => state === "published");
    const last = page.length === PAGE_LENGTH ? page.at(-1) : undefined;
    const older = last && `/?before=${last.createdAt}`;
    return sendHtml(reply, cataloguePage(published, older));
  });
  app.get<{ Params: { file: string } }>("/p/:file", publicRoute, async (request, reply) => {
    const { file } = request.params;
    if (file.endsWith(".torrent")) return sendTorrent(announcer, file.slice(0, -8), reply);
    if (file.endsWith(".sha256")) {
      return sendChecksums(await announcer.view(file.slice(0, -7)), reply);
    }
    return sendHtml(reply, downloadPage(await announcer.view(file)));
  });
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

async function sendTorrent(
  announcer: Announcer,
  name: string,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { bytes, etag, withdrawal } = await announcer.torrent(name);
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
