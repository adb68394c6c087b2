/**
 * Whether a server lives (`/healthz`) and can work (`/readyz`), part by part, for supervisors and for
 * people: what is wrong, and what to do. Anybody may ask, so it costs little and tells no secret.
 */
import type { FrontRoute } from "../../adapters/node/front-server.ts";

/** What is wrong with a part, in words; undefined: nothing. */
export type FindFault = () => string | undefined | Promise<string | undefined>;

/** A part that does not tell within this time is not ready: a disk of another machine may hang. */
const LIMIT_MS = 2000;

/** The parts of a server, and how they are. */
export class Health {
  readonly #parts = new Map<string, FindFault>();
  #look: Promise<ReadonlyMap<string, string | undefined>> | undefined;

  /** From now on `part` counts. Names are lower case. */
  add(part: string, findFault: FindFault): void {
    this.#parts.set(part, findFault);
  }

  /** By part, what is wrong with it. Whoever asks meanwhile shares the look. Never rejects. */
  look(): Promise<ReadonlyMap<string, string | undefined>> {
    this.#look ??= this.#lookAtAll().finally(() => (this.#look = undefined));
    return this.#look;
  }

  /** `/healthz` and `/readyz`. */
  get routes(): readonly FrontRoute[] {
    const prefixes = ["/healthz", "/readyz"] as const;
    return prefixes.map((prefix) => ({
      prefix,
      handle: ({ method = "", url = "" }, response) => {
        const isKnown = url.replace(/\?.*$/s, "") === prefix;
        if (!isKnown) return answer(response, 404, "there is nothing here\n");
        if (method !== "GET" && method !== "HEAD") return answer(response, 405, "only GET\n");
        if (prefix === "/healthz") return answer(response, 200, "ok\n");
        void this.look().then((parts) => {
          const isReady = [...parts.values()].every((fault) => fault === undefined);
          answer(response, isReady ? 200 : 503, textOf(parts, isReady));
        });
      },
    }));
  }

  async #lookAtAll(): Promise<ReadonlyMap<string, string | undefined>> {
    const found = [...this.#parts].map(
      async ([part, findFault]) => [part, await faultOf(findFault)] as const,
    );
    return new Map(await Promise.all(found));
  }
}

async function faultOf(findFault: FindFault): Promise<string | undefined> {
  const late = Promise.withResolvers<string>();
  const timer = setTimeout(() => late.resolve("did not answer within two seconds"), LIMIT_MS);
  try {
    return await Promise.race([findFault(), late.promise]);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    clearTimeout(timer);
  }
}

function textOf(parts: ReadonlyMap<string, string | undefined>, isReady: boolean): string {
  const lines = Array.from(parts, ([part, fault]) => `${part}: ${fault ?? "ok"}`);
  return [isReady ? "ready" : "not ready", ...lines, ""].join("\n");
}

type Response = Parameters<FrontRoute["handle"]>[1];

function answer(response: Response, status: number, text: string): void {
  response.writeHead(status, {
    "content-type": "text/plain; charset=utf-8",
    "cache-control": "no-store",
  });
  response.end(text);
}

/** For what is no door of a role without pages. */
export const answerNothingHere: FrontRoute["handle"] = (_request, response) =>
  answer(response, 404, "there is nothing here\n");
