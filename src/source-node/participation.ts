/**
 * The SourceNode's side of participation: one controller for each publication, all sharing the
 * uplink. Controllers decide each block; what they saw goes to the Tracker, which holds the state.
 */
import { unwrap } from "../base/errors.ts";
import { canonicalIp } from "../base/ip-address.ts";
import type { InfoHash } from "../base/units.ts";
import { Allocation } from "../participation/allocation.ts";
import { resolvePolicy, type Policy } from "../participation/policy.ts";
import { SwarmController } from "../participation/swarm-controller.ts";
import { Uplink } from "../participation/uplink.ts";
import type { Clock } from "../ports/clock.ts";
import type {
  ParticipationState,
  SwarmEvidence,
  SwarmParticipation,
} from "../protocol/control/participation.ts";
import type { PublicationPolicy } from "../ports/publication-policy.ts";
import type { Publication } from "./publication.ts";

/** What is seen of a swarm that is not served. */
const nobody: SwarmEvidence = {
  peers: 0,
  downloaders: 0,
  copies: 0,
  floor: 0,
  pieceBelowFloor: undefined,
  hasForwarded: false,
  owedBytes: 0,
  sentAgoMs: undefined,
};

/** See the head of this file. */
export class Participation {
  readonly allocation: Allocation;
  readonly #clock: Clock;
  readonly #controllers = new Map<InfoHash, SwarmController>();
  /** States that the Tracker told. */
  readonly #told = new Map<InfoHash, ParticipationState>();

  /** `uplinkLimit`: bytes per second of --max-upload, if any. */
  constructor(clock: Clock, uplinkLimit: () => number | undefined) {
    this.#clock = clock;
    this.allocation = new Allocation(new Uplink(uplinkLimit));
  }

  /** The controller of a publication that begins to be served. */
  open(publication: Publication): SwarmController {
    const { ledger, info } = publication;
    const controller = new SwarmController(
      info.geometry,
      {
        policy: this.#resolve(publication.content.policy),
        allocation: this.allocation,
        spentBytes: () => ledger.totalBytes,
        knowsPeer: (peerId) => ledger.knowsPeer(peerId),
      },
      this.#clock.now(),
    );
    this.#controllers.set(info.infoHash, controller);
    return controller;
  }

  /** That publication is not served any more. */
  close(infoHash: InfoHash): void {
    const controller = this.#controllers.get(infoHash);
    if (controller !== undefined) this.allocation.setDownloaders(controller, 0);
    this.#controllers.delete(infoHash);
    this.#told.delete(infoHash);
  }

  get(infoHash: InfoHash): SwarmController | undefined {
    return this.#controllers.get(infoHash);
  }

  /** What the state of a swarm follows from. */
  evidenceOf(infoHash: InfoHash): SwarmEvidence {
    return this.#controllers.get(infoHash)?.summary(this.#clock.now()) ?? nobody;
  }

  /** What is seen of a publication that is served. */
  look(publication: Publication): SwarmParticipation {
    const { infoHash, ledger } = publication;
    const controller = this.#controllers.get(infoHash);
    const { uplink, directShare } = this.allocation;
    return {
      evidence: this.evidenceOf(infoHash),
      figures: {
        spentBytes: ledger.totalBytes,
        gainedBytes: controller?.evidence.gainedBytes ?? 0,
        uplink: uplink.bytesPerSecond,
        directShare,
        crowd: controller?.meter.figures(this.#clock.now()),
      },
    };
  }

  /** The Tracker holds another state for a swarm. */
  handleState(infoHash: InfoHash, state: ParticipationState): void {
    if (this.#controllers.has(infoHash)) this.#told.set(infoHash, state);
  }

  /** Seconds after which `host` may ask the web seed again; undefined: it is answered now. */
  webSeedWait(infoHash: InfoHash, host: string): number | undefined {
    const asked = canonicalIp(host) ?? host;
    // When Tracker and SourceNode differ, the more helpful one is right.
    const mayRelease = (this.#told.get(infoHash) ?? "S2") === "S2";
    return this.#controllers.get(infoHash)?.webSeedWait(this.#clock.now(), asked, mayRelease);
  }

  /** Serves it by another policy from now on. */
  setPolicy(infoHash: InfoHash, policy: PublicationPolicy): void {
    this.#controllers.get(infoHash)?.setPolicy(this.#resolve(policy));
  }

  #resolve(policy: PublicationPolicy): Policy {
    const { deadline } = policy;
    // Controllers know the clock that never jumps.
    const toMonotonic = this.#clock.now() - this.#clock.unixNow();
    return unwrap(
      resolvePolicy(policy.policy, {
        ...policy,
        deadline: deadline === undefined ? undefined : deadline + toMonotonic,
      }),
    );
  }
}
