/** A move after its loop, or beside it: how it stands, cancelling, taking back, ending the time for that. */
import { TransferState, type View } from "../gen/staunch/transfer/v1/transfer_pb.js";
import { reasonOf, StaunchError } from "../phone/errors.js";
import type { Phone } from "../phone/index.js";
import { settle } from "./ends.js";
import { isFault, MoveError } from "./errors.js";
import { restoreReceiver, restoreSender } from "./halves.js";
import { encodeEnvelope, type Receiver, type Sender, type Step } from "./handover/index.js";
import { isOver, type MoveRecord, Notes, type StepUp } from "./record.js";
import { Run, unsigned } from "./run.js";
import type { Moving, MoveStanding } from "./types.js";
import { stateOf } from "./watch.js";

/** Show shows the text that the person approves. */
export type Show = (text: string) => void | Promise<void>;

/**
 * moveStatus asks how the move of this phone stands, and does what is due: it signs out, unlocks or wipes, if the other
 * phone, or this one's own clock, says so. Call it when the app starts. With beside, a loop of this phone is running
 * elsewhere in the app: then nothing is done and nothing written.
 */
export async function moveStatus(phone: Phone, m: Moving & { readonly beside?: boolean }): Promise<MoveStanding> {
  const run = await lastMove(phone, m);
  if (run === undefined) {
    return none(phone);
  }
  let view: View;
  try {
    view = await run.ask();
  } catch (error) {
    if (reasonOf(error) === "UNREACHABLE") {
      return standing(run, undefined);
    }
    throw error;
  }
  if (!m.beside) {
    await settle(run, view);
  }
  return standing(run, view);
}

/** cancelMove ends a move that is not committed, for both phones. */
export async function cancelMove(phone: Phone, m: Moving & { readonly beside?: boolean }): Promise<MoveStanding> {
  const run = await lastMove(phone, m);
  if (run === undefined) {
    throw noMove();
  }
  const { record } = run;
  if (record.state !== "aborted") {
    try {
      await phone.core.calls.transfers.cancel({ transfer: record.transfer, token: record.token, reason: "user_cancelled" }, unsigned(run.signal));
    } catch (error) {
      if (reasonOf(error) === "TRANSFER_WRONG_STATE") {
        throw new MoveError("too_late", "the account has moved; the old phone can take it back, while there is time: recallMove", { cause: error });
      }
      if (reasonOf(error) !== "TRANSFER_ENDED") {
        throw error;
      }
    }
  }
  return moveStatus(phone, m);
}

/** recallMove takes the account back to this phone, the old one: the new one's device, and what it has added, are gone then. */
export async function recallMove(phone: Phone, m: Moving, why: string, show: Show): Promise<MoveStanding> {
  const { run, view } = await settled(phone, m);
  const { record } = run;
  if (run.role !== "sender") {
    throw new MoveError("no_move", "recall it on the old phone");
  }
  if (record.state === "recalled") {
    return standing(run, view);
  }
  if (isOver(record)) {
    throw new MoveError("too_late", `it is too late to take the account back: the move is ${record.state ?? ""}`);
  }
  if (!record.left) {
    throw new MoveError("too_early", `the account is still this phone's, the move is ${stateOf(view)}: cancel it`);
  }
  const half = await restoreSender(run);
  const up = await stepUp(run, half, "move.recall", "recall", show);
  const envelope = encodeEnvelope(await half.recall(why, up));
  await run.save(half);
  return finished(run, run.core.calls.transfers.recall({ transfer: record.transfer, token: record.token, envelope }, unsigned(run.signal)));
}

/**
 * finalizeMove ends the time in which the move can be recalled: on the old phone, which is wiped then; on the new one only if
 * the two were near each other, which browsers never are.
 */
export async function finalizeMove(phone: Phone, m: Moving, show: Show): Promise<MoveStanding> {
  const { run, view } = await settled(phone, m);
  const { record } = run;
  if (record.state === "final") {
    return standing(run, view);
  }
  if (isOver(record)) {
    throw new MoveError("too_late", `the move is ${record.state ?? ""}`);
  }
  if (!record.closed) {
    throw new MoveError("too_early", "the new phone has not opened the keys yet: wait until it has");
  }
  if (run.role === "receiver" && record.class !== "near") {
    throw new MoveError("too_early", "the phones were not beside each other, so only the old one can do it, or time does");
  }
  const half = run.role === "sender" ? await restoreSender(run) : await restoreReceiver(run);
  const up = await stepUp(run, half, "move.finish", "final", show);
  const envelope = encodeEnvelope(await half.final(up));
  await run.save(half);
  return finished(run, run.core.calls.transfers.finalize({ transfer: record.transfer, token: record.token, envelope }, unsigned(run.signal)));
}

async function stepUp(run: Run, half: Sender | Receiver, action: "move.recall" | "move.finish", step: Step, show: Show): Promise<StepUp> {
  try {
    return await run.stepUp(action, await half.before(step), show);
  } catch (error) {
    throw when(error);
  }
}

/** finished does what the answer to the last word asks of this phone. */
async function finished(run: Run, call: Promise<{ view?: View | undefined }>): Promise<MoveStanding> {
  let view: View | undefined;
  try {
    ({ view } = await call);
  } catch (error) {
    throw when(error);
  }
  run.watch.take(view);
  view = run.watch.view as View;
  await settle(run, view);
  return standing(run, view);
}

/** when says of a refusal that it is too early or too late. */
function when(error: unknown): unknown {
  if (isFault(error, "ended")) {
    return new MoveError("too_late", `it is too late for this: ${error.message}`, { cause: error });
  }
  if (!(error instanceof StaunchError)) {
    return error;
  }
  const late = error.reason === "TRANSFER_ENDED" || (error.reason === "TRANSFER_WRONG_STATE" && ["committed", "acked", "final"].includes(error.state));
  if (late) {
    return new MoveError("too_late", `it is too late for this: the move is ${error.state}`, { cause: error });
  }
  return ["TRANSFER_TOO_EARLY", "TRANSFER_WRONG_STATE"].includes(error.reason)
    ? new MoveError("too_early", `it is too early for this: the move is ${error.state || "not so far"}`, { cause: error }) : error;
}

/** settled is the last move, with what is due done. */
async function settled(phone: Phone, m: Moving): Promise<{ run: Run; view: View }> {
  const run = await lastMove(phone, m);
  if (run === undefined) {
    throw noMove();
  }
  const view = await run.ask();
  await settle(run, view);
  return { run, view };
}

function noMove(): MoveError {
  return new MoveError("no_move", "no move on this phone");
}

/** lastMove is the one that this phone sends, or sent; else the one that it takes, or took. */
async function lastMove(phone: Phone, m: Moving): Promise<Run | undefined> {
  const sent = await new Notes(phone.core.store, "sender").load();
  const got = await new Notes(phone.core.store, "receiver").load();
  const ofSender = sent !== undefined && (sent.state !== "aborted" || got === undefined || isOver(got));
  const record = ofSender ? sent : got;
  if (record === undefined) {
    return undefined;
  }
  const run = new Run(phone.core, m, ofSender ? "sender" : "receiver");
  run.record = record;
  run.tell.transfer = record.transfer;
  return run;
}

function none(phone: Phone): MoveStanding {
  return {
    role: "none", transfer: "", state: "", reason: "", class: "", account: phone.state.account, device: phone.state.device, objects: 0, bytes: 0,
    done: 0, total: 0, quarantined: 0, reachable: true,
  };
}

function standing(run: Run, view: View | undefined): MoveStanding {
  const f: MoveRecord = run.record;
  const { state } = run.core;
  const { result, plan } = f;
  const total = plan?.bytes ?? f.total;
  const now = view !== undefined && !isOver(f) && !f.left ? { state: stateOf(view), reason: view.reason } : { state: f.state ?? "", reason: f.reason ?? "" };
  const done = Math.max(f.done, Number(view?.bytesAcked ?? 0n));
  const until = view?.recallUntil === undefined ? result?.recallUntil : new Date(Number(view.recallUntil.seconds) * 1000);
  const held = view?.state === TransferState.HELD && view.opensAt !== undefined ? new Date(Number(view.opensAt.seconds) * 1000) : undefined;
  return {
    role: run.role, transfer: f.transfer, ...now, class: f.class ?? "", account: state.account || (result?.account ?? ""),
    device: state.device || (result?.device ?? ""), objects: result?.objects ?? plan?.objects ?? 0, bytes: result?.bytes ?? plan?.content ?? 0,
    done: total > 0 ? Math.min(done, total) : done, total, quarantined: result?.quarantined ?? 0, reachable: view !== undefined,
    ...(result === undefined ? {} : { sealingKeySha256: result.sealingKeySha256 }), ...(held === undefined ? {} : { heldUntil: held }),
    ...(until === undefined ? {} : { recallUntil: until }),
  };
}
