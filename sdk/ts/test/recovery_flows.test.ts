import assert from "node:assert/strict";
import { test } from "node:test";

import { hex, utf8 } from "../src/bytes.js";
import { fails, Op, World } from "./recovery_world.js";

const [one, two, three] = ["482915", "739164", "615283"];

for (const suite of [1, 2]) {
  test(`a PIN is set, tried, changed and removed, suite ${suite}`, async () => {
    const w = await World.make(suite);
    await fails(w.recover(one), "RECOVERY_NOT_FOUND");
    await w.register(one, "secret");
    assert.equal(w.asked, 1);
    assert.equal((await w.status()).state, "active");
    await w.wrong("000000", 9);
    await w.wrong("000001", 8);
    assert.equal((await w.status()).remaining, 8);
    await w.recovers(one, "secret");
    await w.update("newer");
    await w.recovers(one, "newer");
    await w.register(two, "third");
    await w.wrong(one, 9);
    await w.recovers(two, "third");
    await w.remove();
    assert.equal((await w.status()).state, "deleted");
    await fails(w.recover(two), "RECOVERY_NOT_FOUND");
    await w.register(one, "fourth");
    await w.recovers(one, "fourth");
  });
}

test("ten wrong ones lock for ever, and another PIN can be set then", async () => {
  const w = await World.make();
  await w.register(one, "secret");
  for (let left = 9; left >= 0; left--) {
    await w.wrong("000000", left);
  }
  await w.wrong(one, 0);
  assert.equal((await w.status()).state, "locked");
  await fails(w.update("more"), "LOCKED");
  await w.register(three, "fourth");
  await w.recovers(three, "fourth");
});

test("a vault is away: a first PIN works with two, another one waits for all", async () => {
  const w = await World.make();
  const away = (...ids: string[]): void => { w.script = (c) => (ids.includes(c.vault) ? "drop" : undefined); };
  away("v3");
  assert.equal((await fails(w.register(one, "one"), "UNAVAILABLE")).outcome?.answered, 2);
  await w.recovers(one, "one");
  away();
  await w.register(one, "one");
  assert.equal(w.asked, 1, "the owner is asked once for one registration");
  away("v1");
  await w.recovers(one, "one"); // with the share that came late
  await fails(w.register(two, "two"), "UNAVAILABLE");
  await w.recovers(one, "one");
  assert.equal((await w.status()).state, "pending");
  away();
  await w.register(two, "two");
  await w.recovers(two, "two");
  away("v3");
  await fails(w.update("four"), "UNAVAILABLE");
  await w.recovers(two, "four");
  away("v1"); // hashes are split: the highest seq counts
  await w.recovers(two, "four");
  away("v1", "v3");
  const err = await fails(w.recover(two), "UNAVAILABLE");
  assert.deepEqual([...err.failed.keys()], ["v1", "v3"]);
  await fails(w.recover(two), "UNAVAILABLE");
  away();
  await w.update("four");
  await w.recovers(two, "four");
});

test("what was begun with another PIN is finished, or dropped if nobody has heard of it", async () => {
  const w = await World.make();
  await w.register(one, "one");
  w.script = (c) => (c.vault === "v3" ? "drop" : undefined);
  await fails(w.register(two, "two"), "UNAVAILABLE");
  w.script = () => undefined;
  await w.register(three, "three");
  await w.recovers(three, "three");
  await w.wrong(two, 9);
  w.script = (c) => (c.method === "putBlob" ? "drop" : undefined);
  await assert.rejects(w.register("904716", "four"));
  w.script = () => undefined;
  w.calls.length = 0;
  await w.register("615284", "five");
  assert.equal(w.count(Op.create), 3, "the one that nobody has heard of was finished");
  await w.recovers("615284", "five");
});

test("a device that missed a registration finds out, and touches nothing", async () => {
  const w = await World.make();
  await w.register(one, "one");
  const late = w.disk;
  w.disk = structuredCloneDisk(w);
  await w.register(two, "two");
  const newest = w.disk;
  w.disk = late;
  await fails(w.register(three, "three"), "OTHER_DEVICE");
  await fails(w.update("three"), "OTHER_DEVICE");
  w.forget();
  await fails(w.register(three, "three"), "OTHER_DEVICE");
  w.disk = newest;
  await w.recovers(two, "two");
  w.forget(); // nobody has the key any more: the service vouches for a deletion
  await w.remove();
  await w.register(three, "four");
  await w.recovers(three, "four");
});

function structuredCloneDisk(w: World): World["disk"] {
  const { values } = w.disk;
  w.forget();
  for (const [name, value] of values) {
    w.disk.values.set(name, structuredClone(value));
  }
  return w.disk;
}

test("keys that were replaced meanwhile are fetched once", async () => {
  const w = await World.make();
  await w.register(one, "one");
  const old = w.evidenceOf(w.vaults[0]!);
  await w.vaults[0]!.rotate();
  let shown = 0;
  w.config = (c) => (shown++ === 0 ? { ...c, evidence: [old, ...c.evidence.slice(1)] } : c);
  const got = await w.recovers(one, "one");
  assert.equal(got.outcome.answered, 3);
  assert.equal(shown, 2);
});

test("an attempt is kept before it leaves, and its seed is gone after the verdict", async () => {
  const w = await World.make();
  await w.register(one, "one");
  w.script = (c) => {
    if (c.op === Op.evaluate) {
      assert.ok(w.disk.values.has("recovery/attempt"), "an evaluation before the journal has it");
    }
    return undefined;
  };
  await w.wrong("000000", 9);
  assert.ok(w.disk.values.has("recovery/attempt"));
  const kept = hex(w.disk.values.get("recovery/attempt") as Uint8Array);
  assert.ok(kept.includes("0".repeat(64)), "the seed is still there");
});

test("what the store has is no journal", async () => {
  const w = await World.make();
  w.disk.values.set("recovery/backup", utf8("nonsense"));
  await fails(w.status(), "JOURNAL");
  w.disk.values.set("recovery/backup", "text");
  await fails(w.status(), "JOURNAL");
});
