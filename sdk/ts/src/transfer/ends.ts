/**
 * What a phone does about how a move stands. The server's word alone signs nobody out and wipes nothing (spec/transfer.md,
 * "Checks").
 */
import { type View, TransferState } from "../gen/staunch/transfer/v1/transfer_pb.js";
import { checked, failedCheck } from "./errors.js";
import type { Envelope, Sender } from "./handover/index.js";
import { restoreReceiver, restoreSender } from "./halves.js";
import { Journal } from "./journal.js";
import { forgotten } from "./plan.js";
import { isOver } from "./record.js";
import type { Run } from "./run.js";
import { reached } from "./watch.js";

/** settle does what a view asks of this phone. */
export async function settle(run: Run, view: View): Promise<void> {
  const { record } = run;
  if (isOver(record) && (record.wiped || record.state !== "final")) {
    return;
  }
  switch (view.state) {
    case TransferState.ABORTED:
      return wasAborted(run, view.reason);
    case TransferState.RECALLED:
      return run.role === "sender" ? backAgain(run) : givenBack(run);
    default:
  }
  if (run.role === "sender") {
    return settleSender(run, view);
  }
  if (view.state === TransferState.FINAL) {
    record.state = "final";
    record.wiped = true; // there is nothing to wipe
    await run.notes.save(record);
  }
}

async function settleSender(run: Run, view: View): Promise<void> {
  const { record } = run;
  if (!reached(view, TransferState.COMMITTED)) {
    return;
  }
  const half = await restoreSender(run);
  if (!record.left) {
    await leftFor(run, half, run.watch.seen("receipt"), view);
  }
  if (record.ackedAt === undefined && reached(view, TransferState.ACKED)) {
    await ackedBy(run, half, run.watch.seen("ack"));
  }
  if (view.state === TransferState.FINAL && record.ackedAt !== undefined) {
    await final(run, half, record.ackedAt);
  }
}

/** leftFor signs out, if the receipt is the new phone's and for what was granted. */
export async function leftFor(run: Run, half: Sender, receipt: Envelope, view: View): Promise<void> {
  const { record } = run;
  const m = await judged(half.handleReceipt(receipt));
  if (record.result === undefined) {
    throw failedCheck("a receipt for what this phone has not granted");
  }
  record.result.quarantined = m.quarantined;
  await run.save(half);
  run.tell.tell({ event: "committed", account: record.result.account });
  await run.core.dropSession();
  await run.moving.home.lock();
  record.left = true;
  record.state = "committed";
  await run.notes.save(record);
  // The time to recall runs from the acknowledgement on: it is not over before this.
  const until = view.recallUntil === undefined ? run.core.now() + (record.recallWindow ?? 0) : Number(view.recallUntil.seconds) * 1000;
  run.tell.tell({ event: "signed_out", recallUntil: new Date(until) });
}

/**
 * ackedBy takes the new phone's word that it has the keys. Then this phone needs those of the stream no more; its own it
 * keeps until the move is final.
 */
export async function ackedBy(run: Run, half: Sender, ack: Envelope): Promise<void> {
  const { record } = run;
  await judged(half.handleAck(ack));
  await half.erase();
  record.ackedAt = run.core.now();
  record.closed = true;
  record.state = "acked";
  if (record.result !== undefined) {
    record.result.recallUntil = new Date(record.ackedAt + (record.recallWindow ?? 0));
  }
  await run.save(half, await leftovers(run));
}

/**
 * final wipes, if either phone has signed that the window to recall is over, or it is by this phone's own clock. That counts
 * from when this phone heard of the acknowledgement, which may be long after the server did: until then it is locked.
 */
async function final(run: Run, half: Sender, ackedAt: number): Promise<void> {
  const { record } = run;
  const over = run.core.now() >= ackedAt + (record.recallWindow ?? 0);
  if (run.watch.has("final")) {
    try {
      await judged(half.handleFinal(run.watch.seen("final")));
    } catch (error) {
      if (!over) {
        throw error;
      }
    }
  } else if (!over) {
    return;
  }
  await run.moving.home.wipe();
  record.state = "final";
  record.wiped = true;
  delete record.half;
  await run.core.forget(run.notes.named({ move: record }));
}

/** backAgain unlocks: the account is this phone's again. */
export async function backAgain(run: Run): Promise<void> {
  await run.moving.home.unlock();
  const { record } = run;
  record.state = "recalled";
  record.left = false;
  record.closed = true;
  delete record.half;
  await run.notes.save(record, await leftovers(run));
}

/** mostRecall is for how long, in ms, a recall can wipe the new phone once it has the keys, whatever a server says of its window, and if it never answers. */
export const mostRecall = 30 * 24 * 3600 * 1000;
const recallSlack = 60_000; // ms: for clocks, and for a recall on its way

/** recallTime is for how long from now on a recall can wipe the new phone, in ms. */
export function recallTime(view: View | undefined): number {
  const { at, recallUntil } = view ?? {};
  if (at === undefined || recallUntil === undefined) {
    return mostRecall;
  }
  return Math.min(Math.max(Number(recallUntil.seconds - at.seconds) * 1000, 0), mostRecall);
}

/**
 * recallWithin lets a recall wipe this phone for so many ms from now on. It is set when the keys are taken, and only ever
 * shortened: a server that drops the answers to the acknowledgement would else keep the end from coming.
 */
export function recallWithin({ core, record }: Run, ms: number): void {
  record.recallBy = Math.min(record.recallBy ?? Infinity, core.now() + ms);
}

/**
 * late reports whether the old phone can no longer take the account back, by this phone's own clock. That phone may have
 * become anybody's since, and a server that keeps back that the move is final could let it speak. Keys without an end are
 * those of a move from before one was kept.
 */
function late({ core, record }: Run): boolean {
  return record.recallBy === undefined ? record.placed === true : core.now() > record.recallBy + recallSlack;
}

/**
 * givenBack gives up the account: with the old phone's signature all of it is wiped; without, after another device has
 * removed this one, and when the time for a recall is over, it is locked and no more.
 */
export async function givenBack(run: Run): Promise<void> {
  const { record } = run;
  let signed = false;
  if (run.watch.has("recall")) {
    try {
      await (await restoreReceiver(run)).handleRecall(run.watch.seen("recall"));
      signed = !late(run);
    } catch {
      signed = false; // it is the server's word alone
    }
  }
  await run.core.dropSession();
  await (signed ? run.moving.home.wipe() : run.moving.home.lock());
  record.state = "recalled";
  record.wiped = signed;
  record.closed = true;
  delete record.half;
  const last = run.notes.named({ ...(await leftovers(run)), move: record });
  await (signed ? run.core.forget(last) : run.core.store.write(last));
}

/** wasAborted forgets the keys of a move that has come to nothing, and what has arrived of it. */
export async function wasAborted(run: Run, why: string): Promise<void> {
  const { record } = run;
  if (record.left || record.placed) { // only a move that was committed gets so far
    throw failedCheck("the server says that the move was aborted, and the other phone has signed for it");
  }
  record.state = "aborted";
  record.reason = why;
  delete record.half;
  delete record.uri;
  delete record.passkey;
  await run.notes.save(record, await leftovers(run));
}

/** leftovers are the changes that delete what hangs on a move that is over: journal and plan, or the checkpoint. */
export async function leftovers(run: Run): Promise<Record<string, undefined>> {
  const { notes, record } = run;
  if (run.role === "sender") {
    const journal = await Journal.open(notes);
    return { ...journal.forgotten(), ...(record.plan === undefined ? {} : forgotten(record.plan)) };
  }
  return { checkpoint: undefined };
}

/** judged is what the half makes of a message; an error of it is a failed check. */
export async function judged<T>(message: Promise<T>): Promise<T> {
  try {
    return await message;
  } catch (cause) {
    throw checked(cause);
  }
}
