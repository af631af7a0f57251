/**
 * What a phone writes down of recovery, in the bytes that Go's client writes: the
 * registration that stands, the one that is being made, and the attempt that is under
 * way. It holds keys: a store keeps it where only the app can read.
 */
import { type Bytes, equal } from "../bytes.js";
import { MalformedError } from "../cbor.js";
import type { Store } from "../phone/ports.js";
import { RecoveryError } from "./errors.js";
import { at, bool, bytes, decode, dict, encode, list, map, maybe, type Of, orNull, row, type Shape, text, uint } from "./shape.js";
import { argon2, hash, header, id16, managed, maxBlob, maxVaults, u64 } from "./wire.js";

const knownSet = row(null, { version: u64, hash });
/** KnownSet is the newest vault set that a phone has seen. */
export type KnownSet = Of<typeof knownSet>;

/**
 * Part is a vault's share. Attempts are counted for what one create has made: a share
 * that went to a vault in two of them could be guessed at twice. So there is one: what it
 * was is kept before it leaves, and sent again only as it is.
 */
const part = row(null, { vault: text(1, 32), k: hash, s: hash, prs: hash, sent: orNull(managed) });
export type Part = Of<typeof part>;

/** making is what a registration needs until all vaults have it. */
const making = row(null, {
  parts: list(part, 0, maxVaults), blob: bytes(0, maxBlob), pin: hash, // pin: of the stretched PIN, to tell whether the same one is given again
  first: bool, // it replaces none
  approved: bool, // by the owner
  put: bool, // the service has the blob
  active: bool, // the service points at it
  lost: bool, // it cannot be finished: FORGOTTEN
});
export type Making = Of<typeof making>;

/** registration is one PIN with one set of keys. making null: it is finished. */
const registration = row(null, {
  header, key: hash, manage: hash, blobHash: hash, seq: u64, have: list(text(1, 32), 0, maxVaults),
  recovered: bool, // it came back with the PIN: no vault need have it as the current one
  making: orNull(making),
});
export type Registration = Of<typeof registration>;

/** newBlob is a payload on its way. */
const newBlob = row(null, { blob: bytes(1, maxBlob), seq: u64, committed: bool });

const seconds = uint(0, Number.MAX_SAFE_INTEGER); // since 1970; 0: never

/** remembered is what a phone keeps of a registration's PIN: check is one byte of a hash. tried: when the last of those wrong in a row was. */
const remembered = row(null, {
  reg: id16, argon2, salt: id16, check: uint(0, 255), set: seconds, checked: seconds, passed: uint(0, 255), wrong: uint(0, 255), tried: seconds,
});
export type Remembered = Of<typeof remembered>;

const backup = map({ 1: 1 }, {
  account: at(2, text(0, 64)), profile: at(3, text(0, 64)), known: at(4, knownSet),
  current: at(5, orNull(registration)), pending: at(6, orNull(registration)), blob: at(7, orNull(newBlob)),
  deleted: at(8, bool), limit: at(9, uint(0, 50)), remaining: at(10, uint(0, 50)), assurance: at(11, text(0, 16)), operators: at(12, uint(0, 255)),
  accts: at(13, dict(id16, 32, 0, 64)), // by vault: what the service has called the account from the beginning
  renew: at(14, bool), // asked for, and no registration was finished since
  reminders: maybe(15, list(remembered, 1, 2)), // of the PINs of current and pending, where this phone has seen them
});
/** Backup is the journal of an account's registration. listed: vaults of the set that was seen last; not kept. */
export type Backup = Of<typeof backup> & { listed?: readonly string[] | undefined };

const attempt = row(null, { v: uint(1, 1), known: knownSet, reg: id16, seed: hash, name: id16, answered: dict(hash, 32, 0, 64) });
/** Attempt is a try at a PIN, from its first request to its verdict. seed zeros: none is under way. */
export type Attempt = Of<typeof attempt>;

/** noBackup is a journal in which nothing stands yet. */
export function noBackup(): Backup {
  return {
    account: "", profile: "", known: noSet(), current: null, pending: null, blob: null, deleted: false, limit: 0, remaining: 0,
    assurance: "", operators: 0, accts: new Map(), renew: false,
  };
}

/** forget drops what is kept of PINs that bring nothing back any more. */
function forget(b: Backup): void {
  const kept = (b.reminders ?? []).filter((m) => [b.current, b.pending].some((r) => r !== null && equal(r.header.reg, m.reg)));
  b.reminders = kept.length > 0 ? kept : undefined;
}

function noSet(): KnownSet {
  return { version: 0n, hash: new Uint8Array(32) };
}

/** Journal keeps both. What it is given is durable when its promise resolves. */
export class Journal {
  constructor(readonly store: Pick<Store, "read" | "write">) {}

  async backup(): Promise<Backup | undefined> {
    return this.#read("recovery/backup", backup);
  }

  async saveBackup(b: Backup): Promise<void> {
    forget(b);
    await this.store.write({ "recovery/backup": encode(backup, b) });
  }

  async attempt(): Promise<Attempt> {
    return await this.#read("recovery/attempt", attempt) ??
      { v: 1, known: noSet(), reg: new Uint8Array(16), seed: new Uint8Array(32), name: new Uint8Array(16), answered: new Map() };
  }

  async saveAttempt(a: Attempt): Promise<void> {
    await this.store.write({ "recovery/attempt": encode(attempt, a) });
  }

  async #read<T>(name: string, shape: Shape<T>): Promise<T | undefined> {
    const value = await this.store.read(name);
    return value === undefined ? undefined : read(name, shape, value);
  }
}

/** journalOf reads a backup's journal as a Store or another phone has it. bytes are its own. */
export function journalOf(value: unknown): { readonly backup: Backup; readonly bytes: Bytes } {
  const b = read("recovery/backup", backup, value);
  return { backup: b, bytes: encode(backup, b) };
}

function read<T>(name: string, shape: Shape<T>, value: unknown): T {
  try {
    if (!(value instanceof Uint8Array)) {
      throw new MalformedError("no bytes");
    }
    return decode(shape, value);
  } catch (cause) {
    throw new RecoveryError("JOURNAL", `recovery: ${name} in the store is damaged: restore it, or delete it; a backup is then to be removed and made anew, and a try counts as a new one`, { cause });
  }
}

/** begin keeps the seed of a try at the same registration, and makes one for a new try. */
export function begin(a: Attempt, reg: Bytes): void {
  if (equal(a.reg, reg) && isOpen(a)) {
    return;
  }
  a.reg = reg;
  a.seed = crypto.getRandomValues(new Uint8Array(32));
}

/** isOpen reports whether a try is under way. */
export function isOpen(a: Attempt): boolean {
  return a.seed.some((b) => b !== 0);
}

/** end erases the seed: there was a verdict. What is known of the vault set stays. */
export function end(a: Attempt): void {
  a.seed.fill(0);
  a.reg = new Uint8Array(16);
  a.name = new Uint8Array(16);
  a.answered = new Map();
}

/** about says which blinded PIN the try is about. What was answered for another one binds it to nothing. */
export function about(a: Attempt, name: Bytes): void {
  if (!equal(a.name, name)) {
    a.name = name;
    a.answered = new Map();
  }
}

/**
 * mayAnswer reports whether a vault's half of the exchange may be answered: it is the
 * first, or the same again. A second one would be a second guess for whoever has the
 * vault's keys. half: its SHA-256.
 */
export function mayAnswer(a: Attempt, vault: string, half: Bytes): boolean {
  const was = a.answered.get(vault);
  if (was !== undefined) {
    return equal(was, half);
  }
  a.answered.set(vault, half);
  return true;
}
