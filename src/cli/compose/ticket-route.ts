/** Where our own peers get tickets, as a route of the Tracker's HTTP port. */
import type { FrontRoute } from "../../adapters/node/front-server.ts";
import type { IpNetwork } from "../../base/ip-address.ts";
import { TICKET_PREFIX, type TicketDesk } from "../../tracker/ticket-desk.ts";
import { clientOf } from "./public-url.ts";

/** The route of `desk`. What it refuses, it refuses alike. */
export function ticketRoute(desk: TicketDesk, trustedProxies: readonly IpNetwork[]): FrontRoute {
  return {
    prefix: TICKET_PREFIX,
    handle: (request, response) => {
      const { method, url = "" } = request;
      const client = clientOf(request, trustedProxies);
      const isAsked = method === "GET" && client !== undefined;
      const ticket = isAsked ? desk.issue(url, client.address) : undefined;
      response.writeHead(ticket === undefined ? 403 : 200, {
        "content-type": ticket === undefined ? "text/plain" : "application/octet-stream",
        "cache-control": "no-store",
      });
      response.end(ticket ?? "access denied\n");
    },
  };
}
