import assert from "node:assert/strict";
import { test } from "node:test";

import { hex } from "../src/bytes.js";
import { sum } from "../src/recovery/derive.js";
import { fails, Op, World } from "./recovery_world.js";

const [one, two] = ["482915", "739164"];

/** unfinished is a phone whose registration stays pending: no create reaches v3. dies: it did as the first share left. */
async function unfinished(dies: boolean): Promise<World> {
  const w = await World.make();
  let kept: Map<string, unknown> | undefined;
  w.script = (c) => {
    if (c.op === Op.create) {
      kept ??= structuredClone(w.disk.values);
    }
    return c.vault === "v3" && c.op === Op.create ? "drop" : undefined;
  };
  await fails(w.register(one, "one"), "UNAVAILABLE");
  if (dies) {
    kept?.forEach((value, name) => w.disk.values.set(name, value));
  }
  return w;
}

test("a service that names another account at a vault gets nothing", async () => {
  const w = await World.make();
  await w.register(one, "one");
  for (const disk of ["registered", "recovered"]) {
    w.accts = (all) => all.set("v2", new Uint8Array(16));
    w.calls.length = 0;
    for (const [what, act] of [["register", () => w.register(two, "two")], ["update", () => w.update("two")], ["remove", () => w.remove()], ["status", () => w.status()]] as const) {
      await fails(act(), "RENAMED", `${disk}, ${what}`);
    }
    assert.ok(w.calls.every((c) => c.method === "getConfig" || c.method === "getBackup"), disk);
    w.accts = (all) => all;
    await w.update("one");
    w.forget();
    await w.recovers(one, "one");
  }
});

test("a share goes to no second place: where the first was used up and wiped, the phone says so, and deals others when the owner is there", async () => {
  for (const [name, again, dies = false] of [
    ["deleted", (w: World) => w.remove()],
    ["deleted when the phone had died", (w: World) => w.remove(), true],
    ["locked", async (w: World) => { await fails(w.recover("111111"), "LOCKED"); }],
    ["locked and deleted", async (w: World) => {
      await fails(w.recover("111111"), "LOCKED");
      await w.remove();
    }],
  ] as const) {
    const w = await unfinished(dies);
    const disk = w.disk;
    w.forget(); // the insider, with all that the service can give
    await w.wrong("000000", 9);
    w.vaults.forEach((v) => { v.used *= 9; }); // and eight more
    await again(w);
    w.disk = disk;
    const before = w.vaults.map((v) => [...v.creates].join());
    for (let start = 0; start < 3; start++) { // whenever the app starts
      await fails(w.update("two"), "FORGOTTEN", name);
    }
    assert.deepEqual(w.vaults.map((v) => [...v.creates].join()), before, name);
    w.script = () => undefined;
    await w.register(one, "two");
    await w.recovers(one, "two");
    assert.ok(w.vaults.every((v) => v.creates.size <= 2), name);
  }
});

test("a phone that dies as it sends a share sends the same again, and no other", async () => {
  const w = await World.make();
  let kept: string | undefined;
  w.script = (c) => {
    if (c.op === Op.create) {
      kept ??= hex(sum(w.disk.values.get("recovery/backup") as Uint8Array));
      return "lost";
    }
    return undefined;
  };
  await fails(w.register(one, "one"), "UNAVAILABLE");
  w.script = () => undefined;
  assert.ok(kept, "nothing was kept before the shares left");
  await w.register(one, "one");
  assert.ok(w.vaults.every((v) => v.creates.size === 1));
  assert.equal(w.asked, 1);
});

test("the shares are gone from the journal when all vaults have theirs", async () => {
  const w = await World.make();
  await w.register(one, "one");
  const journal = hex(w.disk.values.get("recovery/backup") as Uint8Array);
  for (const v of w.vaults) {
    for (const secret of [v.current!.k, v.current!.s, v.current!.prs]) {
      assert.ok(!journal.includes(hex(secret)));
    }
  }
});
