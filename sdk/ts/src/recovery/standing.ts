/** What the vaults hold of an account, and wiping it. */
import type { Bytes } from "../bytes.js";
import { MalformedError } from "../cbor.js";
import { manageKey } from "./derive.js";
import { RecoveryError } from "./errors.js";
import { reachable } from "./gone.js";
import type { Backup } from "./journal.js";
import { openRound } from "./register.js";
import { type Client, remaining, type Round } from "./round.js";
import { removeSeed } from "./seed.js";
import { decode } from "./shape.js";
import { type BackupView, Stage } from "./transport.js";
import { drive, holds, managedRequest, missing, noStep, targetOf, viewsOf } from "./view.js";
import { deleteTBS, header as headerShape, Op, State } from "./wire.js";
import type { Registration } from "./journal.js";

/** VaultStatus is one vault of a Status. */
export interface VaultStatus {
  readonly id: string;
  readonly operator: string;
  readonly platform: string; // "process" is NOT a TEE; empty: it has proved none
  readonly reachable: boolean;
  readonly state: "active" | "locked" | "deleted" | "none" | ""; // empty: not reachable
  readonly used: number;
  readonly limit: number;
  readonly gone: boolean; // the set lists it no more: it was lost for good; back up anew
  readonly err?: unknown; // why it is not reachable
}

/**
 * Status is what the vaults hold of an account.
 *
 * - active. pending: being registered, or with a payload on its way: do it again.
 * - degraded: it stands, and some vaults do not have it, or are away.
 * - locked, deleted, none.
 */
export interface Status {
  readonly account: string;
  readonly state: "active" | "pending" | "degraded" | "locked" | "deleted" | "none";
  readonly reg: Bytes; // zeros: the service points at none
  readonly profile: string;
  readonly limit: number;
  readonly remaining: number | undefined; // undefined: fewer than t vaults answered
  readonly assurance: string;
  readonly operators: number;
  readonly threshold: number;
  readonly vaults: readonly VaultStatus[];
}

/** status asks all vaults; it costs nothing. */
export async function status(c: Client, b: Backup): Promise<Status> {
  const { r, got } = await openRound(c, b);
  const { set } = r.vaults;
  const base = {
    account: b.account, reg: got.reg, profile: b.profile, limit: set.limit, assurance: b.assurance, operators: r.vaults.operators, threshold: set.t,
    remaining: undefined,
  };
  if (b.profile === "seed") {
    return { ...base, ...seedStatus(r, b, got) };
  }
  const reg = meant(b, got, r);
  const { views, errs } = await viewsOf(r, reg.ids);
  let degraded = 0;
  const vaults = reg.ids.map((id): VaultStatus => {
    const m = r.vaults.byID.get(id);
    const v = views.get(id);
    const one = { id, operator: m?.member.operator ?? "", platform: m?.platform ?? "", gone: m === undefined };
    if (v === undefined) {
      return { ...one, reachable: false, state: "", used: 0, limit: set.limit, err: errs.get(id) };
    }
    const state = v.none ? "none" : (["active", "locked", "deleted"] as const)[v.state] ?? "none";
    if (state === "active" && got.found && !holds(v.current, got.reg)) {
      degraded++;
    }
    return { ...one, reachable: true, state, used: v.answer.used, limit: v.answer.limit || set.limit };
  });
  const left = remaining([...views.values()].map((v) => v.answer), reg.t);
  return { ...base, threshold: reg.t, remaining: left, vaults, state: sumUp(b, vaults, degraded, reg.t) };
}

/** sumUp says in one word what the vaults hold. */
function sumUp(b: Backup, vaults: readonly VaultStatus[], degraded: number, t: number): Status["state"] {
  const count = (state: VaultStatus["state"]): number => vaults.filter((v) => v.state === state).length;
  const n = vaults.length;
  switch (true) {
    case b.pending !== null || b.blob !== null || b.deleted: return "pending";
    case count("active") === n && degraded === 0: return "active";
    case count("active") >= t: return "degraded";
    case count("locked") > n - t: return "locked";
    case count("deleted") > n - t: return "deleted";
    case count("active") > 0: return "degraded";
    default: return "none";
  }
}

/** seedStatus is what the journal and the service know: the enclave has no operation that costs nothing. */
function seedStatus(r: Round, b: Backup, got: BackupView): Pick<Status, "state" | "limit" | "remaining" | "vaults"> {
  const v = r.vaults.byID.get(r.enclave);
  const reachable = v?.err === undefined;
  const stands = got.found && got.stage !== Stage.DELETING;
  const known = b.limit > 0;
  const limit = known ? b.limit : r.vaults.set.limit;
  let state: Status["state"] = "none";
  if (b.pending !== null || b.deleted) {
    state = "pending";
  } else if (got.found) {
    state = stands ? "active" : "deleted";
  }
  return {
    state, limit, remaining: known ? b.remaining : undefined,
    vaults: [{
      id: r.enclave, operator: v?.member.operator ?? "", platform: v?.platform ?? "", gone: false, reachable, state: stands && reachable && state === "active" ? "active" : "",
      used: known ? b.limit - b.remaining : 0, limit, ...(!reachable && { err: v?.err }),
    }],
  };
}

/** meant are the vaults that are meant: of the registration at hand, or of that which the service points at. */
function meant(b: Backup, got: BackupView, r: Round): { ids: string[]; t: number } {
  const reg = b.pending ?? b.current;
  if (reg !== null) {
    return { ids: reg.header.vaults.map((v) => v.vault), t: reg.header.t };
  }
  if (!got.found) {
    return { ids: r.vaults.set.vaults.map((m) => m.vault), t: r.vaults.set.t };
  }
  try {
    const h = decode(headerShape, got.header);
    return { ids: h.vaults.map((v) => v.vault), t: h.t };
  } catch (cause) {
    throw cause instanceof MalformedError ? new RecoveryError("NOT_FOUND", "recovery: the header of the backup that the service points at cannot be read", { cause }) : cause;
  }
}

/**
 * remove wipes the registration at every vault, and leaves a tombstone. It is signed where b
 * has the key of what stands there; where it has not, the service vouches, which it can for a
 * deletion and never for a release.
 */
export async function remove(c: Client, b: Backup): Promise<void> {
  const { r, got } = await openRound(c, b);
  if (!got.found && b.current === null && b.pending === null) {
    throw new RecoveryError("NOT_FOUND", "recovery: no such backup");
  }
  await c.approve(got.reg);
  b.deleted = true;
  await c.journal.saveBackup(b);
  await c.transport.commitBackup(got.reg, Stage.DELETING);
  if (b.profile === "seed") {
    await removeSeed(r, b);
  } else {
    await removeAtAll(r, b, got);
  }
  [b.current, b.pending, b.blob, b.deleted] = [null, null, null, false];
  await c.journal.saveBackup(b);
}

async function removeAtAll(r: Round, b: Backup, got: BackupView): Promise<void> {
  const { ids, t } = meant(b, got, r);
  const asked = new Set<string>();
  const { current } = b;
  const { views, errs } = await drive(r, b, stub(b, ids, t), (all) => {
    const step = noStep();
    for (const v of all.values()) {
      if (v.none || v.state === State.deleted || (v.state === State.locked && asked.has(v.id))) {
        continue; // of a locked one nothing is left to delete
      }
      asked.add(v.id);
      const signer = current !== null && holds(v.current, current.header.reg) ? manageKey(current.header.suite, current.manage) : null;
      step.requests.set(v.id, { q: managedRequest(Op.delete, signer, deleteTBS, { ...targetOf(v) }), reg: new Uint8Array(16), blobHash: new Uint8Array(32) });
    }
    return step;
  });
  if (reachable(errs).size > 0) { // one that is gone has nothing to delete
    throw missing(b, errs, views.size, ids.length);
  }
}

/** stub is the registration at hand, or one that stands for vaults alone. */
function stub(b: Backup, ids: readonly string[], t: number): Registration {
  return b.pending ?? b.current ?? {
    header: { suite: 1, reg: new Uint8Array(16), argon2: { m: 0, t: 0, p: 0 }, n: ids.length, t, vaults: ids.map((vault) => ({ vault, k: new Uint8Array() })) },
    key: new Uint8Array(), manage: new Uint8Array(), blobHash: new Uint8Array(), seq: 0n, have: [], recovered: false, making: null,
  };
}
