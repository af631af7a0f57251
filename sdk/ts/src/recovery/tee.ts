/**
 * What a vault proves of itself (spec of evidence: docs/tee.md). Evidence of vendors'
 * hardware this phone cannot verify yet, and refuses; that of an ordinary process, NOT a
 * TEE, proves nothing, and a policy must allow it.
 */
import { type Bytes, concat, equal } from "../bytes.js";
import { sum } from "./derive.js";
import { at, bytes, decode, dict, list, map, maybe, type Of, row, text, uint } from "./shape.js";
import type { Measurement } from "./vaultset.js";
import { hash, u32 } from "./wire.js";

const maxEvidence = 196_608;
const part = bytes(1, maxEvidence);

/** evidence is a report of a platform, what is needed to verify it, and the binding that it signs. */
export const evidence = map({}, {
  platform: at(1, text(1, 16)), report: at(2, part), binding: at(3, bytes(1, 4_096)),
  certs: maybe(4, list(bytes(1, 16_384), 1, 16)), eventLog: maybe(5, part), pcrs: maybe(6, list(row(null, { index: uint(0, 23), value: hash }), 1, 24)),
  ak: maybe(7, part), signature: maybe(8, part), endorsement: maybe(9, part), collateral: maybe(10, dict(bytes(0, maxEvidence), 32, 1, 16)),
});
export type Evidence = Of<typeof evidence>;

export const processReport = map({ 1: "staunch/process" }, { reportData: at(2, hash), executable: at(3, hash), uid: at(4, u32) });

/** Level is how far a platform protects what runs: a higher one is better. */
export const Level = { none: 0, process: 1, vtpm: 2, tee: 3 } as const;

/** levelName is a level in words. */
export function levelName(level: number): string {
  return ["none", "process", "vtpm", "tee"][level] ?? "none";
}

/** Claims is what verified evidence says. It judges nothing: that is the policy's part. */
export interface Claims {
  readonly platform: string;
  readonly level: number;
  readonly measurements: ReadonlyMap<string, Bytes>;
  readonly reportData: Bytes;
}

/** TeePolicy is what is accepted besides the measurements of a vault set. Empty: only TEEs without any finding. */
export interface TeePolicy {
  /** An ordinary process, NOT a TEE: whoever runs it can make it say anything. */
  readonly dangerousAllowProcess?: boolean;
}

/** parseEvidence reads evidence of any platform. It throws a MalformedError. */
export function parseEvidence(encoded: Uint8Array): Evidence {
  if (encoded.length > maxEvidence) {
    throw new Refused(["TEE_MALFORMED"]);
  }
  return decode(evidence, encoded);
}

/** Refused: genuine or not, this evidence is not accepted, for these reasons. */
export class Refused extends Error {
  override readonly name = "Refused";

  constructor(readonly codes: readonly string[]) {
    super(codes.join(", "));
  }
}

/** verifyEvidence says in words that all platforms share what the report says. It throws Refused for a platform that it does not know. */
export function verifyEvidence(e: Evidence): Claims {
  if (e.platform !== "process") {
    throw new Refused([`TEE_UNSUPPORTED (platform ${JSON.stringify(e.platform)})`]);
  }
  if (Object.values(e).filter((member) => member !== undefined).length !== 3) {
    throw new Refused(["TEE_MALFORMED (evidence of a process with parts of another platform's)"]);
  }
  const r = decode(processReport, e.report);
  return { platform: "process", level: Level.process, measurements: new Map([["sha256", r.executable]]), reportData: r.reportData };
}

/**
 * appraise compares claims with a policy, the entries of a vault set and the exact bytes
 * of the binding. It gives the codes of all that refuses: none is acceptance. now: ms.
 */
export function appraise(c: Claims, policy: TeePolicy, entries: readonly Measurement[], binding: Bytes, now: number): string[] {
  const codes: string[] = [];
  const whole = c.reportData.length === 64 ? concat(sum(binding), new Uint8Array(32)) : sum(binding);
  if (!equal(c.reportData, whole)) {
    codes.push("TEE_REPORT_DATA");
  }
  const code = measure(c, entries, now);
  if (code !== undefined) {
    codes.push(code);
  }
  if (c.level < Level.vtpm && !(policy.dangerousAllowProcess === true && c.level === Level.process)) {
    codes.push("TEE_PROCESS");
  }
  return codes;
}

/** measure looks for the entry of the program: in its time, not one that must be in a log, and without a floor that nobody can show. */
function measure(c: Claims, entries: readonly Measurement[], now: number): string | undefined {
  let code = "TEE_MEASUREMENT_UNKNOWN";
  for (const m of entries) {
    // An entry that does not name what its platform must name would accept programs that nobody has meant.
    if (m.platform !== c.platform || !m.values.has("sha256") || m.values.get("sha256")?.length === 0) {
      continue;
    }
    if (![...m.values].every(([name, want]) => equal(c.measurements.get(name) ?? new Uint8Array(), want))) {
      continue;
    }
    if (now < Number(m.notBefore) * 1_000 || (m.notAfter !== null && now >= Number(m.notAfter) * 1_000)) {
      code = "TEE_MEASUREMENT_EXPIRED";
    } else if (m.logIndex !== undefined) {
      code = "TEE_NOT_LOGGED";
    } else if (m.floor !== undefined) {
      code = "TEE_TCB_BELOW_FLOOR"; // a process has no TCB that could be at it
    } else {
      return undefined;
    }
  }
  return code;
}
