import assert from "node:assert/strict";
import { test } from "node:test";

import { isFault } from "../src/transfer/errors.js";
import { moveStatus, recallMove } from "../src/transfer/index.js";
import { anAccount } from "./fake.js";
import { Handset, Pair } from "./pair.js";

const hush = (): void => undefined;
const day = 24 * 3600; // seconds

// The server keeps it back that the move is final, and lets the old phone, which may be anybody's by now, take it back.
for (const [name, window, after, did] of [
  ["within the window", 3600, 3600 + 50, ["wipe"]],
  ["after it", 3600, 3600 + 70, ["lock"]],
  ["after more than any window", 1000 * day, 30 * day + 70, ["lock"]],
] as const) {
  test(`a recall that comes ${name}`, async () => {
    const p = await Pair.make({ f: Uint8Array.of(1) });
    p.relay.recall = window;
    const { c, n } = await p.run();
    assert.ok(c.moved && n.moved, `${String(c.error)} / ${String(n.error)}`);
    await recallMove(await p.c.start(), { home: p.c.home }, "late", hush);
    const later = new Handset(p.relay, p.n.store, () => Date.now() + after * 1000);
    assert.equal((await moveStatus(await later.start(), { home: later.home })).state, "recalled");
    assert.deepEqual(later.home.did, did);
    assert.equal((await later.start()).state.session, "");
  });
}

test("who runs the new phone's half again after the account was taken back is told so, and not that all is well", async () => {
  const p = await Pair.moved();
  const again = async (): Promise<string> => {
    try {
      return (await p.n.receive()).account;
    } catch (error) {
      return isFault(error, "ended") ? error.state : String(error);
    }
  };
  assert.equal(await again(), anAccount);
  p.relay.refuse.set("Wait", ["TRANSFER_NOT_FOUND"]);
  assert.equal(await again(), anAccount, "when the server has forgotten the move");
  await recallMove(await p.c.start(), { home: p.c.home }, "not mine", hush);
  p.n.patience = 50;
  p.relay.refuse.set("Wait", ["UNAVAILABLE"]);
  assert.equal(await again(), anAccount, "when the server cannot be asked");
  assert.deepEqual(p.n.home.did, []);
  assert.equal(await again(), "recalled");
  assert.deepEqual(p.n.home.did, ["wipe"]);
});
