/** What the vaults hold, and the steps that bring them from there to where they shall be. */
import { type Bytes, equal } from "../bytes.js";
import { RecoveryError, tooFew, vaultAway } from "./errors.js";
import type { Backup, Registration } from "./journal.js";
import { hold, vaultsOf } from "./registration.js";
import { limitOf, remaining, type Request, request, type Round, surprise } from "./round.js";
import { encode, type Shape } from "./shape.js";
import { type Answer, managed, Op, type SlotView, State, status, type Target, verdictWords, Verdict } from "./wire.js";
import type { ManageKey } from "./derive.js";

/** View is what a vault holds, as its last answers said. */
export interface View {
  readonly id: string;
  readonly acct: Bytes;
  gen: number;
  state: number;
  none: boolean; // there is no record at all
  current: SlotView | null;
  other: SlotView | null;
  answer: Answer;
}

export type Views = Map<string, View>;
export type Errors = Map<string, unknown>;

/** viewsOf asks each vault what it holds: free, and of a signed-in device. */
export async function viewsOf(r: Round, ids: readonly string[]): Promise<{ views: Views; errs: Errors }> {
  const views: Views = new Map();
  const errs: Errors = new Map();
  const q = request(Op.status, status, {});
  for (const [id, { answer, err }] of await r.ask(new Map(ids.map((each) => [each, q])))) {
    if (err !== undefined) {
      errs.set(id, err);
    } else if (answer.verdict !== Verdict.ok && answer.verdict !== Verdict.noBackup) {
      errs.set(id, vaultAway(`it answers a status with ${JSON.stringify(verdictWords(answer.verdict))}`));
    } else {
      const none = answer.verdict === Verdict.noBackup;
      const slots = none ? undefined : answer.slots;
      views.set(id, {
        id, acct: r.accts.get(id) ?? new Uint8Array(16), gen: answer.gen, state: answer.state, none, answer,
        current: slots?.current ?? null, other: slots?.other ?? null,
      });
    }
  }
  return { views, errs };
}

/** holds reports whether a slot is of a registration. */
export function holds(slot: SlotView | null, reg: Bytes): boolean {
  return slot !== null && equal(slot.reg, reg);
}

/** empty reports whether a vault has no registration that an attempt could use. */
export function empty(v: View): boolean {
  return v.none || v.state !== State.active;
}

/** targetOf is what every request that changes something names first. */
export function targetOf(v: View): Target {
  return { vault: v.id, acct: v.acct, gen: v.gen };
}

/** follow notes what a vault holds after a request that it has accepted. */
function follow(v: View, op: Op, reg: Bytes, blobHash: Bytes, a: Answer): void {
  [v.gen, v.state, v.answer] = [a.gen, a.state, a];
  switch (op) {
    case Op.create:
      if (v.none || v.current === null) {
        [v.current, v.other] = [{ reg, blobHash }, null];
      } else {
        v.other = { reg, blobHash };
      }
      v.none = false;
      break;
    case Op.activate:
      if (holds(v.other, reg)) {
        [v.current, v.other] = [v.other, v.current];
      }
      break;
    case Op.finalize:
      v.other = null;
      break;
    case Op.update:
      for (const slot of [v.current, v.other]) {
        if (slot !== null && holds(slot, reg)) {
          slot.blobHash = blobHash;
        }
      }
  }
}

/** Planned is a request, what it is about, and the blob that the vault will name afterwards. */
interface Planned { readonly q: Request; readonly reg: Bytes; readonly blobHash: Bytes }

/** Step is what is to be done next. */
export interface Step {
  readonly requests: Map<string, Planned>;
  /** Instead of requests: tell the service. */
  commit?: () => Promise<void>;
  /** The journal notes the requests, and must be saved before they leave. */
  keep: boolean;
}

/** noStep is nothing to do. */
export function noStep(): Step {
  return { requests: new Map(), keep: false };
}

/** managedRequest signs a request that changes what is registered; without a key the service adds a voucher. */
export function managedRequest<T>(op: Op, key: ManageKey | null, shape: Shape<T>, tbs: T): Request {
  const bytes = encode(shape, tbs);
  return request(op, managed, { tbs: bytes, sig: key === null ? null : key.sign(bytes) });
}

/** maxSteps bounds drive: drop, create, activate, commit and finalize, with some room for requests that come from elsewhere. */
const maxSteps = 16;

/**
 * drive looks at what the vaults hold, does at each the one thing that plan says is next,
 * and goes on until nothing is. A vault that fails is left out of the rest; errs says why.
 */
export async function drive(r: Round, b: Backup, reg: Registration, plan: (views: Views) => Step): Promise<{ views: Views; errs: Errors }> {
  let { views, errs } = await viewsOf(r, vaultsOf(reg));
  for (let i = 0; i < maxSteps; i++) {
    note(b, reg, views);
    const step = plan(views);
    if (step.commit !== undefined) {
      await step.commit();
      continue;
    }
    if (step.requests.size === 0) {
      await r.c.journal.saveBackup(b);
      return { views, errs };
    }
    if (step.keep) {
      await r.c.journal.saveBackup(b);
    }
    if (await take(r, step, views, errs)) {
      const fresh = await viewsOf(r, [...views.keys()]);
      views = fresh.views;
      errs = new Map([...errs, ...fresh.errs]);
    }
  }
  for (const id of views.keys()) {
    errs.set(id, new RecoveryError("BUSY", "recovery: what it holds keeps changing: is another device registering? Try again"));
  }
  return { views: new Map(), errs };
}

/** take sends a step's requests. It reports whether a vault is not as we thought. */
async function take(r: Round, step: Step, views: Views, errs: Errors): Promise<boolean> {
  let changed = false;
  for (const [id, { answer, err }] of await r.ask(new Map([...step.requests].map(([each, { q }]) => [each, q])))) {
    const planned = step.requests.get(id);
    const v = views.get(id);
    if (err !== undefined || planned === undefined || v === undefined) {
      errs.set(id, err);
      views.delete(id);
      continue;
    }
    switch (answer.verdict) {
      case Verdict.ok: case Verdict.deleted:
        follow(v, planned.q.op, planned.reg, planned.blobHash, answer);
        break;
      case Verdict.badSignature:
        throw otherDevice(id);
      case Verdict.malformed:
        throw surprise(`vault ${id} does not understand request ${planned.q.op}`);
      default: // gen mismatch, occupied, unknown, locked
        changed = true;
    }
  }
  return changed;
}

/** otherDevice is a registration that another device has made since. */
export function otherDevice(id: string): RecoveryError {
  return new RecoveryError("OTHER_DEVICE", `recovery: another device has registered since: take its backup over, or remove the registration first (vault ${id})`);
}

/** note keeps what the vaults say for info. */
function note(b: Backup, reg: Registration, views: Views): void {
  for (const [id, v] of views) {
    if (!empty(v) && (holds(v.current, reg.header.reg) || holds(v.other, reg.header.reg))) {
      hold(reg, id);
    }
  }
  const answers = [...views.values()].map((v) => v.answer);
  const left = remaining(answers, reg.header.t);
  if (left !== undefined) {
    [b.remaining, b.limit] = [Math.min(left, 50), limitOf(answers, b.limit)];
  }
}

/** missing says that some vaults are. */
export function missing(b: Backup, errs: Errors, answered: number, needed: number): Error {
  const reg = b.pending ?? b.current;
  return tooFew({
    account: b.account, reg: reg?.header.reg ?? new Uint8Array(16), limit: b.limit, remaining: b.remaining, vaults: reg?.header.n ?? needed,
    threshold: reg?.header.t ?? needed, answered, liars: [], assurance: b.assurance, operators: b.operators,
  }, needed, errs);
}
