import assert from "node:assert/strict";
import { test } from "node:test";

import { fromHex, hex } from "../src/bytes.js";
import { decode, encode, MalformedError, type Value } from "../src/cbor.js";

test("what decodes encodes to the same bytes", () => {
  for (const [written, value] of [
    ["00", 0], ["1903e8", 1000], ["1bffffffffffffffff", 18446744073709551615n], ["20", -1], ["f5", true], ["f6", null],
    ["6161", "a"], ["420102", Uint8Array.of(1, 2)], ["820102", [1, 2]], ["a2016161026162", new Map<number, Value>([[1, "a"], [2, "b"]])],
    ["a30a011864022003", new Map<number, Value>([[-1, 3], [100, 2], [10, 1]])],
  ] as const satisfies readonly (readonly [string, Value])[]) {
    assert.equal(hex(encode(value)), written);
    assert.deepEqual(hex(encode(decode(fromHex(written), 100))), written);
  }
});

test("every other form is refused", () => {
  for (const [what, written] of [
    ["nothing", ""], ["bytes behind it", "0000"], ["a long head", "1801"], ["a longer length", "5801ff"], ["an open length", "5f4101ff"],
    ["keys out of order", "a2026161016162"], ["a key twice", "a201010102"], ["a tag", "c000"],
    ["a float", "f93c00"], ["undefined", "f7"], ["text that is no UTF-8", "61ff"], ["cut short", "4301"],
  ] as const) {
    assert.throws(() => decode(fromHex(written), 100), MalformedError, what);
  }
  assert.throws(() => decode(fromHex("420102"), 2), MalformedError, "too long");
  assert.throws(() => encode(1.5), TypeError);
  assert.throws(() => encode({} as unknown as Value), TypeError);
});
