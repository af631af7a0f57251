import assert from "node:assert/strict";
import { test } from "node:test";

import { utf8 } from "../src/bytes.js";
import { moveStatus } from "../src/transfer/index.js";
import { anAccount } from "./fake.js";
import { Pair } from "./pair.js";

const chat = utf8('{"n":1}\nno json\n{"n":2}');

test("account, keys and history move", async () => {
  const large = new Uint8Array(5_000_000).map((_, i) => i % 251);
  const p = await Pair.make({ "chat.jsonl": chat, "a/large": large, "empty": new Uint8Array() });
  const { key } = await p.c.home.sealing();
  const { c, n } = await p.run();
  assert.equal(c.error ?? n.error, undefined);
  assert.deepEqual([c.moved?.account, n.moved?.account, n.moved?.quarantined, c.moved?.quarantined, n.moved?.objects], [anAccount, anAccount, 1, 1, 3]);
  assert.deepEqual(await p.n.history.read("chat.jsonl"), chat);
  assert.deepEqual(Buffer.from(await p.n.history.read("a/large") ?? []), Buffer.from(large));
  assert.deepEqual((await p.n.home.sealing()).key, key);
  assert.deepEqual(p.c.home.did, ["lock"]);
  assert.deepEqual(p.c.said(), ["peer", "number", "matched", "confirmed", "sealed", "committed", "signed_out"]);
  assert.deepEqual(p.n.said(), ["offer", "claimed", "number_wanted", "matched", "confirmed", "quarantined", "sealed", "committed"]);
  const standing = await moveStatus(await p.c.start(), { home: p.c.home });
  assert.deepEqual([standing.role, standing.state, standing.objects], ["sender", "acked", 3]);
});
