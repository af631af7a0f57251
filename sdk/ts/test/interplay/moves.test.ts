import assert from "node:assert/strict";
import { test } from "node:test";

import { hex } from "../../src/bytes.js";
import { moveStatus } from "../../src/transfer/index.js";
import { fill, Handset, move, same } from "./rig.js";

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
  console.log(old.events.map((e) => JSON.stringify(e)).join("\n"));
});
