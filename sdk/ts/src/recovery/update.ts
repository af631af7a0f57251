/** Replacing the payload under the same PIN and keys. */
import { equal } from "../bytes.js";
import { sum } from "./derive.js";
import { RecoveryError } from "./errors.js";
import { reachable } from "./gone.js";
import type { Backup, Registration } from "./journal.js";
import { opened, type Payload, same, sealedForm } from "./payload.js";
import { openRound, settle } from "./register.js";
import { signerOf, vaultsOf } from "./registration.js";
import type { Client, Round } from "./round.js";
import { openBlob, sealBlob } from "./seal.js";
import { Stage } from "./transport.js";
import { drive, empty, holds, managedRequest, missing, noStep, otherDevice } from "./view.js";
import { Op, State, updateTBS } from "./wire.js";

/**
 * update takes no PIN and costs no attempt. What b has begun is finished first. A vault that
 * was lost for good is not waited for: see gone in BackupInfo. After UNAVAILABLE recovery brings the new payload or the one before, until a further update has
 * reached all vaults.
 */
export async function update(c: Client, b: Backup, p: Payload): Promise<void> {
  if (b.current === null && b.pending === null) {
    throw new RecoveryError("NOT_FOUND", "recovery: no such backup: this phone has made none");
  }
  const { r } = await openRound(c, b);
  if (b.profile === "seed") {
    throw new RecoveryError("PROFILE", "recovery: with an enclave that learns the PIN, a new payload needs it: back up with the same PIN");
  }
  if (b.pending !== null) {
    await settle(r, b, b.pending);
  }
  await push(r, b, p);
}

/** push seals the payload, unless it is on its way already, or everywhere; brings the blob to the service, and its hash to all vaults. */
export async function push(r: Round, b: Backup, p: Payload): Promise<void> {
  const { c } = r;
  const reg = b.current as Registration;
  let blob = b.blob;
  if (blob === null || !same(opened((await openBlob(reg.key, blob.blob)).payload), p)) {
    const seq = (blob?.seq ?? reg.seq) + 1n;
    blob = { blob: await sealBlob(reg.key, reg.header, sealedForm(p, reg.manage, seq, c.now())), seq, committed: false };
    b.blob = blob;
  }
  await c.journal.saveBackup(b);
  const going = blob;
  const hash = sum(going.blob);
  const id = reg.header.reg;
  // Also when it was there before: the service keeps one that no vault names for minutes
  // only, and the phone may have been away.
  await c.transport.putBlob(id, going.blob);
  const signer = signerOf(reg);
  const { views, errs } = await drive(r, b, reg, (all) => {
    const step = noStep();
    let done = 0;
    for (const v of all.values()) {
      const slot = holds(v.current, id) ? v.current : v.other;
      if (v.state === State.locked) {
        throw new RecoveryError("LOCKED", `recovery: no attempts remaining: the registration is locked for ever (vault ${v.id}): back up anew`);
      }
      if (slot === null || empty(v) || !holds(slot, id)) {
        throw otherDevice(v.id);
      }
      if (equal(slot.blobHash, hash)) {
        done++;
        continue;
      }
      const q = managedRequest(Op.update, signer, updateTBS, { vault: v.id, acct: v.acct, gen: v.gen, reg: id, old: slot.blobHash, new: hash });
      step.requests.set(v.id, { q, reg: id, blobHash: hash });
    }
    // The service points at the new blob when of any t vaults one names it, as their receipts say.
    const { n, t } = reg.header;
    if (step.requests.size === 0 && done >= t && done > n - t && !going.committed) {
      step.commit = async () => {
        await c.transport.commitBackup(id, Stage.UPDATED, hash);
        going.committed = true;
      };
    }
    return step;
  });
  if (reachable(errs).size > 0 || views.size < reg.header.t) {
    throw missing(b, errs, views.size, vaultsOf(reg).length);
  }
  [reg.blobHash, reg.seq, b.blob] = [hash, going.seq, null];
  await c.journal.saveBackup(b);
}
