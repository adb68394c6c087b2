/** Tickets: issued by the Tracker, checked by the SourceNode, good for one peer in one place. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createTicketSigner, createTicketVerifier } from "../../src/adapters/node/ticket-keys.ts";
import { fromHex, toHex } from "../../src/base/bytes.ts";
import { parseIp } from "../../src/base/ip-address.ts";
import type { InfoHash } from "../../src/base/units.ts";
import { VirtualClock } from "../../src/adapters/memory/virtual-clock.ts";
import { encodeExtensionHandshake } from "../../src/protocol/wire/extension.ts";
import type { LinkCloseReason, PeerLink, PeerLinkHandler } from "../../src/ports/peer-transport.ts";
import {
  encodeTicket,
  encodeTicketClaims,
  findTicketFault,
} from "../../src/protocol/wire/ticket.ts";
import type { PeerMessage } from "../../src/protocol/wire/message.ts";
import { awaitTicket } from "../../src/runtime/ticket-gate.ts";
import { SourceGate } from "../../src/source-node/source-gate.ts";
import { TICKET_LIFE_MS, TicketDesk } from "../../src/tracker/ticket-desk.ts";

const infoHash = "ab".repeat(20) as InfoHash;
const peerId = fromHex("cd".repeat(20)) as Uint8Array;
const host = "192.0.2.1";
const address = parseIp(host) as Uint8Array;
const signer = createTicketSigner(new Uint8Array(32).fill(5));
const forger = createTicketSigner(new Uint8Array(32).fill(6));
const verifier = createTicketVerifier();
const verify = (bytes: Uint8Array, signature: Uint8Array) =>
  verifier(signer.publicKey, bytes, signature);

const good = { infoHash, peerId, address, principal: "u1", expiresAt: 900_000 };
const expected = { infoHash, peerId, address, now: 0 };

function ticketOf(changes: object = {}, by = signer): Uint8Array {
  const claims = encodeTicketClaims({ ...good, ...changes });
  return encodeTicket(claims, by.sign(claims));
}

test("EXT-24 a ticket lets in who it is for, where and while it is good, and nobody else", () => {
  const claims = encodeTicketClaims(good);
  const table: readonly (readonly [Uint8Array | undefined, string | undefined])[] = [
    [ticketOf(), undefined],
    [undefined, "missing"],
    [new Uint8Array(0), "malformed"],
    [new Uint8Array(65_536), "malformed"],
    [encodeTicket(claims, new Uint8Array(64)), "unsigned"],
    [encodeTicket(claims, new Uint8Array(0)), "unsigned"],
    [ticketOf({}, forger), "unsigned"],
    [ticketOf({ infoHash: "ef".repeat(20) }), "of-another"],
    [ticketOf({ peerId: new Uint8Array(20) }), "of-another"],
    [ticketOf({ address: parseIp("192.0.2.2") }), "of-another"],
    [ticketOf({ address: parseIp("2001:db8::1") }), "of-another"],
    [ticketOf({ expiresAt: -60_000 }), "expired"],
  ];
  for (const [ticket, fault] of table) {
    assert.equal(findTicketFault(ticket, expected, verify), fault);
  }
  for (let i = 0; i < ticketOf().length; i++) {
    const damaged = ticketOf();
    damaged[i] = (damaged[i] as number) ^ 1;
    assert.notEqual(findTicketFault(damaged, expected, verify), undefined);
  }
});

test("the Tracker issues a ticket to whoever may announce, for where it comes from", () => {
  const desk = new TicketDesk({
    access: {
      decide: (_infoHash, key) =>
        key === "right" ? { type: "allowed", principal: "u1" } : { type: "denied" },
    },
    sign: signer.sign,
    unixNow: () => 0,
  });
  const about = `h=${infoHash}&p=${toHex(peerId)}`;
  const ticket = desk.issue(`/ticket/right?${about}`, address);
  assert.equal(findTicketFault(ticket, expected, verify), undefined);
  const late = { ...expected, now: TICKET_LIFE_MS + 60_000 };
  assert.equal(findTicketFault(ticket, late, verify), "expired");
  for (const target of [
    `/ticket/wrong?${about}`,
    `/ticket?${about}`,
    "/ticket/right",
    `/ticket/right?h=${infoHash}&p=xy`,
    `/ticket/right?${about}&x=1`,
    `/ticket/${"x".repeat(10_000)}?${about}`,
  ]) {
    assert.equal(desk.issue(target, address), undefined, target);
  }
});

/** The other side of a link, by hand. */
function openLink(): PeerLink & {
  readonly closed: string[];
  readonly sent: PeerMessage[];
  handler: PeerLinkHandler;
} {
  const closed: string[] = [];
  const sent: PeerMessage[] = [];
  const link = {
    closed,
    sent,
    handler: undefined as unknown as PeerLinkHandler,
    remote: {
      infoHash: new Uint8Array(20),
      peerId,
      supportsFast: true,
      supportsExtended: true,
    },
    remoteAddress: { host, port: 50_000 },
    direction: "incoming" as const,
    start: (handler: PeerLinkHandler) => void (link.handler = handler),
    send: (message: PeerMessage) => void sent.push(message),
    sendRequests: () => {},
    sendBlocks: () => {},
    close: (why: string) => void closed.push(why),
  };
  return link;
}

function greeting(ticket: Uint8Array | undefined): PeerMessage {
  const payload = encodeExtensionHandshake({
    extensions: new Map(),
    clientName: undefined,
    listenPort: undefined,
    maxRequests: undefined,
    metadataSize: undefined,
    ticket,
  });
  return { type: "extended", id: 0, payload };
}

function openGate(): {
  readonly clock: VirtualClock;
  readonly link: ReturnType<typeof openLink>;
  readonly heard: string[];
} {
  const clock = new VirtualClock();
  const gate = new SourceGate(clock, verifier);
  const torrents = [{ infoHash, level: "ticketed" as const }];
  gate.handleOrder({ type: "guard", torrents, ticketKey: signer.publicKey });
  const link = openLink();
  const check = gate.ticketCheck({ infoHash });
  assert.ok(check !== undefined);
  const heard: string[] = [];
  awaitTicket(link, { check, clock }, (admitted) =>
    admitted.start({
      handleMessage: ({ type }) => void heard.push(type),
      handleRequests: () => void heard.push("requests"),
      blockTarget: () => undefined,
      handleBlock: () => {},
      handleBlocksSent: () => {},
      handleReadEnd: () => {},
      handleClose: (reason: LinkCloseReason) => void heard.push(reason.code),
    }),
  );
  return { clock, link, heard };
}

test("a link with a good ticket goes on, and nothing that it said before is lost", async () => {
  const { link, heard, clock } = openGate();
  link.handler.handleMessage({ type: "have-none" });
  assert.deepEqual(link.sent, []);
  link.handler.handleMessage(greeting(ticketOf()));
  link.handler.handleMessage({ type: "interested" });
  await clock.run({ until: 60_000 });
  link.handler.handleMessage({ type: "choke" });
  assert.deepEqual(heard, ["have-none", "extended", "interested", "choke"]);
  assert.deepEqual(link.closed, []);
});

test("EXT-24 a link without a good ticket is closed, having been told nothing", async () => {
  const wrongs: readonly ((link: ReturnType<typeof openLink>) => void)[] = [
    (link) => link.handler.handleMessage(greeting(undefined)),
    (link) => link.handler.handleMessage(greeting(ticketOf({}, forger))),
    (link) => link.handler.handleMessage(greeting(new Uint8Array(60_000))),
    (link) => link.handler.handleRequests([{ pieceIndex: 0, begin: 0, length: 1 }]),
    (link) => {
      for (let i = 0; i < 5; i++) link.handler.handleMessage({ type: "keep-alive" });
    },
    () => {},
  ];
  for (const say of wrongs) {
    const { link, heard, clock } = openGate();
    say(link);
    await clock.run({ until: 10_000 });
    assert.equal(link.closed[0], "no-ticket");
    assert.deepEqual([link.sent, heard], [[], []]);
  }
});
