/** The structures that phone and vault exchange, and those that the service keeps: spec/kr1.md, section 4. */
import { at, big, bool, bytes, dict, list, map, maybe, type Of, orNull, refine, row, text, uint } from "./shape.js";

/** The most of anything that is a u64, and of a time in seconds since 1970. */
const most64 = (1n << 64n) - 1n;
const most63 = (1n << 63n) - 1n;

export const id16 = bytes(16);
export const hash = bytes(32);
export const u32 = uint(0, 0xffff_ffff);
export const u64 = big(most64);
export const time = big(most63);
export const suite = uint(1, 2);
export const vaultID = text(1, 32, /^[a-z0-9][a-z0-9-]{0,31}$/);
export const shortText = text(0, 128);
export const limit = uint(3, 50);
const element = bytes(32, 33);
const signature = bytes(64);

/** The least and the most of what a structure may have. */
export const maxVaults = 16;
export const maxPayload = 65_536;
export const maxBlob = maxPayload + 1_024;
export const maxTBS = 196_608;

/** Op is what a request asks of a vault. */
export const Op = {
  create: 1, activate: 2, finalize: 3, evaluate: 4, release: 5, update: 6, delete: 7, status: 8, seedBackup: 16, seedRestore: 17,
} as const;
export type Op = (typeof Op)[keyof typeof Op];

/** Verdict is what a sealed answer says. */
export const Verdict = {
  ok: 0, wrongPIN: 1, locked: 2, deleted: 3, noBackup: 4, unknownReg: 5, repeat: 6, superseded: 7,
  noOpenTry: 8, badSignature: 9, genMismatch: 10, occupied: 11, hashMismatch: 12, malformed: 13,
} as const;

/** verdictWords is a verdict for people. */
export function verdictWords(verdict: number): string {
  return [
    "ok", "wrong PIN", "locked", "deleted", "no backup", "unknown registration", "repeat", "superseded",
    "no open try", "bad signature", "gen mismatch", "occupied", "hash mismatch", "malformed",
  ][verdict] ?? `verdict ${verdict}`;
}

/** State is what a vault holds of an account; the larger is the worse. */
export const State = { active: 0, locked: 1, deleted: 2 } as const;

/** elementSize is the length of an element, and of a manage key, by suite. */
export function elementSize(s: number): number {
  return s === 1 ? 32 : 33;
}

/** outputSize is the length of the OPRF's output, rwd, by suite. */
export function outputSize(s: number): number {
  return s === 1 ? 64 : 32;
}

/** Argon2 is how a PIN is stretched: m KiB, t passes, p lanes. Nothing outside these bounds is accepted of a stranger. */
export const argon2 = row(null, { m: uint(65_536, 1_048_576), t: uint(3, 10), p: uint(1, 8) });
export type Argon2 = Of<typeof argon2>;

/** defaultArgon2 is how a new PIN is stretched. */
export function defaultArgon2(): Argon2 {
  return { m: 65_536, t: 3, p: 4 };
}

/** Header is what a phone must know before it can ask: the vaults in the order of their points, with K_i. */
export const header = refine(
  map({ 1: 1 }, {
    suite: at(2, suite), reg: at(3, id16), argon2: at(4, argon2), n: at(5, uint(1, maxVaults)), t: at(6, uint(1, maxVaults)),
    vaults: at(7, list(row(null, { vault: vaultID, k: element }), 1, maxVaults)),
  }),
  (h) => {
    switch (true) {
      case h.t > h.n: return "more vaults are needed than there are";
      case h.vaults.length !== h.n: return "another number of vaults than it says";
      case new Set(h.vaults.map((v) => v.vault)).size !== h.n: return "a vault is named twice";
      case h.vaults.some((v) => v.k.length !== elementSize(h.suite)): return "a public share of another suite";
      default: return undefined;
    }
  },
);
export type Header = Of<typeof header>;

/** Blob is what the service keeps for the phone: a header exactly as it was sealed, and a box. */
export const blob = row(null, { header: bytes(1, 1_000), box: bytes(28, maxPayload + 28) });

export const sealingKey = row(null, { kid: bytes(1, 64), secret: bytes(1, 256), created: time });
export type SealingKey = Of<typeof sealingKey>;

/** Payload is what recovery brings back. */
export const payload = map({ 1: 1 }, {
  keys: at(2, list(sealingKey, 0, 512)), manageSeed: at(3, hash), seq: at(4, u64), saved: at(5, time),
  app: maybe(6, dict(bytes(0, maxPayload), 64, 0, 64)), recovery: maybe(7, list(hash, 1, 2)),
});
export type WirePayload = Of<typeof payload>;

/** The requests, in the plaintext of an envelope. */
export const evaluate = row(null, { reg: id16, b: element, wantProof: bool });
export const release = row(null, { reg: id16, b: element, e: element, ya: element, yb: element, tag: hash });
export type Release = Of<typeof release>;
export const status = row(null, {});

/** transcript is what the tag of a release covers. */
export const transcript = row("staunch/kr1/release", {
  vault: vaultID, acct: id16, reg: id16, b: element, e: element, ya: element, yb: element,
});

/** What a manage key signs. */
const target = { vault: vaultID, acct: id16, gen: u32 };
export interface Target { readonly vault: string; readonly acct: Uint8Array<ArrayBuffer>; readonly gen: number }
export const createTBS = refine(
  row("staunch/kr1/create", { ...target, reg: id16, suite, limit, k: hash, s: hash, prs: hash, manage: element, blobHash: hash }),
  (c) => (c.manage.length === elementSize(c.suite) ? undefined : "a manage key of another suite"),
);
export const activateTBS = row("staunch/kr1/activate", { ...target, reg: id16, reset: bool });
export const finalizeTBS = row("staunch/kr1/finalize", { ...target, reg: id16 });
export const updateTBS = row("staunch/kr1/update", { ...target, reg: id16, old: hash, new: hash });
export const deleteTBS = row("staunch/kr1/delete", { ...target });

/** Managed is a request that changes what is registered; without a signature the service adds a voucher. */
export const managed = row(null, { tbs: bytes(1, 1_024), sig: orNull(signature) });
export type Managed = Of<typeof managed>;

const slotView = row(null, { reg: id16, blobHash: hash });
export type SlotView = Of<typeof slotView>;

/** Answer is what a vault tells the phone, sealed. */
export const answer = map({}, {
  verdict: at(1, uint(0, 13)), gen: at(2, u32), ver: at(3, u64), used: at(4, uint(0, 255)), limit: at(5, uint(0, 50)), state: at(6, uint(0, 2)),
  ya: maybe(7, element), e: maybe(8, element), proof: maybe(9, bytes(64)), s: maybe(10, hash), blobHash: maybe(11, hash),
  slots: maybe(12, row(null, { current: orNull(slotView), other: orNull(slotView) })),
});
export type Answer = Of<typeof answer>;

/** The seed profile: PIN and data go to one enclave. */
const seedRestore = row(null, { pin: text(1, 256) });
const seedBackup = row(null, { pin: text(1, 256), data: bytes(0, 4_096) });
export interface SeedRequest { pin: string; data?: Uint8Array<ArrayBuffer> | undefined }
export const seedRequest = {
  read: (v: Parameters<typeof seedRestore.read>[0]): SeedRequest => (Array.isArray(v) && v.length === 2 ? seedBackup.read(v) : seedRestore.read(v)),
  write: (q: SeedRequest) => (q.data === undefined ? seedRestore.write(q) : seedBackup.write({ pin: q.pin, data: q.data })),
};
export const seedAnswer = map({}, {
  verdict: at(1, uint(0, 13)), version: at(2, u64), used: at(3, uint(0, 255)), limit: at(4, uint(0, 50)), state: at(5, uint(0, 2)),
  data: maybe(6, bytes(0, 4_096)),
});
export type SeedAnswer = Of<typeof seedAnswer>;

/** seedPlain is what a seed request and the plaintext of a seed answer are padded to. */
export const seedPlain = 4_608;
