/** What goes wrong in a recovery, and what its owner can be told. */
import type { Bytes } from "../bytes.js";
import { type ErrorParts, reasonOf, StaunchError } from "../phone/errors.js";

/** Outcome is what a phone tells its owner of a try, whatever came of it. */
export interface Outcome {
  readonly account: string;
  readonly reg: Bytes; // zeros: it was not learnt
  readonly limit: number; // 0: not learnt
  readonly remaining: number; // attempts left
  readonly vaults: number; // n
  readonly threshold: number; // t
  readonly answered: number;
  readonly liars: readonly string[]; // vaults whose answer was false: tell the operator
  readonly assurance: string; // the weakest of the vaults: "process" (NOT a TEE), "vtpm" or "tee"; "none": none proved one
  readonly operators: number; // distinct, in the vault set
}

/** RecoveryReason is the stable reason of what a phone says by itself. */
export type RecoveryReason = "PIN_REFUSED" | "WRONG_PIN" | "LOCKED" | "UNAVAILABLE" | "EVIDENCE" | "NOT_FOUND" | "OTHER_DEVICE" | "SHARES" |
  "FORGOTTEN" | "RENAMED" | "OTHER_PIN" | "PIN_WAIT" | "JOURNAL" | "PROFILE" | "OVER" | "VAULT" | "VAULT_GONE" | "VAULT_VERDICT" | "LIED" | "BUSY" | "OPTIONS" | "TOO_EARLY";

/** RecoveryParts are what else is known of an error. */
export interface RecoveryParts extends ErrorParts {
  readonly outcome?: Outcome;
  /** With UNAVAILABLE: who did not answer, and why. */
  readonly failed?: ReadonlyMap<string, unknown>;
  /** With PIN_REFUSED: why, for the owner. */
  readonly words?: string;
}

/**
 * RecoveryError is a refusal of the phone's own half of recovery. What the server
 * refuses is a StaunchError with its reason: RECOVERY_RATE, RECOVERY_TICKET ...
 *
 * - PIN_REFUSED: the rules refuse a new PIN. words says why. The owner chooses another.
 * - WRONG_PIN: outcome.remaining attempts are left. LOCKED: none, for ever.
 * - OTHER_PIN, of checkPin: it is not the PIN of the backup. It has cost no attempt; the
 *   owner tries again, or sets another while the phone is there. PIN_WAIT, too: there were
 *   too many in a row, and none is looked at before retryAt.
 * - UNAVAILABLE: too few vaults answered: failed names them. Nothing is lost, and the
 *   same call with the same PIN costs no other attempt.
 * - EVIDENCE: a vault, or the vault set, did not prove what it must. Nothing was sent to it.
 * - NOT_FOUND: there is no backup.
 * - OTHER_DEVICE: another device has registered since. Remove the backup, then register anew.
 * - SHARES: the PIN is right, and shares or blob fail their check: the data is damaged, or
 *   the service withholds the right blob.
 * - FORGOTTEN: what was begun cannot be finished: a vault no longer has what it was given.
 *   Back up again; with another PIN if none of the owner's devices did it.
 * - RENAMED: the service names another account at a vault than before. Nothing was sent.
 * - JOURNAL: what the store holds cannot be read. PROFILE: an enclave that learns the PIN
 *   has no such operation. OVER: the recovery was cancelled on another device, or not gone
 *   on with in time. OPTIONS: what the app gave is not right.
 * - TOO_EARLY: the wait of a recovery is not over; opensAt says when.
 * - VAULT, VAULT_GONE, VAULT_VERDICT, LIED, BUSY: why one vault is left out; in failed. GONE:
 *   the set lists it no more, and nobody waits for it.
 */
export class RecoveryError extends StaunchError {
  override readonly name = "RecoveryError";
  readonly outcome: Outcome | undefined;
  readonly failed: ReadonlyMap<string, unknown>;
  readonly words: string;

  constructor(reason: RecoveryReason, message: string, parts: RecoveryParts = {}) {
    super(reason, message, parts);
    this.outcome = parts.outcome;
    this.failed = parts.failed ?? new Map();
    this.words = parts.words ?? "";
  }
}

/** wrongPin is the verdict on a PIN: with nothing remaining it is LOCKED, by this try or before it. */
export function wrongPin(outcome: Outcome): RecoveryError {
  return outcome.remaining === 0
    ? new RecoveryError("LOCKED", "recovery: no attempts remaining: the registration is locked for ever", { outcome })
    : new RecoveryError("WRONG_PIN", `recovery: wrong PIN: ${outcome.remaining} of ${outcome.limit} attempts remaining`, { outcome });
}

/**
 * tooFew is the error of a call that needs more vaults than have answered. One whose
 * evidence is refused, or that wants the phone to wait, comes first: done again at once,
 * it would be the same.
 */
export function tooFew(outcome: Outcome, needed: number, failed: ReadonlyMap<string, unknown>): Error {
  const each = [...failed].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [, err] of each) {
    if (err instanceof StaunchError && (err.reason === "EVIDENCE" || err.reason === "RECOVERY_RATE")) {
      return err;
    }
  }
  const why = each.map(([id, err]) => `${id}: ${err instanceof Error ? err.message : String(err)}`).join("; ");
  return new RecoveryError(
    "UNAVAILABLE", `recovery: too few vaults answered: run it again, nothing is lost: ${outcome.answered} of ${outcome.vaults} answered, ${needed} needed: ${why}`,
    { outcome, failed },
  );
}

/** vaultAway is why one vault is left out. */
export function vaultAway(why: string, cause?: unknown): RecoveryError {
  return new RecoveryError("VAULT", `recovery: the vault does not answer: repeat, no attempt was counted: ${why}`, { cause });
}

/** notFound reports whether an error says that there is no backup: the phone's own, or the server's. */
export function notFound(err: unknown): boolean {
  return reasonOf(err) === "NOT_FOUND" || reasonOf(err) === "RECOVERY_NOT_FOUND";
}
