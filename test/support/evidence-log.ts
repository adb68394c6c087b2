/**
 * Logs of what a source saw of a swarm and what was decided from it, as JSON lines. One is kept in
 * test/fixtures; `node tools/record-evidence.ts` records it anew.
 */
import type { Millis } from "../../src/base/units.ts";
import { decideState } from "../../src/participation/state.ts";
import type {
  ParticipationDecision,
  SwarmEvidence,
} from "../../src/protocol/control/participation.ts";
import { aController, MBIT, someTorrent, sourceOptions } from "./crowd.ts";
import { MemorySwarm, type SwarmMember } from "./memory-swarm.ts";

/** What was seen at one time, and what it called for. */
export interface EvidenceRecord {
  readonly at: Millis;
  readonly evidence: SwarmEvidence;
  readonly decision: ParticipationDecision;
}

const LOOK_MS: Millis = 250;
const rates = { upBytesPerSecond: 20 * MBIT, downBytesPerSecond: 80 * MBIT };

/** Four peers come, download and stay; a fifth comes later; all leave. The same every time. */
export async function recordEvidence(): Promise<readonly EvidenceRecord[]> {
  const { content, info } = someTorrent(16, 128);
  const swarm = new MemorySwarm(info, 11);
  const controller = aController(swarm, { policy: "balanced", sourceUplink: 40 });
  await swarm.add("10.0.0.1", sourceOptions(content, controller, 40));
  const records: EvidenceRecord[] = [];
  const watch = async (ms: Millis): Promise<void> => {
    for (let passed = 0; passed < ms; passed += LOOK_MS) {
      const at = swarm.clock.now();
      const evidence = controller.summary(at);
      records.push({ at, evidence, decision: decideState(evidence) });
      await swarm.clock.run({ isDone: () => false, until: at + LOOK_MS });
    }
  };
  await watch(500);
  const peers: SwarmMember[] = [];
  for (let i = 1; i <= 4; i++) peers.push(await swarm.add(`10.0.1.${i}`, rates));
  swarm.introduceAll();
  await watch(25_000);
  peers.push(await swarm.add("10.0.2.1", { ...rates, downBytesPerSecond: 8 * MBIT }));
  swarm.introduceAll();
  await watch(32_000);
  for (const { ip } of peers) swarm.network.removeHost(ip);
  await watch(5000);
  return records;
}

/** One line of a log. */
export function encodeRecord(record: EvidenceRecord): string {
  return `${JSON.stringify(record)}\n`;
}

/** The records of a log. What JSON leaves out was not seen. */
export function parseEvidenceLog(text: string): readonly EvidenceRecord[] {
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line) as EvidenceRecord);
}
