/** The new phone from the last segment to the account: receipt, keys, history, acknowledgement. */
import { type Bytes, copy, equal } from "../bytes.js";
import { TransferState, type View } from "../gen/staunch/transfer/v1/transfer_pb.js";
import type { Signed } from "../gen/staunch/account/v1/nouns_pb.js";
import { signIn } from "../phone/session.js";
import { sha256 } from "./derive.js";
import { mostRecall, recallTime, recallWithin } from "./ends.js";
import { checked, failedCheck, MoveError } from "./errors.js";
import { encodeEnvelope, type Receiver, Secret, type Secrets } from "./handover/index.js";
import type { Importer } from "./history.js";
import type { Result } from "./record.js";
import type { Run } from "./run.js";
import { restarted, take, type Taken } from "./take.js";
import type { Moved } from "./types.js";
import { reached } from "./watch.js";

/** commit signs for what has arrived, if it is what was granted. With that the account is this phone's, in one transaction at the server. */
export async function commit(run: Run, importer: Importer, half: Receiver): Promise<void> {
  const { record } = run;
  if (!half.has("receipt")) {
    await receipt(run, importer, half);
  }
  const result = record.result as Result;
  if (result.account !== "" && reached(run.watch.view, TransferState.COMMITTED)) {
    return;
  }
  run.tell.phase("commit");
  const envelope = encodeEnvelope(await half.receipt(record.receipt as NonNullable<typeof record.receipt>));
  const { signed } = await run.plain((how) => run.core.calls.transfers.commit({ transfer: record.transfer, token: record.token, envelope }, how));
  if (signed === undefined || signed.account !== record.account) { // what the old phone has signed names one
    throw failedCheck(`the server gives this phone the account ${JSON.stringify(signed?.account ?? "")}, and the old phone has granted ${record.account ?? ""}`);
  }
  result.account = signed.account;
  result.device = signed.device;
  record.state = "committed";
  await run.notes.save(record);
  run.tell.tell({ event: "committed", account: result.account });
  await session(run, signed);
}

/** receipt compares what has arrived with the grant. */
async function receipt(run: Run, importer: Importer, half: Receiver): Promise<void> {
  const { record } = run;
  let taken: Taken = await take(run, importer, half);
  for (;;) { // until the grant is there, the old phone may begin anew
    run.tell.phase("check");
    const view = await run.watch.until(run.signal, (v) => run.watch.has("grant") || v.revision !== taken.stream.revision);
    if (view.revision === taken.stream.revision) {
      break;
    }
    restarted(run);
    taken = await take(run, importer, half);
  }
  const e = await run.watch.envelope(run.signal, "grant");
  const { stream, reader } = taken;
  const got = { root: stream.root(), bytes: stream.bytes, objects: reader.objects, quarantined: importer.quarantined() };
  let sealingKeySha256: Bytes;
  let cursor: Bytes | undefined;
  try {
    const g = await half.handleGrant(e);
    if (g.revision !== stream.revision) {
      throw failedCheck(`revision ${g.revision} was granted, and revision ${stream.revision} has come`);
    }
    await half.receipt(got);
    sealingKeySha256 = g.sealingKeyHash;
    cursor = g.cursor;
  } catch (cause) {
    return run.cancel("integrity", checked(cause));
  }
  run.tell.tell({ event: "sealed", root: got.root, bytes: reader.totals.bytes, objects: reader.totals.objects });
  record.receipt = got;
  record.result = {
    role: "receiver", transfer: record.transfer, account: "", device: "", objects: reader.totals.objects, bytes: reader.totals.bytes,
    quarantined: got.quarantined, sealingKeySha256, ...(cursor === undefined || cursor.length === 0 ? {} : { mailboxCursor: cursor }),
  };
  await run.save(half);
}

/** session keeps the session that came with the account; once more it comes without. */
async function session(run: Run, signed: Signed | undefined): Promise<void> {
  const { core } = run;
  if (core.state.began === undefined) {
    return;
  }
  if (signed !== undefined && signed.token !== "") {
    return core.keepSession(signed, { began: undefined });
  }
  const { account } = run.record; // which the old phone has signed: no server signs this one in to another
  await core.change({ began: { flow: "move", ...(account === undefined ? {} : { account }) } });
  await signIn(core);
  await core.change({ began: undefined });
}

/**
 * open opens the keys and stores them, puts the history in place, and says so. If the keys cannot be opened nothing is said,
 * and the old phone can take the account back.
 */
export async function open(run: Run, importer: Importer, half: Receiver): Promise<Moved> {
  const { record } = run;
  await session(run, undefined);
  run.tell.phase("open");
  const view = await run.watch.until(run.signal, (v) => reached(v, TransferState.COMMITTED) && (v.commitShare.length > 0 || record.placed === true));
  if (!record.placed) {
    await keys(run, half, view);
    await importer.place();
    record.placed = true;
    await run.notes.save(record);
  }
  const envelope = encodeEnvelope(await half.ack(record.sealing as Bytes));
  await run.save(half);
  const res = await run.plain((how) => run.core.calls.transfers.acknowledge({ transfer: record.transfer, token: record.token, envelope }, how));
  const result = record.result as Result;
  if (res.view?.recallUntil !== undefined) {
    result.recallUntil = new Date(Number(res.view.recallUntil.seconds) * 1000);
  }
  await half.erase();
  recallWithin(run, recallTime(res.view));
  record.closed = true;
  record.state = "acked";
  delete record.passkey;
  await run.save(half, { checkpoint: undefined });
  return result;
}

/** keys opens what came along and stores it. */
async function keys(run: Run, half: Receiver, view: View): Promise<void> {
  const { record, moving } = run;
  let secrets: Secrets;
  let sealing: Bytes;
  try {
    secrets = await half.open(Secret.of(view.commitShare), copy(view.sealed));
    sealing = await moving.home.sealingKey(secrets);
    if (!equal(sha256(sealing), record.result?.sealingKeySha256 ?? new Uint8Array())) {
      throw failedCheck("not the sealing key that was granted");
    }
  } catch (cause) {
    throw new MoveError("keys_closed", "the keys that came along cannot be opened: recall the move on the old phone", { cause });
  }
  recallWithin(run, mostRecall); // kept before there is anything to wipe: no answer of the server's ends it otherwise
  await run.notes.save(record);
  await moving.home.take(secrets);
  record.sealing = sealing;
  await run.save(half);
}
