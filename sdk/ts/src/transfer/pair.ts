/** The current phone until the owner has said yes: claim, hello, number, passkey. */
import { TransferState } from "../gen/staunch/transfer/v1/transfer_pb.js";
import { MalformedError } from "../cbor.js";
import { StaunchError } from "../phone/errors.js";
import { checked, ended, MoveError } from "./errors.js";
import { judged } from "./ends.js";
import { senderOptions } from "./halves.js";
import { decodeEnvelope, encodeEnvelope, HandoverError, parseCode, Sender } from "./handover/index.js";
import { forgotten } from "./plan.js";
import { isStale, type Run } from "./run.js";
import type { Peer, SendOptions } from "./types.js";
import { reached } from "./watch.js";

const mostRecall = 2 ** 31; // seconds: what is longer would not be counted
const threeDays = 72 * 3600 * 1000; // ms

/** claim makes the transfer this account's, and checks who the new phone is. */
export async function claim(run: Run, o: SendOptions): Promise<Sender> {
  const { record } = run;
  const code = parseCode(record.uri ?? "");
  let res;
  try {
    res = await run.signed((how) => run.core.calls.transfers.claim({ transfer: record.transfer, token: record.token }, how));
  } catch (error) {
    if ((error instanceof StaunchError && error.reason !== "UNREACHABLE" && error.code !== "") || error instanceof MoveError) {
      await run.notes.write({ ...(record.plan === undefined ? {} : forgotten(record.plan)), move: undefined }); // the server does not have it for this phone
    }
    throw error;
  }
  record.audience = res.audience;
  record.recallWindow = recallWindow(Number(res.recallSeconds), o.leastRecall);
  let half: Sender;
  try {
    run.audienceFits(res.audience);
    half = await Sender.create(code, decodeEnvelope(res.offer), senderOptions(run, o));
  } catch (cause) {
    return run.cancel(...refusalOf(cause));
  }
  const peer = half.peer();
  record.peer = {
    info: peer.info, verified: true, findings: (peer.verdict?.findings ?? []).map((f) => f.code), verdict: res.verdict, place: res.place,
    sameNetwork: res.sameNetwork, proximity: "none",
  };
  record.class = "none";
  delete record.uri;
  await run.save(half);
  return half;
}

/** recallWindow is how long the old phone keeps what it needs for a recall, in ms: as long as the server says, and no shorter than its app does. */
export function recallWindow(seconds: number, least = threeDays): number {
  return Math.max(Math.min(Math.max(seconds, 0), mostRecall) * 1000, least, 0);
}

/** refusalOf is why a new phone is refused, for the server, and for the person. */
function refusalOf(cause: unknown): [why: string, error: unknown] {
  if (cause instanceof HandoverError && !(cause.code === "untrusted" && cause.verdict === undefined)) {
    switch (cause.code) {
      case "schema":
        return ["schema_too_new", ended("aborted", "schema_too_new", cause)];
      case "space":
        return ["no_space", new MoveError("no_space", "the new phone has no room for the history: make room there", { cause })];
      case "malformed":
        return ["integrity", checked(cause)];
      default:
        return ["device_rejected", checked(cause)];
    }
  }
  if (cause instanceof MoveError || cause instanceof MalformedError) {
    return ["integrity", checked(cause)];
  }
  throw cause; // the app's verifier has no verdict: the same call again asks it again
}

/** pair goes on until the number was typed on the new phone. */
export async function pair(run: Run, o: SendOptions, half: Sender): Promise<void> {
  const { record } = run;
  if (!half.has("hello")) {
    await agree(run, o, half);
  }
  if (half.has("matched")) {
    return;
  }
  // The same bytes again change nothing: it may not have arrived.
  const envelope = encodeEnvelope(await half.hello("none"));
  await run.signed((how) => run.core.calls.transfers.hello({ transfer: record.transfer, token: record.token, envelope }, how));
  const answer = await run.watch.envelope(run.signal, "answer");
  await judged(half.handleAnswer(answer)).catch((error: unknown) => run.cancel("integrity", error));
  await run.save(half);
  run.tell.tell({ event: "number", number: await half.number() });
  const matched = await run.watch.envelope(run.signal, "matched");
  await judged(half.handleMatched(matched)).catch((error: unknown) => run.cancel("integrity", error));
  run.tell.tell({ event: "matched" });
  await run.save(half);
}

/** agree asks the person: nothing of this phone is told before the yes. */
async function agree(run: Run, o: SendOptions, half: Sender): Promise<void> {
  const peer = run.record.peer as Peer;
  run.tell.tell({ event: "peer", peer });
  if (!(await run.watch.watched(run.signal, () => undefined, (signal) => stoppable(signal, o.ask(peer))))) {
    await run.cancel("user_cancelled", new MoveError("declined", "the person said no: the move is cancelled"));
  }
  await half.hello("none");
  await run.save(half);
}

/** stoppable is an answer of the person's, who is no longer waited for when the signal ends. */
export function stoppable<T>(signal: AbortSignal, answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason as Error);
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) {
      stop();
    }
    answer.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}

/** confirm is the person's yes, with his passkey, over all that was said so far. */
export async function confirm(run: Run, o: SendOptions, half: Sender): Promise<void> {
  const { record } = run;
  if (!reached(run.watch.view, TransferState.HELD)) {
    const value = await half.before("confirm");
    let up = record.stepUp;
    for (let fresh = false; ; up = undefined) {
      if (up === undefined) {
        up = await run.stepUp("move.approve", value, o.show);
        fresh = true;
      }
      const { envelope: said, share } = await half.confirm(up, record.plan?.bytes ?? 0);
      record.stepUp = up;
      await run.save(half);
      const envelope = encodeEnvelope(said);
      try {
        await run.signed((how) => run.core.calls.transfers.confirm({ transfer: record.transfer, token: record.token, envelope, holdShare: share.bytes() }, how));
        break;
      } catch (error) {
        if (fresh || !isStale(error)) {
          throw error;
        }
      }
    }
  }
  const view = await run.watch.until(run.signal, (v) => reached(v, TransferState.HELD));
  run.tell.tell({ event: "confirmed", class: "none", bytes: record.plan?.bytes ?? 0 });
  if (view.state === TransferState.HELD) {
    run.tell.tell({ event: "held", until: new Date(Number(view.opensAt?.seconds ?? 0n) * 1000), reasons: view.holdReasons });
  }
}
