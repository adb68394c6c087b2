/** Records test/fixtures/evidence.jsonl anew: `node tools/record-evidence.ts`. */
import { writeFileSync } from "node:fs";
import { encodeRecord, recordEvidence } from "../test/support/evidence-log.ts";

const path = new URL("../test/fixtures/evidence.jsonl", import.meta.url);
const records = await recordEvidence();
writeFileSync(path, records.map(encodeRecord).join(""));
