/** Bringing an account back on a phone that is new: the wait, the ticket, the new passkey. */
import { timestampDate } from "@bufbuild/protobuf/wkt";

import { type Bytes, copy } from "../bytes.js";
import type { StartRecoveryResponse } from "../gen/staunch/account/v1/account_pb.js";
import type { Core } from "../phone/core.js";
import { enrolled, type Enrolled, type Enrolment, newPhone, resume } from "../phone/enrol.js";
import { reasonOf, StaunchError } from "../phone/errors.js";
import { firstPause, mostPause, uncertain, wait } from "../phone/tries.js";
import { RecoveryError } from "./errors.js";

/** Recovering is how the recovery of an account on this phone stands. */
export interface Recovering {
  /** The action that waits; whoever vetoes it names it. */
  readonly pending: string;
  /** The wait is over then. */
  readonly opensAt: Date;
  /** Now, by the server's clock. */
  readonly at: Date;
  /** The wait is over: the PIN can be given. */
  readonly open: boolean;
  /** The PIN can be given until then; undefined: not yet. */
  readonly until: Date | undefined;
  /** The PIN was right: finish can be called. */
  readonly proved: boolean;
}

/**
 * start begins to bring an account back on this phone, or asks how that stands: it is the
 * same call, made again after the wait. All devices of the account are told, and any of
 * them can cancel it.
 */
export async function start(core: Core, account: string, e: Enrolment): Promise<Recovering> {
  const { state } = core;
  if (state.account !== "" && state.began === undefined) {
    throw new StaunchError("ENROLLED", "recovery: this phone has an account");
  }
  if (state.began !== undefined && (state.began.flow !== "recover" || state.began.account !== account)) {
    throw new StaunchError("UNFINISHED", `recovery: this phone has begun something else (${state.began.flow}). Finish that, or give its store up`);
  }
  if (state.began !== undefined && core.key !== undefined) {
    try {
      return shown(await standing(core, account));
    } catch (err) {
      if (reasonOf(err) !== "PENDING_NOT_FOUND" && reasonOf(err) !== "PROOF_INVALID") {
        throw err;
      } // else the server has never heard of it
    }
  }
  const b = await core.calls.accounts.beginDevice({}, { unsigned: true });
  const phone = await newPhone(core, e, b.app, b.challenge);
  await core.change({ began: { flow: "recover", account } });
  try {
    return shown(await core.calls.accounts.startRecovery({ account, phone }));
  } catch (err) {
    if (uncertain(err)) {
      return shown(await standing(core, account));
    }
    await core.change({ began: undefined });
    throw err;
  }
}

/** standing asks how the recovery of this phone's key stands. To ask changes nothing: it is asked again while no answer comes. */
async function standing(core: Core, account: string): Promise<StartRecoveryResponse> {
  const end = core.now() + core.patience;
  for (let pause = firstPause; ; pause = Math.min(2 * pause, mostPause)) {
    try {
      return await core.calls.accounts.startRecovery({ account });
    } catch (err) {
      if (reasonOf(err) === "TOO_LATE") {
        await core.change({ began: undefined });
        throw new RecoveryError("OVER", "recovery: it is over: it was cancelled on another device, or not gone on with in time. Start a new one when the server lets you", { cause: err });
      }
      if (reasonOf(err) !== "UNREACHABLE" || core.now() >= end) {
        throw err;
      }
    }
    await wait(pause);
  }
}

/** ticketOf is the ticket of a recovery whose wait is over. It throws TOO_EARLY, with opensAt, before. */
export async function ticketOf(core: Core, account: string): Promise<Bytes> {
  const m = await standing(core, account);
  if (m.ticket.length === 0) {
    throw new RecoveryError("TOO_EARLY", "recovery: the wait is not over", { details: { opens_at: shown(m).opensAt.toISOString() } });
  }
  return copy(m.ticket);
}

/**
 * finish makes the new passkey, and the phone the account's. The account cools off: until
 * that is over the phone can do little, and a device that was there before can take the
 * account back.
 */
export async function finish(core: Core, e: Enrolment): Promise<Enrolled> {
  const account = core.state.began?.flow === "recover" ? core.state.began.account : undefined;
  if (account === undefined) {
    throw new StaunchError("NOT_ENROLLED", "recovery: this phone recovers no account: start first");
  }
  const end = core.now() + core.patience;
  for (let pause = firstPause; ; pause = Math.min(2 * pause, mostPause)) {
    const m = await standing(core, account);
    if (m.finished) {
      return finished(core);
    }
    try {
      return await finishOnce(core, account, m, e);
    } catch (err) {
      if (!uncertain(err) || core.now() >= end) {
        throw err;
      }
    }
    await wait(pause);
  }
}

/** finished is for a recovery whose last answer got lost. */
async function finished(core: Core): Promise<Enrolled> {
  const out = await resume(core);
  if (out === undefined) {
    throw new RecoveryError("OVER", "recovery: it is over: the server has finished it, and knows this phone no more");
  }
  await core.change({ began: undefined });
  return out;
}

async function finishOnce(core: Core, account: string, m: StartRecoveryResponse, e: Enrolment): Promise<Enrolled> {
  if (m.ceremony === "") {
    throw new StaunchError("UNFINISHED", "recovery: the PIN was not proved yet: recover first");
  }
  const response = await core.create(m.options);
  const { signed } = await core.calls.accounts.finishRecovery({ pending: m.pending, ceremony: m.ceremony, response });
  if (signed?.account !== account) {
    throw new StaunchError("MISMATCH", `recovery: ${account} was to be recovered, and it is ${JSON.stringify(signed?.account)}`);
  }
  await core.keepSession(signed, { began: undefined });
  return enrolled(core, signed, e.name);
}

function shown(m: StartRecoveryResponse): Recovering {
  const dateOf = (t: StartRecoveryResponse["opensAt"]): Date => (t === undefined ? new Date(0) : timestampDate(t));
  return {
    pending: m.pending, opensAt: dateOf(m.opensAt), at: dateOf(m.serverTime), open: m.ticket.length > 0,
    until: m.until === undefined ? undefined : timestampDate(m.until), proved: m.ceremony !== "" || m.finished,
  };
}
