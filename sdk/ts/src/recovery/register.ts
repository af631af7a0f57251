/** Making a PIN the one that brings the payload back: at all vaults or at none. */
import { type Bytes, equal } from "../bytes.js";
import { reasonOf } from "../phone/errors.js";
import { RecoveryError } from "./errors.js";
import type { Backup, Registration } from "./journal.js";
import { opened, type Payload, same as samePayload } from "./payload.js";
import type { Pin } from "./pin.js";
import { type Client, look, type Request, Round } from "./round.js";
import { approved, dealOut, handOut, makingOf, nameAll, pinCheck, retire, signerOf, vaultsOf, wipe } from "./registration.js";
import { remember } from "./reminder.js";
import { openBlob } from "./seal.js";
import { registerSeed } from "./seed.js";
import { type BackupView, Stage } from "./transport.js";
import { push } from "./update.js";
import { drive, empty, holds, managedRequest, missing, noStep, otherDevice, type Step, targetOf, type View, type Views } from "./view.js";
import { activateTBS, finalizeTBS, Op } from "./wire.js";

/** openRound asks who the vaults are and what the account has, and makes sure that the journal is of this account. */
export async function openRound(c: Client, b: Backup): Promise<{ r: Round; got: BackupView }> {
  const vaults = await look(c, b.known);
  const got = await c.transport.getBackup();
  if (b.account !== "" && b.account !== got.account) {
    throw new RecoveryError("JOURNAL", `recovery: the backup in the store is of account ${b.account}, and this phone is signed in to ${got.account}`);
  }
  [b.account, b.profile, b.known] = [got.account, vaults.set.profile, vaults.known];
  [b.assurance, b.operators, b.listed] = [vaults.assurance(), Math.min(vaults.operators, 255), vaults.set.vaults.map((m) => m.vault)];
  return { r: new Round(c, vaults, nameAll(b, vaults.set, got.accts)), got };
}

/**
 * register makes a PIN the one that works: the first of an account, or another in the place
 * of b's. A registration that b has begun is finished first; with the same PIN that is all,
 * but for a payload that differs. Until all vaults have the new one, the PIN before works,
 * or the new one, never none.
 */
export async function register(c: Client, b: Backup, pin: Pin, p: Payload): Promise<void> {
  const { r, got } = await openRound(c, b);
  if (r.vaults.set.profile === "seed") {
    return registerSeed(r, b, pin, p);
  }
  if (b.pending !== null && await resume(r, b, b.pending, pin, p)) {
    return;
  }
  const reg = await dealOut(c, r.vaults.set, pin, p);
  makingOf(reg).first = !got.found || got.stage === Stage.DELETING;
  [b.pending, b.blob, b.deleted] = [reg, null, false];
  await remember(c, b, reg.header.reg, pin);
  await c.journal.saveBackup(b);
  await settle(r, b, reg);
}

/** resume finishes what was begun. true: it has the same PIN, so there is no need for another registration. */
async function resume(r: Round, b: Backup, reg: Registration, pin: Pin, p: Payload): Promise<boolean> {
  const m = makingOf(reg);
  if (m.lost) {
    retire(b, reg);
    return false;
  }
  const same = equal(m.pin, pinCheck(await pin.stretch(reg.header.reg, reg.header.argon2)));
  if (!same && reg.have.length === 0 && !m.put) {
    b.pending = null; // nobody has heard of it
    return false;
  }
  if (!vaultsOf(reg).every((id) => r.vaults.byID.has(id))) { // a vault of it is gone for good
    if (m.active) {
      reg.making = null;
      b.current = reg;
    }
    b.pending = null;
    return false;
  }
  const old = opened((await openBlob(reg.key, m.blob)).payload);
  await settle(r, b, reg);
  if (same && !samePayload(old, p)) {
    await push(r, b, p);
  }
  return same;
}

/** settle brings the pending registration to its end, from whatever state the vaults are in. So it does not matter where it was interrupted. */
export async function settle(r: Round, b: Backup, reg: Registration): Promise<void> {
  const { c } = r;
  const m = makingOf(reg);
  if (m.lost) {
    throw new RecoveryError("FORGOTTEN", "recovery: what was begun cannot be finished: a vault no longer has what this phone gave it; back up again");
  }
  await approved(c, b, reg);
  if (!m.put) {
    await c.transport.putBlob(reg.header.reg, m.blob);
    m.put = true;
    await c.journal.saveBackup(b);
  }
  let end;
  try {
    end = await drive(r, b, reg, (views) => next(r, b, reg, views));
  } catch (err) {
    if (reasonOf(err) === "FORGOTTEN") { // and the next registration is another
      m.lost = true;
      await c.journal.saveBackup(b);
    }
    throw err;
  }
  if (end.errs.size > 0) {
    throw missing(b, end.errs, end.views.size, vaultsOf(reg).length);
  }
  await c.transport.commitBackup(reg.header.reg, Stage.FINALIZED, reg.blobHash);
  wipe(m);
  reg.making = null;
  [b.current, b.pending, b.renew] = [reg, null, false];
  await c.journal.saveBackup(b);
}

/**
 * next is the rule of registering (spec/kr1.md, section 6): where the old registration is not
 * the current one, bring it back; drop what is neither; give all vaults their shares; only
 * then activate; only when the service points at the new one, drop the old.
 */
function next(r: Round, b: Backup, reg: Registration, views: Views): Step {
  const step = noStep();
  const m = makingOf(reg);
  const id = reg.header.reg;
  const all = [...views.values()];
  if (!m.active) { // afterwards the old one is nobody's any more
    restore(b, step, reg, all);
    if (step.requests.size > 0) {
      return step;
    }
  }
  for (const v of all) {
    if (empty(v) || (!holds(v.current, id) && !holds(v.other, id))) {
      createAt(b, step, reg, v, r.vaults.set.limit);
    }
  }
  const have = all.length - step.requests.size;
  const active = all.filter((v) => !empty(v) && holds(v.current, id)).length;
  const enough = m.first || m.active ? reg.header.t : reg.header.vaults.length; // with no other, nothing can be lost
  if (step.requests.size > 0 || have < enough) {
    return step;
  }
  const signer = signerOf(reg);
  const plan = (v: View, q: Request): void => {
    step.requests.set(v.id, { q, reg: id, blobHash: reg.blobHash });
  };
  for (const v of all.filter((each) => holds(each.other, id))) {
    plan(v, managedRequest(Op.activate, signer, activateTBS, { ...targetOf(v), reg: id, reset: true }));
  }
  if (step.requests.size > 0) {
    return step;
  }
  if (!m.active) {
    if (active >= reg.header.t) {
      step.commit = async () => {
        await r.c.transport.commitBackup(id, Stage.ACTIVATED, reg.blobHash);
        m.active = true;
        await r.c.journal.saveBackup(b);
      };
    }
    return step;
  }
  for (const v of all.filter((each) => each.other !== null)) {
    plan(v, managedRequest(Op.finalize, signer, finalizeTBS, { ...targetOf(v), reg: id }));
  }
  return step;
}

/**
 * restore makes room beside the registration that stands: it becomes the current one where a
 * recovery has shown that it must, and what is neither it nor reg is dropped, unless some
 * vault has that as the current one.
 */
function restore(b: Backup, step: Step, reg: Registration, all: readonly View[]): void {
  if (b.current === null) {
    return;
  }
  const { current } = b;
  const old: Bytes = current.header.reg;
  const signer = signerOf(current);
  let foreign = false;
  for (const v of all) {
    if (empty(v) || holds(v.current, old) || holds(v.current, reg.header.reg)) {
      continue;
    }
    foreign = true;
    if (!holds(v.other, old) || !current.recovered) {
      throw otherDevice(v.id);
    }
    step.requests.set(v.id, { q: managedRequest(Op.activate, signer, activateTBS, { ...targetOf(v), reg: old, reset: false }), reg: old, blobHash: current.blobHash });
  }
  for (const v of all) {
    if (!foreign && !empty(v) && v.other !== null && holds(v.current, old) && !holds(v.other, reg.header.reg)) {
      step.requests.set(v.id, { q: managedRequest(Op.finalize, signer, finalizeTBS, { ...targetOf(v), reg: old }), reg: old, blobHash: current.blobHash });
    }
  }
}

/** createAt adds the request that gives a vault its share: signed by the key of what stands there, or with a voucher of the service's where nothing does. */
function createAt(b: Backup, step: Step, reg: Registration, v: View, limit: number): void {
  let signer = null;
  if (!empty(v)) {
    if (b.current === null || !holds(v.current, b.current.header.reg)) {
      throw otherDevice(v.id);
    }
    signer = signerOf(b.current);
  }
  const { q, fresh } = handOut(reg, v, limit, signer);
  step.keep ||= fresh;
  step.requests.set(v.id, { q, reg: reg.header.reg, blobHash: reg.blobHash });
}
