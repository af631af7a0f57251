/** Vaults that were lost for good: another is in their place, which has no share of what was registered before. */
import { reasonOf } from "../phone/errors.js";
import { RecoveryError } from "./errors.js";
import type { Backup } from "./journal.js";
import type { Errors } from "./view.js";

/** lostForGood is why a vault is left out that the set lists no more. Nobody waits for it, and it takes nothing back. */
export function lostForGood(): RecoveryError {
  return new RecoveryError("VAULT_GONE", "recovery: the vault is no longer in the vault set: it was lost for good; back up anew, and all vaults have the PIN again");
}

/** reachable are the errors of vaults that may still answer: those of the set. */
export function reachable(errs: Errors): Errors {
  return new Map([...errs].filter(([, err]) => reasonOf(err) !== "VAULT_GONE"));
}

/** goneOf are the vaults of a registration that the set, when it was last seen, did not list any more. */
export function goneOf(b: Backup): string[] {
  const ids = (b.pending ?? b.current)?.header.vaults.map((v) => v.vault) ?? [];
  return ids.filter((id) => b.listed !== undefined && !b.listed.includes(id));
}
