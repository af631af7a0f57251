/** Which vaults a phone believes: those of a set that the app's release keys have signed, as far as they prove it. */
import { type Bytes, equal } from "../bytes.js";
import { MalformedError } from "../cbor.js";
import { sum } from "./derive.js";
import { RecoveryError, vaultAway } from "./errors.js";
import type { KnownSet } from "./journal.js";
import { hpkePublicSize } from "./seal.js";
import { decode } from "./shape.js";
import { appraise, Level, levelName, parseEvidence, Refused, type TeePolicy, verifyEvidence } from "./tee.js";
import type { Config } from "./transport.js";
import { binding, kOfM, SignatureError, vaultSet, type VaultMember, type VaultSet, verifyKofM } from "./vaultset.js";

/**
 * Trust is what an app has compiled in. Nothing of it may come from the server: whoever
 * gives the release keys says who the vaults are.
 */
export interface Trust extends TeePolicy {
  /** Ed25519 keys, 32 bytes each, of which k must have signed a vault set. */
  readonly releaseKeys: readonly Bytes[];
  readonly k: number;
  /** The least version of the vault set: that which was current when the app was built. */
  readonly setVersion?: number;
  /** How many characters a new PIN has at least, 4 to 32; absent: 6. The server can ask for more, and never for fewer. */
  readonly pinMin?: number;
}

const evidenceMaxAge = 24 * 3_600_000; // ms
const clockSkew = 5 * 60_000; // ms: how far ahead the vaults' clocks may be

/** Vault is a member of the set: to be asked, or why not. */
export interface Vault {
  readonly member: VaultMember;
  readonly platform: string;
  readonly level: number;
  readonly epoch: number;
  readonly hpke: Bytes;
  readonly err?: RecoveryError; // EVIDENCE or VAULT
}

/** Vaults is what one look at the configuration has shown, after every check. */
export class Vaults {
  readonly byID = new Map<string, Vault>();
  readonly operators: number;

  constructor(readonly set: VaultSet, readonly known: KnownSet) {
    this.operators = new Set(set.vaults.map((m) => m.operator)).size;
  }

  /** assurance is the weakest level among those that proved one. */
  assurance(): string {
    const levels = [...this.byID.values()].filter((v) => v.err === undefined).map((v) => v.level);
    return levelName(levels.length === 0 ? Level.none : Math.min(...levels));
  }
}

/**
 * believe checks a configuration. A vault whose evidence is refused or missing is left out
 * and says why; the rest may be enough. It throws EVIDENCE for a set that is not believed.
 */
export function believe(trust: Trust, cfg: Config, known: KnownSet, now: number): Vaults {
  const vaults = refusing("the vault set", () => checkSet(trust, cfg, known, now));
  vaults.set.vaults.forEach((member, i) => {
    const evidence = cfg.evidence[i];
    let vault: Vault = { member, platform: "", level: Level.none, epoch: 0, hpke: new Uint8Array() };
    if (evidence === undefined || evidence.length === 0) {
      vault = { ...vault, err: vaultAway("no evidence of it has come") };
    } else {
      try {
        vault = refusing(`vault ${member.vault}`, () => checkVault(trust, member, vaults.set.suite, evidence, now));
      } catch (err) {
        if (!(err instanceof RecoveryError)) {
          throw err;
        }
        vault = { ...vault, err };
      }
    }
    vaults.byID.set(member.vault, vault);
  });
  return vaults;
}

/** checkSet believes a set that k of the pinned keys have signed, and that is not older than one that was seen. */
function checkSet(trust: Trust, cfg: Config, known: KnownSet, now: number): Vaults {
  const doc = decode(kOfM, cfg.set);
  verifyKofM(doc, { k: trust.k, keys: trust.releaseKeys });
  const set = decode(vaultSet, doc.tbs);
  const seen: KnownSet = { version: set.version, hash: sum(doc.tbs) };
  const least = known.version > BigInt(trust.setVersion ?? 0) ? known.version : BigInt(trust.setVersion ?? 0);
  switch (true) {
    case new Set(set.vaults.map((m) => m.vault)).size !== set.vaults.length:
      throw new Refused(["it names a vault twice"]);
    case set.version < least:
      throw new Refused([`it has version ${set.version}, and version ${least} was seen before`]);
    case set.version === known.version && known.hash.some((b) => b !== 0) && !equal(seen.hash, known.hash):
      throw new Refused([`there are two of version ${set.version}: somebody shows you another than others`]);
    case now < Number(set.validFrom) * 1_000 - clockSkew:
      throw new Refused([`it is valid from ${new Date(Number(set.validFrom) * 1_000).toISOString()}`]);
    case set.profile !== cfg.profile || set.limit !== cfg.limit:
      throw new Refused([`it is of profile ${set.profile} with limit ${set.limit}, and the service says ${cfg.profile} with limit ${cfg.limit}`]);
    default:
      return new Vaults(set, seen);
  }
}

/** checkVault believes evidence that the policy and the set accept, and takes from its binding the key to which requests are sealed. */
function checkVault(trust: Trust, member: VaultMember, suite: number, evidence: Bytes, now: number): Vault {
  const e = parseEvidence(evidence);
  const claims = verifyEvidence(e);
  const codes = appraise(claims, trust, member.measurements, e.binding, now);
  if (codes.length > 0) {
    throw new Refused(codes);
  }
  const b = decode(binding, e.binding);
  const issued = Number(b.issued) * 1_000;
  switch (true) {
    case b.vault !== member.vault: // docs/tee.md, section 2: what the caller compares
      throw new Refused([`it is the evidence of ${b.vault}`]);
    case !equal(b.configHash, member.configHash):
      throw new Refused(["it runs with a configuration other than the set's"]);
    case b.nonce !== null:
      throw new Refused(["it was made for somebody else's nonce"]);
    case now - issued > evidenceMaxAge:
      throw new Refused([`it was issued at ${new Date(issued).toISOString()}, which is too long ago`]);
    case issued - now > clockSkew:
      throw new Refused([`it was issued at ${new Date(issued).toISOString()}, which is in the future: is this phone's clock right?`]);
    case b.hpke === null || b.hpke.length !== hpkePublicSize(suite):
      throw new Refused(["it has no key to seal requests to"]);
    default:
      return { member, platform: claims.platform, level: claims.level, epoch: b.epoch, hpke: b.hpke as Bytes };
  }
}

/** refusing makes EVIDENCE of what is wrong with something that a stranger gave. */
function refusing<T>(what: string, fn: () => T): T {
  try {
    return fn();
  } catch (cause) {
    if (cause instanceof Refused || cause instanceof MalformedError || cause instanceof SignatureError) {
      throw new RecoveryError("EVIDENCE", `recovery: a vault's evidence is refused: ${what}: ${cause.message}`, { cause });
    }
    throw cause;
  }
}
