/** The routes by which dashboards hear what happens, as it happens: docs/live.md. */
import type { AccessControl } from "../../access/access-control.ts";
import { nameOf, type Principal } from "../../access/principal.ts";
import type { Announcer } from "../announcer.ts";
import type { LiveReader } from "../live/live-feed.ts";
import type { LiveViewer } from "../live/live-hub.ts";
import { type AccessRules, admit } from "./access.ts";
import { type ApiCall, type ApiRoute, apiRoute } from "./api-route.ts";
import { EVENT_STREAM_TYPE, EventStream } from "./event-stream.ts";
import { mustSeeStats } from "./ownership.ts";
import { noQuerySchema } from "./schemas.ts";

/** Watching everything, and one publication. */
export function eventRoutes(
  announcer: Announcer,
  control: AccessControl,
  rules: AccessRules,
): readonly ApiRoute[] {
  const { live } = announcer;
  const door = new EventDoor(announcer, control, rules);
  return [
    apiRoute({
      method: "GET",
      path: "/api/v1/events",
      access: "stats",
      summary: "Watch all publications and the source's load: server-sent events",
      query: noQuerySchema,
      answers: { 200: "A snapshot, then what changes", 429: "Too many streams" },
      answerType: EVENT_STREAM_TYPE,
      async handle(call) {
        const viewer = viewerOf(call.principal, control);
        const isSame = async (principal: Principal) =>
          viewerOf(principal, control).name === viewer.name;
        return door.open(call, isSame, (reader) => {
          return live.watch(reader, nameOf(call.principal), viewer);
        });
      },
    }),
    apiRoute({
      method: "GET",
      path: "/api/v1/publications/:name/events",
      access: "stats",
      summary: "Watch one publication in full: server-sent events",
      query: noQuerySchema,
      answers: { 200: "A snapshot, then what changes", 404: "No such publication, or not yours" },
      answerType: EVENT_STREAM_TYPE,
      async handle(call) {
        const name = call.parameters["name"] as string;
        const maySee = async (principal: Principal) => {
          mustSeeStats(control, principal, await announcer.find(name));
          return true;
        };
        await maySee(call.principal);
        await announcer.view(name);
        return door.open(call, maySee, (reader) => {
          return live.watchPublication(reader, nameOf(call.principal), name);
        });
      },
    }),
  ];
}

/** Opens streams, and has them end with the right to read them. */
class EventDoor {
  readonly #announcer: Announcer;
  readonly #control: AccessControl;
  readonly #rules: AccessRules;

  constructor(announcer: Announcer, control: AccessControl, rules: AccessRules) {
    this.#announcer = announcer;
    this.#control = control;
    this.#rules = rules;
  }

  open(
    { request, reply }: Pick<ApiCall<unknown, unknown>, "request" | "reply">,
    mayStill: (principal: Principal) => Promise<boolean>,
    join: (reader: LiveReader) => () => void,
  ) {
    const isAllowed = async () => {
      const deciders = { rules: this.#rules, control: this.#control, isPassive: true };
      const admittance = await admit(request.raw, "stats", deciders);
      return admittance.type === "admitted" && (await mayStill(admittance.principal));
    };
    const stream = new EventStream({ clock: this.#announcer.clock, isAllowed });
    try {
      stream.onClose(join(stream));
    } catch (error) {
      stream.readable.destroy();
      throw error;
    }
    void reply.header("cache-control", "no-store").header("x-accel-buffering", "no");
    return stream.readable;
  }
}

/** Maintainers see all publications, publishers their own. */
function viewerOf(principal: Principal, control: AccessControl): LiveViewer {
  const nobodys = { catalogue: "public", level: "tracker", ownerId: undefined } as const;
  const seesAll = control.maySeeStats(principal, { name: "", createdAt: 0, access: nobodys });
  if (seesAll || principal.type !== "user") return { name: "all", maySee: () => seesAll };
  const { id } = principal.user;
  return { name: `of ${id}`, maySee: ({ access }) => access.ownerId === id };
}
