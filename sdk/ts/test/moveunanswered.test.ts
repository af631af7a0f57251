import assert from "node:assert/strict";
import { test } from "node:test";

import type { Store } from "../src/phone/ports.js";
import { moveStatus, recallMove } from "../src/transfer/index.js";
import { Handset, Pair } from "./pair.js";

const hush = (): void => undefined;
const month = 30 * 24 * 3600; // seconds
const file = "move/receive/move";

type Written = Record<string, unknown> & { recallBy?: number };

const written = async (store: Store): Promise<Written> => (await store.read(file)) as Written;

// The server keeps back that the new phone has acknowledged, and lets the old one, which may be anybody's by now, take it back.
for (const [name, after, keepsNoEnd, did] of [
  ["within a month", month - 60, false, ["wipe"]],
  ["after it", month + 120, false, ["lock"]],
  ["to a phone that keeps no end", 60, true, ["lock"]],
] as const) {
  test(`a recall of a move whose acknowledgement was never answered, that comes ${name}`, async () => {
    const p = await Pair.make({ f: Uint8Array.of(1) });
    p.relay.refuse.set("Acknowledge", ["INTERNAL", "INTERNAL", "INTERNAL"]);
    const { n } = await p.run();
    assert.ok(n.error !== undefined && n.moved === undefined, "the answer came");
    if (keepsNoEnd) {
      const { recallBy, ...rest } = await written(p.n.store);
      assert.ok(recallBy !== undefined);
      await p.n.store.write({ [file]: rest });
    }
    await recallMove(await p.c.start(), { home: p.c.home }, "late", hush);
    const later = new Handset(p.relay, p.n.store, () => Date.now() + after * 1000);
    assert.equal((await moveStatus(await later.start(), { home: later.home })).state, "recalled");
    assert.deepEqual(later.home.did, did);
  });
}

test("a phone that has its keys and keeps no end, since it was of a version before, believes no server's of more than a month", async () => {
  const p = await Pair.make({ f: Uint8Array.of(1) });
  p.relay.recall = 1000 * 24 * 3600;
  p.relay.refuse.set("Acknowledge", ["INTERNAL", "INTERNAL", "INTERNAL"]);
  assert.ok((await p.run()).n.error !== undefined, "the answer came");
  p.relay.refuse.clear();
  const { recallBy, ...rest } = await written(p.n.store);
  assert.ok(recallBy !== undefined);
  await p.n.store.write({ [file]: rest });
  await p.n.receive();
  const left = ((await written(p.n.store)).recallBy ?? 0) - Date.now();
  assert.ok(left <= month * 1000 && left > (month - 60) * 1000, `a recall is believed for ${left} ms`);
});

test("until when a recall wipes is kept before there are keys to wipe, and put off by no answer", async () => {
  const p = await Pair.make({ f: Uint8Array.of(1) });
  p.relay.recall = month;
  const { home } = p.n;
  const take = home.take.bind(home);
  home.take = () => Promise.reject(new Error("no room"));
  const { n } = await p.run();
  assert.match(String(n.error), /no room/);
  const first = await written(p.n.store);
  const left = (first.recallBy ?? 0) - Date.now();
  assert.ok(left <= month * 1000 && left > (month - 60) * 1000, `a recall is believed for ${left} ms`);
  const soon = Date.now() + 3_600_000;
  await p.n.store.write({ [file]: { ...first, recallBy: soon } });
  home.take = take;
  await p.n.receive();
  assert.equal((await written(p.n.store)).recallBy, soon);
});
