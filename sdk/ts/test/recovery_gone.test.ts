import assert from "node:assert/strict";
import { test } from "node:test";

import { noBackup } from "../src/recovery/journal.js";
import { infoOf } from "../src/recovery/recovery.js";
import { remove } from "../src/recovery/standing.js";
import { update } from "../src/recovery/update.js";
import { fails, payloadOf, World } from "./recovery_world.js";

const [one, two] = ["482915", "739164"];

/** lost is a phone with a PIN one of whose vaults is lost for good, and replaced. */
async function lost(): Promise<World> {
  const w = await World.make();
  await w.register(one, "one");
  await w.replace("v2", "v4");
  return w;
}

function away(w: World, ...ids: string[]): void {
  w.script = (c) => (ids.includes(c.vault) ? "drop" : undefined);
}

/** whole: three of three vaults have it, and any two bring it back. */
async function whole(w: World, pin: string, secret: string): Promise<void> {
  const st = await w.status();
  assert.equal(st.state, "active");
  assert.deepEqual(st.vaults.map((v) => [v.id, v.reachable, v.gone]), [["v1", true, false], ["v4", true, false], ["v3", true, false]]);
  for (const { id } of w.vaults) {
    away(w, id);
    await w.recovers(pin, secret);
  }
  away(w);
}

test("with a vault gone for good the PIN brings everything back, and payloads are updated; set anew, all have it", async () => {
  const w = await lost();
  await w.recovers(one, "one");
  await w.wrong("000000", 9);
  const b = await w.client.journal.backup() ?? noBackup();
  assert.deepEqual(infoOf(b).gone, [], "before the set was fetched nobody knows");
  await update(w.client, b, payloadOf("two"));
  const { gone, acknowledged, complete } = infoOf(b);
  assert.deepEqual({ gone, acknowledged, complete }, { gone: ["v2"], acknowledged: 2, complete: true }, "nobody waits for v2");
  await w.recovers(one, "two");
  const st = await w.status();
  assert.equal(st.state, "degraded");
  assert.deepEqual(st.vaults.map((v) => [v.id, v.reachable, v.gone]), [["v1", true, false], ["v2", false, true], ["v3", true, false]]);
  await w.register(one, "two");
  await whole(w, one, "two");
});

test("that a vault is gone makes no other one dispensable", async () => {
  const w = await lost();
  away(w, "v1");
  const err = await fails(w.update("two"), "UNAVAILABLE");
  assert.deepEqual([...err.failed.keys()].sort(), ["v1", "v2"]);
  await fails(w.register(two, "two"), "UNAVAILABLE");
  away(w);
  await w.recovers(one, "two"); // the PIN before stands until all have the new one
  await w.register(two, "two");
  await whole(w, two, "two");
});

test("with two of three gone for good nothing is said to be up to date", async () => {
  const w = await lost();
  await w.replace("v3", "v5");
  await fails(w.update("two"), "UNAVAILABLE");
  assert.notEqual((await w.client.journal.backup())?.blob, null);
});

test("what was begun at a vault that is lost meanwhile is begun anew at those that are there", async () => {
  const w = await World.make();
  await w.register(one, "one");
  away(w, "v2");
  await fails(w.register(two, "two"), "UNAVAILABLE");
  away(w);
  await w.replace("v2", "v4");
  await w.recovers(one, "one");
  await w.register(two, "two");
  await whole(w, two, "two");
});

test("what is gone has nothing to delete", async () => {
  const w = await lost();
  away(w, "v1");
  await fails(w.remove(), "UNAVAILABLE", "with a vault away that is not gone");
  away(w);
  const b = await w.client.journal.backup() ?? noBackup();
  await remove(w.client, b);
  assert.deepEqual([b.current, b.deleted], [null, false]);
  assert.ok(w.vaults.every((v) => v.current === null));
});
