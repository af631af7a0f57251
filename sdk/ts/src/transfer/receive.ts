/** The new phone's loop. */
import { type Bytes, utf8 } from "../bytes.js";
import { TransferState, type View } from "../gen/staunch/transfer/v1/transfer_pb.js";
import { reasonOf, StaunchError } from "../phone/errors.js";
import type { Phone } from "../phone/index.js";
import { commit, open } from "./commit.js";
import { judged, settle } from "./ends.js";
import { isFault, MoveError } from "./errors.js";
import { receiverOptions, restoreReceiver } from "./halves.js";
import { encodeEnvelope, HandoverError, Receiver } from "./handover/index.js";
import { linked } from "./cancel.js";
import { stoppable } from "./pair.js";
import { historySchema } from "./plan.js";
import { endOf, isOver, newToken } from "./record.js";
import { appOf, isStale, Run, unsigned } from "./run.js";
import type { Moved, ReceiveOptions } from "./types.js";
import { over } from "./watch.js";

/**
 * receiveMove shows a code for the current phone to scan, and takes over its account, keys and history, or goes on with that.
 * The phone, which has a store and hardware of its own and no account, has none of them until the account is its own; then
 * it opens the keys, puts the history in place, and signs in.
 */
export async function receiveMove(phone: Phone, o: ReceiveOptions): Promise<Moved> {
  const { core } = phone;
  let run = new Run(core, o, "receiver");
  const old = await run.notes.load();
  if (old?.closed && old.state !== "recalled") { // after a recall the phone is anybody's
    run.record = old;
    return done(run);
  }
  if (core.state.began === undefined ? core.state.account !== "" && old?.result === undefined : core.state.began.flow !== "move") {
    throw new MoveError("enrolled", "this phone has an account, or has begun something else: move to a phone with an empty store");
  }
  o.importer.tell((q) => run.tell.tell({ event: "quarantined", ...q }));
  let record = old;
  for (;;) {
    try {
      let half: Receiver;
      if (record !== undefined && !isOver(record)) {
        run.record = record;
        half = await restoreReceiver(run, o.trust);
      } else {
        half = await begin(run, o);
      }
      return await goOn(run, o, half);
    } catch (error) {
      if (error instanceof Unclaimed) { // another code
        record = undefined;
      } else if (run.begun) {
        if (isFault(error, "ended") && !run.record.placed) {
          await o.importer.clear();
        }
        throw await run.ended(error);
      } else {
        throw error;
      }
    } finally {
      await run.close();
    }
    run = new Run(core, o, "receiver");
  }
}

/**
 * done gives the result of a move that is over for this phone, unless it has been taken back since: then it is given back.
 * Without the server it is as it was.
 */
async function done(run: Run): Promise<Moved> {
  const { record } = run;
  if (!isOver(record)) {
    let view: View | undefined;
    try {
      view = await run.ask();
    } catch (error) {
      run.signal.throwIfAborted();
      if (!(error instanceof StaunchError)) { // else it has forgotten the move, or cannot be asked
        throw error;
      }
    }
    if (view !== undefined) {
      await settle(run, view);
    }
  }
  const end = endOf(record);
  if (end !== undefined || record.result === undefined) {
    throw end ?? new MoveError("check", "a move without a result");
  }
  return record.result;
}

const longestTimer = 2 ** 31 - 1; // ms: one that is longer rings at once (WHATWG HTML, Section 8.7)

/** Unclaimed: nobody has scanned the code in time. */
class Unclaimed extends Error {}

/** begin makes a code, with keys and evidence of their own. */
async function begin(run: Run, o: ReceiveOptions): Promise<Receiver> {
  const { core } = run;
  const b = await core.calls.transfers.begin({}, unsigned(run.signal));
  run.audienceFits(b.audience);
  const k = await core.newKey(appOf(b.audience), b.challenge);
  run.record = {
    v: 1, transfer: "", app: appOf(b.audience), token: newToken(), audience: b.audience, until: core.now() + Number(b.offerSeconds) * 1000,
    done: 0, total: 0,
  };
  const apple = k.platform === "ios";
  const half = await Receiver.create({
    ...receiverOptions(run, o.trust), challenge: b.challenge as Bytes, info: o.info, schema: { low: historySchema, high: historySchema },
    freeBytes: o.freeBytes ?? await freeBytes(),
    evidence: {
      platform: k.platform, osVersion: o.info.os, appVersion: o.info.app, model: o.info.model,
      ...(k.certificateChain === undefined ? {} : { chain: k.certificateChain }),
      ...(k.attestationObject === undefined ? {} : { object: k.attestationObject }),
      ...(apple && k.appleKeyId !== undefined ? { keyId: k.appleKeyId } : {}),
    },
  });
  const code = half.code();
  if (code !== undefined) {
    run.record.uri = code.uri();
  }
  run.record.transfer = half.id;
  run.record.half = await half.marshal();
  // Key and move are kept before the server hears of them.
  await core.change({ began: { flow: "move" } }, run.notes.named({ checkpoint: undefined, move: run.record }));
  return half;
}

/** freeBytes is what the browser says that there is room for; 1 TiB where it says nothing: then the importer finds out. */
async function freeBytes(): Promise<number> {
  const storage = (globalThis.navigator as Navigator | undefined)?.storage as StorageManager | undefined;
  const { quota, usage } = (await storage?.estimate?.()) ?? {};
  return quota === undefined ? 2 ** 40 : Math.max(quota - (usage ?? 0), 0);
}

/** goOn goes on where the move is. */
async function goOn(run: Run, o: ReceiveOptions, half: Receiver): Promise<Moved> {
  run.look();
  run.tell.phase("pair");
  await offer(run, half);
  await claimed(run, half);
  await match(run, o, half);
  await confirmed(run, half);
  await commit(run, o.importer, half);
  return open(run, o.importer, half);
}

/** offer shows the code, while it lives. */
async function offer(run: Run, half: Receiver): Promise<void> {
  const { record, core } = run;
  if (half.has("hello")) {
    run.follow();
    return run.resumed();
  }
  const envelope = encodeEnvelope(half.offer());
  try {
    await run.plain((how) => core.calls.transfers.offer({ envelope, token: record.token }, how));
  } catch (error) {
    if (isFault(error, "ended") || reasonOf(error) === "TRANSFER_ENDED") {
      return forget(run, half);
    }
    throw error;
  }
  run.follow();
  const until = record.until ?? 0;
  run.tell.tell({ event: "offer", uri: record.uri ?? "", expires: new Date(until) });
  // By this phone's own clock, whatever the server says: a code that nobody has scanned is worth nothing after its time.
  const soon = linked(run.signal);
  const timer = setTimeout(() => soon.end(new Unclaimed()), Math.min(Math.max(until - core.now(), 0), longestTimer));
  try {
    await run.watch.until(soon.signal, (v) => v.state !== TransferState.OFFERED && (over(v) === undefined || v.reason === "expired"));
    if (run.watch.view?.reason === "expired") {
      return await forget(run, half);
    }
  } catch (error) {
    if (error instanceof Unclaimed) {
      return await forget(run, half);
    }
    throw error;
  } finally {
    clearTimeout(timer);
    soon.end(undefined);
  }
}

/** forget makes a code worthless that was not scanned. */
async function forget(run: Run, half: Receiver): Promise<never> {
  await half.erase();
  await run.cancel("user_cancelled", new Unclaimed()).catch(() => undefined); // it may have ended already
  run.record.reason = "expired";
  await run.notes.save(run.record);
  throw new Unclaimed();
}

/** claimed takes the current phone's first message. */
async function claimed(run: Run, half: Receiver): Promise<void> {
  if (half.has("hello")) {
    return;
  }
  const { record } = run;
  const e = await run.watch.envelope(run.signal, "hello");
  const m = await judged(half.handleHello(e)).catch((error: unknown) => run.cancel("integrity", error));
  delete record.uri;
  record.class = m.class;
  record.account = m.account;
  await run.save(half);
  run.tell.tell({ event: "claimed", label: m.label, info: m.info });
}

/** match has the person type the number, and makes the passkey. */
async function match(run: Run, o: ReceiveOptions, half: Receiver): Promise<void> {
  const { record, core } = run;
  if (half.has("confirm")) {
    return;
  }
  for (let again = false; ; again = true) {
    if (!half.has("matched") || again) {
      const options = await answer(run, half);
      await number(run, o, half);
      record.passkey = utf8(await core.create(options));
    }
    const envelope = encodeEnvelope(await half.matched(record.passkey as Bytes));
    await run.save(half); // the passkey is kept before the server knows it
    try {
      await run.plain((how) => core.calls.transfers.match({ transfer: record.transfer, token: record.token, envelope, ceremony: record.ceremony ?? "" }, how));
      run.tell.tell({ event: "matched" });
      return;
    } catch (error) {
      if (again || !isStale(error)) {
        throw error;
      }
    }
  }
}

/** answer sends the nonce, and gives the ceremony of the passkey. */
async function answer(run: Run, half: Receiver): Promise<string> {
  const { record } = run;
  const envelope = encodeEnvelope(await half.answer());
  await run.save(half);
  const res = await run.plain((how) => run.core.calls.transfers.answer({ transfer: record.transfer, token: record.token, envelope }, how));
  record.ceremony = res.ceremony;
  await run.notes.save(record);
  return res.options;
}

/** number has it typed: three tries in all, also over restarts. */
async function number(run: Run, o: ReceiveOptions, half: Receiver): Promise<void> {
  const { record } = run;
  while (!record.typed) {
    run.tell.tell({ event: "number_wanted", triesLeft: half.triesLeft });
    // Who waits for a person hears that it has ended.
    const typed = await run.watch.watched(run.signal, () => undefined, (signal) => stoppable(signal, o.number(half.triesLeft, signal)));
    let wrong: HandoverError | undefined;
    try {
      await half.number(typed);
    } catch (error) {
      if (!(error instanceof HandoverError) || error.code !== "number") {
        throw error;
      }
      wrong = error;
    }
    record.typed = wrong === undefined;
    await run.save(half); // a try is not given back
    if (wrong !== undefined) {
      run.tell.tell({ event: "number_wrong", triesLeft: half.triesLeft });
      if (half.triesLeft <= 0) {
        await run.cancel("number_mismatch", new MoveError("ended", "three wrong numbers: the move has ended; begin a new one", { state: "aborted", why: "number_mismatch", cause: wrong }));
      }
    }
  }
}

/** confirmed waits for the other person's passkey. */
async function confirmed(run: Run, half: Receiver): Promise<void> {
  if (half.has("confirm")) {
    return;
  }
  const e = await run.watch.envelope(run.signal, "confirm");
  const m = await judged(half.handleConfirm(e)).catch((error: unknown) => run.cancel("integrity", error));
  run.record.total = m.bytes;
  await run.save(half);
  run.tell.tell({ event: "confirmed", class: run.record.class ?? "", bytes: m.bytes });
}
