/** Moves that a server of `staunch dev` holds: phones in browsers are never beside each other. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { MoveError, moveStatus, cancelMove } from "../../src/transfer/index.js";
import { fill, Handset, move, same } from "./rig.js";

const why = (error: unknown): string => (error instanceof MoveError && error.fault === "ended" ? error.why : String(error));

test("a held move gives nothing away before the hold is over, and is approved once more then", async () => {
  const old = await Handset.enrolled("old");
  const files = await fill(old);
  const next = await Handset.start("next");
  const approved: string[] = [];
  const moving = move(old, next, { send: { show: (text) => void approved.push(text) } });
  moving.catch(() => undefined);
  const [held, also] = [await old.event("held"), await next.event("held")];
  assert.deepEqual([held.reasons, also.reasons], [["class"], ["class"]]);
  assert.equal(approved.length, 1);
  for (const [phone, role] of [[old, "sender"], [next, "receiver"]] as const) {
    const at = await moveStatus(phone.phone, { home: phone.home, beside: true });
    assert.deepEqual([at.role, at.state, at.heldUntil?.getTime()], [role, "held", held.until.getTime()]);
  }
  await old.event("progress"); // it may send
  assert.deepEqual([(await next.history.entries()).length, next.phone.state.account, await old.home.locked()], [0, "", false]);
  const [, got] = await moving;
  assert.equal(got.account, old.phone.state.account);
  await same(next, files);
  assert.equal(approved.length, 2);
  const committed = await next.event("committed");
  assert.ok(committed.at.getTime() >= held.until.getTime(), `committed at ${committed.at.toISOString()}, and held until ${held.until.toISOString()}`);
});

for (const who of ["old", "new"] as const) {
  test(`the ${who} phone cancels a move that is held`, async () => {
    const old = await Handset.enrolled("old");
    await fill(old);
    const next = await Handset.start("next");
    const received = next.receive({ number: async () => (await old.event("number")).number });
    const sent = old.send({ uri: (await next.event("offer")).uri });
    const ends = Promise.allSettled([sent, received]);
    await Promise.all([old.event("held"), next.event("held")]);
    const phone = who === "old" ? old : next;
    assert.equal((await cancelMove(phone.phone, { home: phone.home, beside: true })).state, "aborted");
    for (const end of await ends) {
      assert.equal(end.status === "rejected" ? why(end.reason) : end.status, "user_cancelled");
    }
    assert.deepEqual([await old.home.locked(), (await old.phone.status()).account], [false, old.phone.state.account]);
    assert.deepEqual([next.phone.state.account, (await next.history.entries()).length], ["", 0]);
    for (const one of [old, next]) {
      const at = await moveStatus(one.phone, { home: one.home });
      assert.deepEqual([at.state, at.reason], ["aborted", "user_cancelled"]);
    }
  });
}
