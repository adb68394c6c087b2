/** Tickets: issued by the Tracker, checked by the SourceNode and by peers, good for one peer in one place. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  createTicketSigner,
  createTicketVerifier,
  proveSource,
} from "../../src/adapters/node/ticket-keys.ts";
import { fromHex, toHex } from "../../src/base/bytes.ts";
import { parseIp } from "../../src/base/ip-address.ts";
import type { InfoHash } from "../../src/base/units.ts";
import { MemoryHttp } from "../../src/adapters/memory/memory-http.ts";
import { VirtualClock } from "../../src/adapters/memory/virtual-clock.ts";
import { encodeBencode } from "../../src/protocol/bencode/encode.ts";
import {
  encodeExtensionHandshake,
  parseExtensionHandshake,
} from "../../src/protocol/wire/extension.ts";
import type { LinkCloseReason, PeerLink, PeerLinkHandler } from "../../src/ports/peer-transport.ts";
import { checkTicket, encodeTicket, encodeTicketClaims } from "../../src/protocol/wire/ticket.ts";
import { encodeTicketAnswer, parseTicketAnswer } from "../../src/protocol/wire/ticket-answer.ts";
import type { PeerMessage } from "../../src/protocol/wire/message.ts";
import { awaitTicket, type TicketGuard, type TicketPass } from "../../src/runtime/ticket-gate.ts";
import { TicketHolder } from "../../src/runtime/ticket-holder.ts";
import { SourceGate } from "../../src/source-node/source-gate.ts";
import { TICKET_LIFE_MS, TicketDesk } from "../../src/tracker/ticket-desk.ts";

const infoHash = "ab".repeat(20) as InfoHash;
const peerId = fromHex("cd".repeat(20)) as Uint8Array;
const host = "192.0.2.1";
const address = parseIp(host) as Uint8Array;
const signer = createTicketSigner(new Uint8Array(32).fill(5));
const forger = createTicketSigner(new Uint8Array(32).fill(6));
const verify = createTicketVerifier();
const seals = { verify, prove: proveSource };
const { publicKey } = signer;

const good = { infoHash, peerId, address, principal: "u1", expiresAt: 900_000 };
const expected = { infoHash, peerId, address, now: 0, publicKey };

/** What is wrong with a ticket; undefined: nothing. */
function faultOf(ticket: Uint8Array | undefined, now = 0): string | undefined {
  const checked = checkTicket(ticket, { ...expected, now }, verify);
  return checked.ok ? undefined : checked.code;
}

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
    assert.equal(faultOf(ticket), fault);
  }
  for (let i = 0; i < ticketOf().length; i++) {
    const damaged = ticketOf();
    damaged[i] = (damaged[i] as number) ^ 1;
    assert.notEqual(faultOf(damaged), undefined);
  }
});

test("the Tracker issues a ticket to whoever may announce, for where it comes from", () => {
  const desk = new TicketDesk({
    access: {
      decide: (_infoHash, key) =>
        key === "right" ? { type: "allowed", principal: "u1" } : { type: "denied", code: "denied" },
    },
    signer,
    unixNow: () => 0,
  });
  const about = `h=${infoHash}&p=${toHex(peerId)}`;
  const body = desk.issue(`/ticket/right?${about}`, address);
  const answer = parseTicketAnswer(body ?? new Uint8Array(0));
  assert.ok(answer.ok);
  const { ticket, sourceProof } = answer.value;
  assert.equal(faultOf(ticket), undefined);
  assert.equal(faultOf(ticket, TICKET_LIFE_MS + 60_000), "expired");
  assert.equal(answer.value.publicKey, publicKey);
  assert.deepEqual(sourceProof, new Uint8Array(proveSource(signer.sourceSecret, ticket)));
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
  const gate = new SourceGate(clock, seals);
  const torrents = [{ infoHash, level: "ticketed" as const }];
  const { sourceSecret } = signer;
  gate.handleOrder({ type: "guard", torrents, ticketKey: publicKey, sourceSecret });
  const guard = gate.tickets(infoHash);
  assert.ok(guard !== undefined);
  return { clock, ...hold(guard, clock) };
}

/** A link before `guard`, and what is heard of it once it was let in. */
function hold(
  guard: TicketGuard,
  clock: VirtualClock,
): { readonly link: ReturnType<typeof openLink>; readonly heard: string[] } {
  const link = openLink();
  const heard: string[] = [];
  const onAdmitted = (admitted: PeerLink) =>
    admitted.start({
      handleMessage: ({ type }) => void heard.push(type),
      handleRequests: () => void heard.push("requests"),
      blockTarget: () => undefined,
      handleBlock: () => {},
      handleBlocksSent: () => {},
      handleReadEnd: () => {},
      handleClose: (reason: LinkCloseReason) => void heard.push(reason.code),
    });
  awaitTicket(link, { guard, clock }, { onAdmitted, onRefused: () => {} });
  return { link, heard };
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

/** Peers that hold tickets, each at its own address, and the Tracker's desk, in virtual time. */
async function openHolders(clock = new VirtualClock()): Promise<{
  readonly clock: VirtualClock;
  readonly ours: TicketHolder;
  readonly ticketOfTheirs: () => Uint8Array;
}> {
  const unixNow = () => clock.unixNow();
  const access = { decide: () => ({ type: "allowed", principal: "u1" }) as const };
  const desk = new TicketDesk({ access, signer, unixNow });
  const issue = (url: string) => desk.issue(url.slice("http://t.test".length), address);
  const http = new MemoryHttp(clock, (url) => {
    const body = issue(url);
    return body && { head: { status: 200, headers: {} }, body };
  });
  const ours = new TicketHolder(
    { clock, http, verifyTicket: verify },
    { url: "http://t.test/ticket/key", infoHash, peerId: new Uint8Array(20) },
  );
  ours.start(() => {});
  await clock.run({ until: clock.now() + 1000 });
  return { clock, ours, ticketOfTheirs: () => ticketOf({ expiresAt: unixNow() + TICKET_LIFE_MS }) };
}

/** The extension handshakes that were sent over a link. */
function greetingsOn(link: ReturnType<typeof openLink>) {
  return link.sent.map((message) => {
    assert.ok(message.type === "extended" && message.id === 0);
    return parseExtensionHandshake(message.payload);
  });
}

test("a peer shows its ticket at once, and goes on with whoever shows one", async () => {
  const { clock, ours, ticketOfTheirs } = await openHolders();
  const { link, heard } = hold(ours, clock);
  assert.deepEqual(greetingsOn(link)[0]?.ticket, ours.pass?.ticket);
  link.handler.handleMessage(greeting(ticketOfTheirs()));
  await clock.run({ until: clock.now() + 60_000 });
  assert.deepEqual([heard, link.closed], [["extended"], []]);
});

test("S10 a peer takes for a SourceNode who proves that the Tracker told it the secret", async () => {
  const { clock, ours } = await openHolders();
  const proofOf = (secret: string) => proveSource(secret, (ours.pass as TicketPass).ticket);
  const greetingWith = (sourceProof: Uint8Array): PeerMessage => {
    const payload = encodeBencode({ m: {}, btp_source: sourceProof });
    return { type: "extended", id: 0, payload };
  };
  const source = hold(ours, clock);
  source.link.handler.handleMessage(greetingWith(proofOf(signer.sourceSecret)));
  const recorded = proveSource(signer.sourceSecret, ticketOf());
  const liars = [proofOf(forger.sourceSecret), recorded, new Uint8Array(0), new Uint8Array(32)];
  for (const wrong of liars) {
    const { link, heard } = hold(ours, clock);
    link.handler.handleMessage(greetingWith(wrong));
    assert.deepEqual([heard, link.closed], [[], ["no-ticket"]]);
  }
  await clock.run({ until: clock.now() + 2 * TICKET_LIFE_MS });
  assert.deepEqual([source.heard, source.link.closed], [["extended"], []]);
});

test("S10 a SourceNode answers a good ticket with its proof, before all else", () => {
  const { link } = openGate();
  link.handler.handleMessage(greeting(ticketOf()));
  const proof = proveSource(signer.sourceSecret, ticketOf());
  assert.deepEqual(greetingsOn(link)[0]?.sourceProof, new Uint8Array(proof));
});

test("T13 a link ends with its ticket, unless a newer one was shown", async () => {
  const { clock, ours, ticketOfTheirs } = await openHolders();
  const renewing = hold(ours, clock).link;
  const silent = hold(ours, clock).link;
  for (const link of [renewing, silent]) link.handler.handleMessage(greeting(ticketOfTheirs()));
  await clock.run({ until: clock.now() + 10 * 60_000 });
  renewing.handler.handleMessage(greeting(ticketOfTheirs()));
  await clock.run({ until: clock.now() + 10 * 60_000 });
  assert.deepEqual([renewing.closed, silent.closed], [[], ["no-ticket"]]);
  const shown = greetingsOn(renewing).map((each) => each?.ticket);
  assert.equal(shown.length, 5, "a ticket every five minutes");
  assert.deepEqual(shown.at(-1), ours.pass?.ticket);
  await clock.run({ until: clock.now() + 10 * 60_000 });
  assert.deepEqual(renewing.closed, ["no-ticket"]);
});

test("T21 a peer whose clock is wrong by hours judges by the Tracker's", async () => {
  class WrongClock extends VirtualClock {
    override unixNow(): number {
      return super.unixNow() + 5 * 3_600_000;
    }
  }
  const wrong = new WrongClock();
  const now = 1_000_000;
  const ticket = ticketOf({ expiresAt: now + TICKET_LIFE_MS });
  const sourceProof = signer.sourceProof(ticket);
  const body = encodeTicketAnswer({ ticket, publicKey, sourceProof, now });
  const http = new MemoryHttp(wrong, () => ({ head: { status: 200, headers: {} }, body }));
  const request = { url: "http://t.test/ticket/key", infoHash, peerId };
  const holder = new TicketHolder({ clock: wrong, http, verifyTicket: verify }, request);
  holder.start(() => {});
  await wrong.run({ until: 1000 });
  const leftMs = holder.check({ peerId, host }, ticket) ?? 0;
  assert.ok(leftMs > TICKET_LIFE_MS && leftMs <= TICKET_LIFE_MS + 60_000);
});

test("what is no answer of a desk gives no ticket, and nobody is let in", async () => {
  const answer = { ticket: ticketOf(), publicKey, sourceProof: new Uint8Array(32), now: 0 };
  for (const body of [
    new Uint8Array(0),
    ticketOf(),
    encodeTicketAnswer({ ...answer, publicKey: "ab" }),
    encodeTicketAnswer({ ...answer, sourceProof: new Uint8Array(31) }),
  ]) {
    assert.equal(parseTicketAnswer(body).ok, false);
  }
  const clock = new VirtualClock();
  const http = new MemoryHttp(clock, () => undefined);
  const request = { url: "http://t.test/ticket/key", infoHash, peerId };
  const holder = new TicketHolder({ clock, http, verifyTicket: verify }, request);
  let hasSettled = false;
  holder.start(() => (hasSettled = true));
  await clock.run({ until: 1000 });
  assert.ok(hasSettled);
  const { link } = hold(holder, clock);
  link.handler.handleMessage(greeting(ticketOf()));
  assert.deepEqual([link.closed, link.sent], [["no-ticket"], []]);
  holder.stop();
});
