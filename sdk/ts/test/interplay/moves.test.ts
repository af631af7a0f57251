/** Moves by way of a server of `staunch dev` that holds none. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { base64, hex } from "../../src/bytes.js";
import { cancelMove, finalizeMove, MoveError, moveStatus, recallMove } from "../../src/transfer/index.js";
import { fill, Handset, move, same } from "./rig.js";

const hush = (): void => undefined;
const fault = (call: Promise<unknown>): Promise<string> => call.then(() => "", (e: unknown) => (e instanceof MoveError ? `${e.fault} ${e.why}`.trim() : String(e)));

test("account, keys and history move", async () => {
  const old = await Handset.enrolled("old");
  const files = await fill(old, 9_000_000);
  const sealing = hex((await old.home.sealing()).key);
  const account = old.phone.state.account;
  const next = await Handset.start("next");
  const [sent, got] = await move(old, next);
  assert.equal(got.account, account);
  assert.equal(sent.account, account);
  assert.equal(got.quarantined, 1);
  assert.equal(sent.quarantined, 1);
  assert.equal(next.phone.state.account, account);
  assert.equal(hex((await next.home.sealing()).key), sealing);
  await same(next, files);
  assert.equal(await old.home.locked(), true);
  assert.equal(old.phone.state.session, "");
  assert.equal((await moveStatus(old.phone, { home: old.home })).state, "acked");
});

test("an account whose phone has no sealing key moves; one whose app has another than the account says so at once", async () => {
  const old = await Handset.start("old");
  await old.phone.enroll({ name: "old" });
  const next = await Handset.start("next");
  assert.equal((await move(old, next))[1].account, next.phone.state.account);
  assert.equal((await next.home.sealingPublic()).length, 0);

  const odd = await Handset.start("odd");
  await odd.phone.enroll({ name: "odd" });
  await odd.home.sealing(); // made too late: the account never hears of it
  const other = await Handset.start("other");
  const over = new AbortController();
  const received = fault(other.receive({ signal: over.signal }));
  assert.equal(await fault(odd.send({ uri: (await other.event("offer")).uri })), "sealing_key");
  const { alg, key } = await odd.home.sealing();
  await odd.phone.approve("sealing.rotate", { alg, key: base64(key) }, hush); // as the error says
  over.abort(new Error("again"));
  await received;
  const again = await Handset.start("again");
  assert.equal((await move(odd, again))[1].account, odd.phone.state.account);
  assert.equal(hex(await again.home.sealingPublic()), hex(key));
});

for (const who of ["old", "new"] as const) {
  test(`the ${who} phone cancels a move before anything is approved`, async () => {
    const old = await Handset.enrolled("old");
    const next = await Handset.start("next");
    const received = next.receive({ number: async (_, signal) => { // nobody types, until the move is over
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      throw signal.reason;
    } });
    const sent = old.send({ uri: (await next.event("offer")).uri });
    const ends = Promise.all([fault(sent), fault(received)]);
    await next.event("number_wanted");
    const phone = who === "old" ? old : next;
    assert.equal((await cancelMove(phone.phone, { home: phone.home, beside: true })).state, "aborted");
    assert.deepEqual(await ends, ["ended user_cancelled", "ended user_cancelled"]);
    assert.deepEqual([next.phone.state.account, (await old.phone.status()).account], ["", old.phone.state.account]);
    const other = await Handset.start("other"); // and the account moves to another one
    assert.equal((await move(await old.again(), other))[1].account, old.phone.state.account);
  });
}

test("the old phone ends the time to take the account back, and is wiped", async () => {
  const old = await Handset.enrolled("old");
  await fill(old);
  const next = await Handset.start("next");
  const [atOld, atNext] = [{ home: old.home }, { home: next.home }];
  assert.equal(await fault(finalizeMove(old.phone, atOld, hush)), "no_move");
  const [sent] = await move(old, next);
  assert.ok((sent.recallUntil?.getTime() ?? 0) > Date.now());
  const key = hex((await next.home.sealing()).key);

  assert.equal(await fault(finalizeMove(next.phone, atNext, hush)), "too_early"); // the phones were not near
  assert.equal(await fault(cancelMove(old.phone, atOld)), "too_late");
  assert.equal(hex((await old.home.sealing()).key), key); // it is all still there
  const shown: string[] = [];
  assert.equal((await finalizeMove(old.phone, atOld, (text) => void shown.push(text))).state, "final");
  assert.equal(shown.length, 1);
  assert.deepEqual([old.phone.state.account, (await old.history.entries()).length], ["", 0]);
  assert.notEqual(hex((await old.home.sealing()).key), key); // another one, made just now
  assert.equal(await fault(recallMove(old.phone, atOld, "too late", hush)), "too_late");
  assert.equal((await moveStatus(next.phone, atNext)).state, "final");
  assert.equal((await next.phone.status()).account, next.phone.state.account);
});
