import assert from "node:assert/strict";
import { test } from "node:test";

import { bareAES, historyMoves } from "./bench/sealing.js";

// What make bench measures in a browser, small: that it does what it says.
test("a history of some segments is sealed and opened again", async () => {
  for (const bytes of [0, 1, 5 << 20, (9 << 20) + 12345]) {
    assert.ok(await historyMoves(bytes) >= 0);
  }
  assert.ok(await bareAES(5 << 20) > 0);
});
