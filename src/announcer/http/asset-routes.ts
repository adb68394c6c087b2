/** `/assets/…`: what pages load. Names of built files change with their content: they keep for ever. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { WebBuild, WebFile } from "../../ports/web-build.ts";
import { icon } from "../pages/assets.ts";

const DAY_S = 24 * 60 * 60;
const publicRoute = { config: { access: "public" } } as const;

/** Adds the built files, the icon and robots.txt to `app`. */
export function addAssets(app: FastifyInstance, web: WebBuild | undefined): void {
  const fixed = {
    "/assets/icon.svg": ["image/svg+xml", icon],
    // Downloads are for everybody; crawlers need not fetch every torrent again and again.
    "/robots.txt": ["text/plain; charset=utf-8", "User-agent: *\nDisallow: /files/\n"],
  } as const;
  for (const [path, [type, text]] of Object.entries(fixed)) {
    app.get(path, publicRoute, async (_request, reply) =>
      reply.type(type).header("cache-control", `public, max-age=${DAY_S}`).send(text),
    );
  }
  for (const [path, file] of web?.files ?? []) {
    app.get(path, publicRoute, async (request, reply) => sendFile(request, reply, file));
  }
}

function sendFile(request: FastifyRequest, reply: FastifyReply, file: WebFile): FastifyReply {
  const accepted = acceptedEncodings(request.headers["accept-encoding"]);
  const encoding = (["br", "gzip"] as const).find((each) => accepted.has(each));
  const bytes = encoding === "br" ? file.brotli : encoding === "gzip" ? file.gzip : file.plain;
  if (encoding !== undefined) void reply.header("content-encoding", encoding);
  return reply
    .type(file.type)
    .header("vary", "accept-encoding")
    .header("cache-control", "public, max-age=31536000, immutable")
    .send(bytes);
}

/** `gzip, br;q=0` has gzip only. */
function acceptedEncodings(header: string | string[] | undefined): ReadonlySet<string> {
  const items = String(header ?? "").split(",");
  return new Set(
    items
      .map((item) => item.trim().toLowerCase())
      .filter((item) => !/;\s*q=0(?:\.0*)?$/.test(item))
      .map((item) => item.replace(/\s*;.*$/, "")),
  );
}
