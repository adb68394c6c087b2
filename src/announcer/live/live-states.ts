/**
 * What dashboards show, made of what the SourceNode sees right now, the state that the Tracker holds,
 * and the catalogue.
 */
import type { Millis, UnixMillis } from "../../base/units.ts";
import type { PublicationSummary } from "../../ports/catalogue.ts";
import type { Withdrawal } from "../../ports/content-service.ts";
import type { SwarmCounts } from "../../ports/tracker-control.ts";
import type { PeerLook, PublicationLook, SourceLook, SwarmLook } from "../../ports/source-look.ts";
import { reasonText } from "../../participation/reason-text.ts";
import type {
  LiveDetail,
  LiveOverview,
  LivePeer,
  LivePeerReport,
  LiveRates,
  LiveSource,
  LiveStateChange,
  LiveSummary,
  LiveSwarm,
} from "../../protocol/api/live.ts";
import type { HeldState } from "../../protocol/control/participation.ts";
import type { PeerReport } from "../../protocol/wire/participation.ts";
import { participationView } from "../participation-view.ts";
import type { PublishingProgress } from "../publish-jobs.ts";
import { RateMeter } from "./rate-meter.ts";

/** A publication as the catalogue and the Tracker know it. */
export interface KnownPublication extends PublicationSummary {
  readonly counts: SwarmCounts | undefined;
  /** Set while the SourceNode does not serve it. */
  readonly withdrawal: Withdrawal | undefined;
  /** While it is hashed. */
  readonly progress: PublishingProgress | undefined;
}

/** Owed bytes go up and down all the time; nobody reads them closer than this. */
const OWED_STEP = 1024;
/** Nor the load of a process. */
const LOAD_STEPS = 1000;

/** Makes overviews, one after the other: rates come of the ones before. */
export class OverviewMaker {
  readonly #meter = new RateMeter();

  /** `look` undefined: the SourceNode cannot be reached. `at`: the time of a state without one. */
  make(
    publications: readonly KnownPublication[],
    look: SourceLook | undefined,
    at: UnixMillis,
  ): LiveOverview {
    const swarms = new Map(look?.swarms.map((swarm) => [swarm.infoHash, swarm]));
    const overview = {
      at: look?.at ?? at,
      ...(look !== undefined && { source: this.#source(look) }),
      publications: publications.map((publication) => {
        const infoHash = publication.content?.infoHash;
        const swarm = infoHash && swarms.get(infoHash);
        return summaryOf(publication, swarm, { meter: this.#meter, at: look?.at ?? at });
      }),
    };
    this.#meter.forgetOthers();
    return overview;
  }

  #source(look: SourceLook): LiveSource {
    const { swarms, uplinkLimit, uplinkCapacity, connections } = look;
    const sent = swarms.reduce((sum, { participation }) => {
      return sum + participation.figures.spentBytes;
    }, 0);
    return {
      uplinkRate: this.#meter.rate("uplink", look.at, sent),
      ...(uplinkLimit !== undefined && { uplinkLimit }),
      uplinkCapacity: Math.round(uplinkCapacity),
      connections,
      cpuFraction: Math.round(look.cpuFraction * LOAD_STEPS) / LOAD_STEPS,
      eventLoopDelayMs: Math.round(look.eventLoopDelayMs * 10) / 10,
      storageReadRate: Math.round(look.storageReadRate),
    };
  }
}

/** Makes the views of one publication, one after the other. */
export class DetailMaker {
  readonly #meter = new RateMeter();

  make(
    publication: KnownPublication,
    look: PublicationLook,
    states: readonly HeldState[],
  ): LiveDetail {
    const { at, pieceLength, copies, sent, otherPeers } = look;
    const clock = { meter: this.#meter, at };
    const detail = {
      at,
      summary: summaryOf(publication, look.swarm, clock),
      rates: this.#rates(look),
      pieceLength,
      copies,
      sent,
      peers: look.peers.map((peer) => this.#peer(peer, at)),
      otherPeers,
      timeline: states.map(stateChange),
    };
    this.#meter.forgetOthers();
    return detail;
  }

  #rates({ at, bytesByDoor, swarm }: PublicationLook): LiveRates {
    const door = (name: keyof typeof bytesByDoor) =>
      this.#meter.rate(`door ${name}`, at, bytesByDoor[name]);
    const { gainedBytes } = swarm.participation.figures;
    const [bittorrent, webseed, webrtc, http] = [
      door("bittorrent"),
      door("webseed"),
      door("webrtc"),
      door("http"),
    ];
    // What goes to peers from us is seen to be gained there, too.
    const gained = this.#meter.rate("all gained", at, gainedBytes);
    const peers = Math.max(0, gained - bittorrent - webseed - webrtc);
    return { bittorrent, webseed, webrtc, http, peers };
  }

  #peer(peer: PeerLook, at: UnixMillis): LivePeer {
    const { key, client, host: address, joinedAt, pieces } = peer;
    return {
      key,
      client,
      address,
      joinedAt,
      pieces,
      gainedRate: this.#meter.rate(`gained ${key}`, at, peer.gainedBytes),
      sentRate: this.#meter.rate(`sent ${key}`, at, peer.sentBytes),
      owedBytes: Math.round(peer.owedBytes / OWED_STEP) * OWED_STEP,
      ...(peer.report !== undefined && { report: reportOf(peer.report) }),
    };
  }
}

function reportOf({ downloaded, downLimit, ...report }: PeerReport): LivePeerReport {
  const { downRate, upRate, neighbours, leavesWhenDone } = report;
  return {
    downRate,
    upRate,
    fromSources: downloaded.sources,
    fromPeers: downloaded.ownPeers + downloaded.otherPeers,
    neighbours,
    ...(downLimit > 0 && { downLimit }),
    leavesWhenDone,
  };
}

/** A state as dashboards show it. */
export function stateChange({ state, reason, since }: HeldState): LiveStateChange {
  return { state, reason, message: reasonText(reason), since };
}

/** With which counters, and when. */
interface Metered {
  readonly meter: RateMeter;
  readonly at: Millis;
}

function summaryOf(
  publication: KnownPublication,
  swarm: SwarmLook | undefined,
  metered: Metered,
): LiveSummary {
  const { name, content, withdrawal, progress, counts } = publication;
  const held = counts?.participation;
  return {
    name,
    ...contentOf(content),
    state: withdrawal === undefined ? publication.state : "withdrawn",
    ...(progress !== undefined && {
      progress: { bytes: progress.doneBytes, total: progress.totalBytes },
    }),
    ...(held !== undefined && { participation: stateChange(held) }),
    ...(swarm !== undefined && {
      swarm: swarmOf(swarm, content?.contentLength ?? 0, { ...metered, held }),
    }),
  };
}

function contentOf(content: PublicationSummary["content"]): Partial<LiveSummary> {
  if (content === undefined) return {};
  const { contentName, infoHash, contentLength } = content;
  return { contentName, infoHash, bytes: contentLength };
}

function swarmOf(
  { infoHash, participation, piecesBelowFloor }: SwarmLook,
  contentLength: number,
  { meter, at, held }: Metered & { readonly held: HeldState | undefined },
): LiveSwarm {
  const { evidence, figures } = participation;
  const { peers, downloaders, copies, floor } = evidence;
  const view = participationView(held ?? unknownState, [participation], contentLength);
  const { copiesSent = 0, savedBytes = 0, boundRatio } = view ?? {};
  return {
    peers,
    downloaders,
    copies,
    floor,
    piecesBelowFloor,
    sentBytes: figures.spentBytes,
    copiesSent: Math.round(copiesSent * 1000) / 1000,
    savedBytes,
    directShare: Math.round(figures.directShare),
    ...(boundRatio !== undefined && { boundRatio: Math.round(boundRatio * 100) / 100 }),
    sentRate: meter.rate(`sent of ${infoHash}`, at, figures.spentBytes),
    gainedRate: meter.rate(`gained of ${infoHash}`, at, figures.gainedBytes),
  };
}

/** Figures do not depend on it. */
const unknownState: HeldState = { state: "S0", reason: { code: "no-peer" }, since: 0 };
