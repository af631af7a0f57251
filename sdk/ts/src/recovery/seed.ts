/** Profile seed: one enclave, which learns the PIN and keeps the payload. */
import { copy, hex } from "../bytes.js";
import { MalformedError } from "../cbor.js";
import { StaunchError } from "../phone/errors.js";
import { RecoveryError, tooFew, wrongPin } from "./errors.js";
import type { Attempt, Backup, Making, Registration } from "./journal.js";
import { opened, type Payload, sealedForm } from "./payload.js";
import type { Pin } from "./pin.js";
import type { Recovered } from "./recover.js";
import { type Round, seedOutcome, surprise } from "./round.js";
import { approved, hold } from "./registration.js";
import { remember } from "./reminder.js";
import { decode, encode } from "./shape.js";
import { type SessionView, Stage } from "./transport.js";
import { defaultArgon2, elementSize, Op, payload, type SeedAnswer, type SeedRequest, State, verdictWords, Verdict } from "./wire.js";

/** ask sends one request; an error that says that no answer came is UNAVAILABLE. */
async function ask(r: Round, b: Backup, op: Op, q: SeedRequest): Promise<SeedAnswer> {
  try {
    return await r.callSeed(op, q);
  } catch (err) {
    throw err instanceof StaunchError ? tooFew(seedOutcome(r, b, 0), 1, new Map([[r.enclave, err]])) : err;
  }
}

/** registerSeed gives PIN and payload to the enclave: the first, or in the place of what it had. Repeated, it does the same again. */
export async function registerSeed(r: Round, b: Backup, pin: Pin, p: Payload): Promise<void> {
  const { c } = r;
  if (b.pending === null) {
    b.pending = seedRegistration(r, crypto.getRandomValues(new Uint8Array(16)), nothingMade());
    if (b.current !== null) {
      b.pending.seq = b.current.seq + 1n;
    }
  }
  await remember(c, b, b.pending.header.reg, pin); // the enclave takes the one that comes last
  await c.journal.saveBackup(b);
  const reg = b.pending;
  await approved(c, b, reg);
  const data = encode(payload, sealedForm(p, reg.manage, reg.seq, c.now()));
  const answer = await ask(r, b, Op.seedBackup, { pin: pin.reveal(), data });
  data.fill(0);
  if (answer.verdict !== Verdict.ok) {
    throw surprise(`the enclave answers a backup with ${JSON.stringify(verdictWords(answer.verdict))}`);
  }
  b.limit = answer.limit;
  b.remaining = answer.limit - Math.min(answer.used, answer.limit);
  for (const stage of [Stage.ACTIVATED, Stage.FINALIZED]) {
    await c.transport.commitBackup(reg.header.reg, stage);
  }
  reg.making = null;
  hold(reg, r.enclave);
  [b.current, b.pending, b.renew] = [reg, null, false];
  await c.journal.saveBackup(b);
}

/** seedRegistration is a registration of which the phone keeps no key: its header is never sent. */
function seedRegistration(r: Round, reg: Uint8Array<ArrayBuffer>, making: Making | null): Registration {
  const { suite } = r.vaults.set;
  return {
    header: { suite, reg, argon2: defaultArgon2(), n: 1, t: 1, vaults: [{ vault: r.enclave, k: new Uint8Array(elementSize(suite)) }] },
    key: new Uint8Array(32), manage: new Uint8Array(32), blobHash: new Uint8Array(32), seq: 1n, have: [], recovered: making === null, making,
  };
}

function nothingMade(): Making {
  return { parts: [], blob: new Uint8Array(), pin: new Uint8Array(32), first: false, approved: false, put: false, active: false, lost: false };
}

/** recoverSeed gives the PIN to the enclave. It has no attempts to resume: each call counts. */
export async function recoverSeed(r: Round, session: SessionView, pin: Pin, a: Attempt): Promise<Recovered & { readonly backup: Backup }> {
  const { c } = r;
  await c.journal.saveAttempt(a);
  const reg = seedRegistration(r, session.reg, null);
  const b: Backup = {
    account: session.account, profile: "seed", known: r.vaults.known, current: reg, pending: null, blob: null, deleted: false, limit: 0, remaining: 0,
    assurance: r.vaults.assurance(), operators: Math.min(r.vaults.operators, 255), accts: new Map(), renew: false,
  };
  const answer = await ask(r, b, Op.seedRestore, { pin: pin.reveal() });
  const limit = answer.limit > 0 ? answer.limit : r.vaults.set.limit;
  const outcome = { ...seedOutcome(r, b, 1), limit, remaining: answer.state === State.active ? Math.max(0, limit - answer.used) : 0 };
  switch (answer.verdict) {
    case Verdict.ok:
      break;
    case Verdict.wrongPIN: case Verdict.locked:
      throw wrongPin(outcome);
    case Verdict.noBackup: case Verdict.deleted:
      throw new RecoveryError("NOT_FOUND", "recovery: no such backup: the enclave knows none");
    default:
      throw surprise(`the enclave answers a restore with ${JSON.stringify(verdictWords(answer.verdict))}`);
  }
  let p;
  try {
    p = decode(payload, answer.data ?? new Uint8Array());
  } catch (cause) {
    if (!(cause instanceof MalformedError)) {
      throw cause;
    }
    throw new RecoveryError("SHARES", "recovery: the PIN is right, and what the enclave gives is no payload", { cause, outcome });
  }
  await c.transport.finishSession(session.secret);
  [reg.seq, b.limit, b.remaining] = [p.seq, outcome.limit, outcome.remaining];
  hold(reg, r.enclave);
  return { outcome, payload: opened(p), backup: b };
}

/** removeSeed puts an empty payload in the place of the one that is to go, under a PIN that nobody has seen: the enclave has no other way to forget. */
export async function removeSeed(r: Round, b: Backup): Promise<void> {
  const nobodys = hex(crypto.getRandomValues(new Uint8Array(32)));
  const answer = await ask(r, b, Op.seedBackup, { pin: nobodys, data: copy(new Uint8Array()) });
  if (answer.verdict !== Verdict.ok) {
    throw surprise(`the enclave answers a deletion with ${JSON.stringify(verdictWords(answer.verdict))}`);
  }
}
