import assert from "node:assert/strict";
import { test } from "node:test";

import { utf8 } from "../src/bytes.js";
import { isFault } from "../src/transfer/errors.js";
import { Pair } from "./pair.js";

const none = new Uint8Array();

test("a phone that was enrolled without a sealing key moves without one", async () => {
  const p = await Pair.make({ f: Uint8Array.of(1) });
  p.relay.sealing = none;
  await p.c.store.write({ "software/sealing": undefined });
  const { c, n } = await p.run();
  assert.ok(c.moved && n.moved, `${String(c.error)} / ${String(n.error)}`);
  assert.deepEqual([await p.c.store.read("software/sealing"), await p.n.store.read("software/sealing")], [undefined, undefined]);
  assert.deepEqual(await p.n.history.read("f"), Uint8Array.of(1));
});

for (const [name, known, has, words] of [
  ["has none", none, true, /enrolled without/], ["has another", utf8("known"), true, /another one/], ["has one, and the app none", utf8("known"), false, /recover it/],
] as const) {
  test(`what the server must refuse at the end, since the account ${name}, is refused before anybody is asked`, async () => {
    const p = await Pair.make({ f: Uint8Array.of(1) });
    const [right, key] = [p.relay.sealing, await p.c.store.read("software/sealing")];
    p.relay.sealing = known;
    if (!has) {
      await p.c.store.write({ "software/sealing": undefined });
    }
    const over = new AbortController();
    const received = p.n.receive({ number: async () => (await p.c.event("number")).number, signal: over.signal });
    try {
      const { uri } = await p.n.event("offer");
      const ask = (): Promise<boolean> => Promise.reject(new Error("the person is asked"));
      await assert.rejects(p.c.send({ uri, ask }), (err) => isFault(err, "sealing_key") && words.test(err.message) && err.message.includes("sealing.rotate"));
      assert.ok(!p.relay.calls.includes("Claim"));
      p.relay.sealing = right;
      await p.c.store.write({ "software/sealing": key });
      assert.equal((await p.c.send({ uri })).account, (await received).account); // and it can begin again
    } finally {
      over.abort(new Error("the test is over"));
      await received.catch(() => undefined);
    }
  });
}
