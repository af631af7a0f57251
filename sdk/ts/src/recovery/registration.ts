/** A registration: dealt from nothing but a PIN and a payload, and what of it each vault is sent. */
import { type Bytes, concat, copy, equal, utf8 } from "../bytes.js";
import { deriveDataKey, derivePRS, type ManageKey, manageKey, sum } from "./derive.js";
import { RecoveryError } from "./errors.js";
import { groupOf } from "./group.js";
import type { Backup, Making, Part, Registration } from "./journal.js";
import { blind, combine, deal } from "./oprf.js";
import { type Payload, sealedForm } from "./payload.js";
import type { Pin } from "./pin.js";
import { type Client, type Request, request } from "./round.js";
import { sealBlob } from "./seal.js";
import { decode, encode } from "./shape.js";
import type { VaultSet } from "./vaultset.js";
import { empty, targetOf, type View } from "./view.js";
import { createTBS, defaultArgon2, type Header, managed, Op } from "./wire.js";

/** vaultsOf are the vaults of a registration, in the order of their points. */
export function vaultsOf(r: Registration): string[] {
  return r.header.vaults.map((v) => v.vault);
}

/** signerOf is its manage key. */
export function signerOf(r: Registration): ManageKey {
  return manageKey(r.header.suite, r.manage);
}

/** hold notes that a vault has the registration. */
export function hold(r: Registration, id: string): void {
  if (!r.have.includes(id)) {
    r.have = [...r.have, id].sort();
  }
}

/** makingOf is what an unfinished registration needs. */
export function makingOf(r: Registration): Making {
  if (r.making === null) {
    throw new RecoveryError("JOURNAL", "recovery: the journal says of a finished registration that it is being made");
  }
  return r.making;
}

/** approved asks the owner once for each registration. */
export async function approved(c: Client, b: Backup, r: Registration): Promise<void> {
  const m = makingOf(r);
  if (m.approved) {
    return;
  }
  await c.approve(r.header.reg);
  m.approved = true;
  await c.journal.saveBackup(b);
}

/**
 * dealOut makes a new registration: secrets k and s, cut into a share for each vault, and the
 * payload under a key that needs the PIN, k and s. What it returns holds the shares until
 * the vaults have them.
 */
export async function dealOut(c: Client, set: VaultSet, pin: Pin, p: Payload): Promise<Registration> {
  const g = groupOf(set.suite);
  const reg = crypto.getRandomValues(new Uint8Array(16));
  const [k, s] = [g.randomScalar(), g.randomScalar()];
  const [ks, ss] = [deal(g, k, set.t, set.n), deal(g, s, set.t, set.n)];
  const header: Header = {
    suite: set.suite, reg, argon2: defaultArgon2(), n: set.n, t: set.t,
    vaults: set.vaults.map((m, i) => ({ vault: m.vault, k: ks[i]?.publicShare as Bytes })),
  };
  const x = await pin.stretch(reg, header.argon2);
  const blinded = blind(g, x, crypto.getRandomValues(new Uint8Array(32)), reg);
  const rwd = blinded.finalize(combine(g, set.t, ks.slice(0, set.t).map(({ index, scalar }) => ({ index, e: g.sum([[scalar, blinded.element]]) }))));
  const manage = crypto.getRandomValues(new Uint8Array(32));
  const key = deriveDataKey(set.suite, reg, rwd, g.scalarBytes(s));
  const blob = await sealBlob(key, header, sealedForm(p, manage, 1n, c.now()));
  const parts = set.vaults.map(({ vault }, i): Part => ({
    vault, k: g.scalarBytes(ks[i]?.scalar as bigint), s: g.scalarBytes(ss[i]?.scalar as bigint), prs: derivePRS(set.suite, reg, rwd, vault), sent: null,
  }));
  return {
    header, key, manage, blobHash: sum(blob), seq: 1n, have: [], recovered: false,
    making: { parts, blob, pin: pinCheck(x), first: false, approved: false, put: false, active: false, lost: false },
  };
}

/** pinCheck tells whether the same PIN is given again while a registration is not finished. It is as good to a thief of the journal as what else is in there. */
export function pinCheck(x: Bytes): Bytes {
  return sum(concat(utf8("staunch/client/pin-check\0"), x));
}

/**
 * handOut is the request that brings a vault its share: the one that it was sent before, if
 * it was. fresh: it is new, and must be kept before it leaves. It throws FORGOTTEN when the
 * vault is not as it was when the request was made: it has executed it, and undone it since,
 * or never can; the share is not sent to a second place, where attempts would be counted
 * from the beginning (spec/kr1.md, section 6, "Register").
 */
export function handOut(r: Registration, v: View, limit: number, signer: ManageKey | null): { q: Request; fresh: boolean } {
  const part = makingOf(r).parts.find((p) => p.vault === v.id);
  if (part === undefined) {
    throw new RecoveryError("JOURNAL", `recovery: the journal has no share for ${v.id}`);
  }
  if (part.sent !== null) {
    const made = decode(createTBS, part.sent.tbs);
    const t = targetOf(v);
    if (made.vault !== t.vault || !equal(made.acct, t.acct) || made.gen !== t.gen || (part.sent.sig === null) !== empty(v)) {
      throw new RecoveryError("FORGOTTEN", "recovery: a vault no longer has what this phone gave it: locked, deleted, or somebody tries for more attempts at the PIN; back up again, " +
        `with another PIN if it was none of the owner's devices (vault ${v.id})`);
    }
    return { q: request(Op.create, managed, part.sent), fresh: false };
  }
  const tbs = encode(createTBS, {
    ...targetOf(v), reg: r.header.reg, suite: r.header.suite, limit, k: part.k, s: part.s, prs: part.prs,
    manage: signerOf(r).public, blobHash: r.blobHash,
  });
  part.sent = { tbs, sig: signer === null ? null : signer.sign(tbs) };
  return { q: request(Op.create, managed, part.sent), fresh: true };
}

/** wipe overwrites shares that all vaults have, or none shall get. */
export function wipe(m: Making): void {
  for (const p of m.parts) {
    [p.k, p.s, p.prs, p.sent?.tbs].forEach((secret) => secret?.fill(0));
  }
}

/**
 * retire makes way for another registration where the pending one cannot be finished. It
 * sends nothing. What the vaults have of it goes by its manage key, or by that of the
 * registration which the service points at.
 */
export function retire(b: Backup, pending: Registration): void {
  const m = makingOf(pending);
  wipe(m);
  if (b.current === null || m.active) {
    b.current = pending;
    b.current.making = null;
  }
  b.current.recovered = true; // at some vaults it is the other one, or not there
  b.pending = null;
}

/** nameAll keeps what the service calls the account at each vault of the set, and wants it to be the same ever after. It answers with all that was kept. */
export function nameAll(b: Backup, set: VaultSet, accts: ReadonlyMap<string, Bytes>): Map<string, Bytes> {
  for (const { vault } of set.vaults) {
    const acct = accts.get(vault);
    const known = b.accts.get(vault);
    if (acct !== undefined && known !== undefined && !equal(acct, known)) {
      throw new RecoveryError("RENAMED", "recovery: the service names another account at a vault than before: nothing was sent; tell the operator, whose root secret must be the one " +
        `that it was (vault ${vault})`);
    }
    if (acct !== undefined) {
      b.accts.set(vault, copy(acct));
    }
  }
  return new Map(b.accts);
}
