/** The current phone's loop. */
import { TransferState } from "../gen/staunch/transfer/v1/transfer_pb.js";
import type { Phone } from "../phone/index.js";
import { ackedBy, leftFor } from "./ends.js";
import { MoveError } from "./errors.js";
import { restoreSender } from "./halves.js";
import { HandoverError, parseCode, type Sender } from "./handover/index.js";
import { claim, confirm, pair } from "./pair.js";
import { freeze, ObjectCount } from "./plan.js";
import { endOf, isOver, newToken } from "./record.js";
import { Run } from "./run.js";
import { sendAll } from "./seal.js";
import { sameSealingKey } from "./sealingkey.js";
import type { Moved, SendOptions } from "./types.js";
import { reached } from "./watch.js";

/**
 * sendMove moves this phone's account to the new phone whose code was scanned, or goes on with that. It resolves when the
 * new phone has opened the keys. Until the new phone has proved that it has everything this phone stays in charge; then it
 * signs itself out, and keeps what it has, locked, for as long as it can take the account back (recallMove, moveStatus).
 */
export async function sendMove(phone: Phone, o: SendOptions): Promise<Moved> {
  const run = new Run(phone.core, o, "sender");
  try {
    await begin(run, o);
    const { record } = run;
    const end = endOf(record);
    if (end !== undefined) {
      throw end;
    }
    if (record.closed && record.result !== undefined) {
      return record.result;
    }
    return await goOn(run, o);
  } catch (error) {
    throw run.begun ? await run.ended(error) : error;
  } finally {
    await run.close();
  }
}

/** begin finds the move that is under way, or begins one. */
async function begin(run: Run, o: SendOptions): Promise<void> {
  const { notes, core } = run;
  const old = await notes.load();
  if (o.uri === undefined) {
    if (old === undefined) {
      throw new MoveError("no_move", "no move on this phone: scan the code of the new phone");
    }
    run.record = old;
    return sameHistory(run, o);
  }
  const transfer = idOf(o.uri);
  if (old?.transfer === transfer) {
    run.record = old;
    return sameHistory(run, o);
  }
  if (old !== undefined && !isOver(old)) {
    throw new MoveError("other_move", `another move is under way on this phone: ${old.transfer}; finish or cancel it`);
  }
  if (core.state.account === "") {
    throw new MoveError("no_move", "this phone has no account that could move");
  }
  await sameSealingKey(run);
  const plan = await freeze(notes, 1, o.source);
  run.record = {
    v: 1, transfer, app: core.state.app, uri: o.uri, token: newToken(), plan, done: 0, total: plan.bytes,
    ...(o.source === undefined ? {} : { source: o.source.name }),
  };
  await notes.save(run.record);
}

/** idOf is the transfer that a code names. */
function idOf(uri: string): string {
  try {
    return parseCode(uri).transferId();
  } catch (cause) {
    if (cause instanceof HandoverError && cause.code === "version") {
      throw new MoveError("check", "the new phone's app is newer than this one: update this one", { cause });
    }
    throw new MoveError("check", "this is no code of a new phone: scan the one on its screen", { cause });
  }
}

/** sameHistory refuses to go on with something else than what was begun. */
function sameHistory(run: Run, o: SendOptions): void {
  const { record } = run;
  if (o.source !== undefined && !record.left && !isOver(record) && o.source.name !== record.source) {
    throw new MoveError("other_move", `another history than this move was begun with: ${record.transfer}; give it the same one again, or cancel it`);
  }
}

/** goOn goes on where the move is. */
async function goOn(run: Run, o: SendOptions): Promise<Moved> {
  const { record } = run;
  run.look();
  run.tell.phase("pair");
  const resumed = record.half !== undefined;
  const half = resumed ? await restoreSender(run, o) : await claim(run, o);
  run.follow();
  if (resumed) {
    await run.resumed();
  }
  const shown = showing(run);
  try {
    if (!record.left) {
      await pair(run, o, half);
      await confirm(run, o, half);
      await sendAll(run, o, half);
      await leave(run, half);
    }
    await ackedBy(run, half, await run.watch.envelope(run.signal, "ack"));
  } finally {
    await shown();
  }
  if (record.result === undefined) {
    throw new MoveError("check", "a move without a grant");
  }
  return record.result;
}

/**
 * leave signs this phone out, once the new phone has proved that it has all that was granted. The server's word alone, or a
 * connection that breaks, is no proof.
 */
async function leave(run: Run, half: Sender): Promise<void> {
  const receipt = await run.watch.envelope(run.signal, "receipt");
  const view = await run.watch.until(run.signal, (v) => reached(v, TransferState.COMMITTED));
  await leftFor(run, half, receipt, view);
}

/** showing shows progress, which is the new phone's: what is durable there. It gives what ends it. */
function showing(run: Run): () => Promise<void> {
  let going = true;
  let count: { revision: number; of: ObjectCount } | undefined;
  let ring: () => void = () => undefined;
  const stop = new Promise<void>((resolve) => { ring = resolve; });
  const loop = async (): Promise<void> => {
    while (going) {
      const news = run.watch.news;
      const view = run.watch.view;
      const plan = run.record.plan;
      if (view !== undefined && plan !== undefined && view.revision === plan.revision) {
        if (count?.revision !== plan.revision) {
          count = { revision: plan.revision, of: new ObjectCount(run.notes, plan) };
        }
        const committed = reached(view, TransferState.COMMITTED);
        const done = committed ? plan.bytes : Math.min(Number(view.bytesAcked), plan.bytes);
        run.record.done = done;
        const phase = view.state === TransferState.HELD ? "hold" : committed ? "open" : done < plan.bytes ? "copy"
          : view.state === TransferState.STREAMING ? "check" : "commit";
        if (reached(view, TransferState.HELD)) {
          run.tell.update({ phase, revision: plan.revision, done, total: plan.bytes, objects: await count.of.at(done, plan.bytes), objectsTotal: plan.objects });
        }
      }
      await Promise.race([news, stop]);
    }
  };
  const ended = loop();
  ended.catch(() => undefined);
  return async () => {
    going = false;
    ring();
    await ended;
  };
}
