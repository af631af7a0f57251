/** The current phone from the first segment to the grant. */
import { type Bytes, equal } from "../bytes.js";
import { TransferState } from "../gen/staunch/transfer/v1/transfer_pb.js";
import { reasonOf } from "../phone/errors.js";
import { pause } from "./cancel.js";
import { MoveError } from "./errors.js";
import { encodeEnvelope, type Granted, type Sender } from "./handover/index.js";
import { sha256 } from "./derive.js";
import { Journal } from "./journal.js";
import { forgotten, freeze } from "./plan.js";
import { isStale, refusal, type Run } from "./run.js";
import { Key, SealedError, type Stream } from "./sealed/index.js";
import { Spans } from "./spans.js";
import type { SendOptions } from "./types.js";
import { Upload } from "./upload.js";
import { mostPause, reached } from "./watch.js";

const grantFor = 24 * 3600; // seconds that a grant may be taken; the server may allow less

/**
 * sendAll uploads the history and grants the account over it, until the server has both. A source that changes makes a new
 * revision; what has arrived of the old one is given up.
 */
export async function sendAll(run: Run, o: SendOptions, half: Sender): Promise<void> {
  if (reached(run.watch.view, TransferState.SEALED)) {
    return;
  }
  const key = Key.of(await half.bulkKey());
  try {
    const journal = await Journal.open(run.notes);
    for (let had = new Spans(); ;) {
      try {
        return await seal(run, o, half, await upload(run, o, key, journal, had));
      } catch (error) {
        if (error instanceof SealedError && error.code === "changed") {
          await revise(run, o, error);
          had = new Spans();
        } else if (reasonOf(error) === "TRANSFER_INCOMPLETE") { // the server has lost some of it
          run.retry(error, 0);
        } else {
          throw refusal(error);
        }
      }
    }
  } finally {
    key.wipe();
  }
}

/** upload sends what the server does not have, while a transfer that ends stops it. */
async function upload(run: Run, o: SendOptions, key: Key, journal: Journal, had: Spans): Promise<Stream> {
  const plan = await announced(run);
  return run.watch.watched(run.signal, () => undefined, async (signal) => {
    const up = new Upload({
      plan, source: o.source, notes: run.notes, key, bulk: run.bulk(), journal, stored: had, patience: run.core.patience, now: run.core.now,
      retry: (error, after) => run.retry(error, after), news: () => run.watch.news,
    });
    try {
      return await up.run(signal);
    } catch (error) {
      throw await run.better(signal, error);
    }
  });
}

/** announced is the plan in force, of which the server knows. */
async function announced(run: Run): Promise<NonNullable<Run["record"]["plan"]>> {
  const { record } = run;
  const view = await run.watch.until(run.signal, (v) => reached(v, TransferState.HELD));
  const plan = record.plan;
  if (plan === undefined) {
    throw new MoveError("history", "the plan of this move is gone: cancel it");
  }
  const news = { transfer: record.transfer, token: record.token, revision: plan.revision, bytes: BigInt(plan.bytes) };
  for (let known = view.revision === plan.revision; !known;) {
    try {
      await run.signed((how) => run.core.calls.transfers.revise(news, how));
      known = true;
    } catch (error) {
      if (reasonOf(error) !== "RATE_LIMITED") {
        throw error;
      }
      run.retry(error, mostPause); // the history changes faster than the server wants to hear of
      await pause(mostPause, run.signal);
    }
  }
  return plan;
}

/**
 * seal grants the account over the stream. What is granted is written down before the server hears of it: a phone that dies
 * in between sends the same grant again.
 */
async function seal(run: Run, o: SendOptions, half: Sender, stream: Stream): Promise<void> {
  const { record } = run;
  const view = await run.watch.until(run.signal, (v) => reached(v, TransferState.STREAMING));
  let granted: Granted | undefined = half.granted();
  for (let fresh = false; ; granted = undefined) {
    if (granted === undefined || record.root === undefined || !equal(record.root, stream.root())) {
      // After a hold the person says yes once more.
      const stepUp = view.holdReasons.length > 0 ? await run.stepUp("move.approve", await half.before("grant"), o.show) : undefined;
      granted = await grant(run, o, half, stream, stepUp, Number(view.at?.seconds ?? BigInt(Math.floor(run.core.serverNow().getTime() / 1000))));
      fresh = true;
    }
    const { envelope, commitShare, sealed } = granted;
    const sent = { transfer: record.transfer, token: record.token, envelope: encodeEnvelope(envelope), commitShare: commitShare.bytes(), sealed };
    try {
      await run.signed((how) => run.core.calls.transfers.seal(sent, how));
      break;
    } catch (error) {
      if (fresh || !isStale(error)) {
        throw error;
      }
    }
  }
  run.tell.tell({ event: "sealed", root: record.root as Bytes, bytes: record.plan?.content ?? 0, objects: record.plan?.objects ?? 0 });
}

/** grant makes the grant. at is the server's clock in seconds. */
async function grant(run: Run, o: SendOptions, half: Sender, stream: Stream, stepUp: Run["record"]["stepUp"], at: number): Promise<Granted> {
  const { record, core } = run;
  const secrets = await o.home.secrets();
  const sealingKeyHash = sha256(await o.home.sealingKey(secrets));
  const cursor = o.cursor?.();
  const granted = await half.grant({
    revision: stream.revision, records: stream.records, bytes: stream.bytes, objects: record.plan?.objects ?? 0, root: stream.root(),
    sealingKeyHash, expires: at + grantFor, secrets, ...(stepUp === undefined ? {} : { stepUp }), ...(cursor === undefined ? {} : { cursor }),
  });
  record.root = stream.root();
  record.result = {
    role: "sender", transfer: record.transfer, account: core.state.account, device: core.state.device, objects: record.plan?.objects ?? 0,
    bytes: record.plan?.content ?? 0, quarantined: 0, sealingKeySha256: sealingKeyHash,
  };
  await run.save(half);
  return granted;
}

/** revise makes a new plan of what is there now, in place of the one that does not hold. */
async function revise(run: Run, o: SendOptions, why: unknown): Promise<void> {
  const { record, notes } = run;
  const old = record.plan;
  if (old === undefined) {
    throw why;
  }
  const plan = await freeze(notes, old.revision + 1, o.source);
  record.plan = plan;
  record.done = 0;
  record.total = plan.bytes;
  await notes.save(record, forgotten(old));
  run.tell.tell({ event: "restarted", revision: plan.revision, reason: why instanceof Error ? why.message : String(why) });
}
