import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { inspect } from "node:util";

import { reasonOf } from "../src/phone/errors.js";
import { RecoveryError } from "../src/recovery/errors.js";
import { newPin, typedPin } from "../src/recovery/pin.js";
import { common } from "../src/recovery/pinblock.js";
import { pinWords } from "../src/recovery/pinwords.js";
import { Recovery } from "../src/recovery/recovery.js";
import type { Trust } from "../src/recovery/trust.js";
import { enrolledPhone } from "./fake.js";

test("the words are those of the Go client", () => {
  assert.deepEqual(pinWords.split(" "), readFileSync("../../recovery/pinwords.txt", "utf8").split("\n").map((w) => w.trim()).filter((w) => w !== ""));
});

test("of six digits 100,261 are refused", () => {
  let n = 0;
  for (let i = 0; i < 1_000_000; i++) {
    n += common(String(i).padStart(6, "0")) === undefined ? 0 : 1;
  }
  assert.equal(n, 100_261);
});

test("a PIN that is being set", () => {
  for (const [pin, why] of [
    ["739184", undefined], ["①39184", undefined], ["kodaline 88 tree", undefined],
    ["12345", "5 characters"], ["7".repeat(65), "65 characters"],
    ["240591", "date"], ["051124", "date"], ["19840917", "date"], ["198412", "date"], ["739739", "repeats"], ["775757", "two different"],
    ["234567", "count"], ["fedcba", "count"], ["739937", "backwards"], ["773388", "pairs"], ["qwertz", "row"], ["asdfqwer", "row"],
    ["princess", "common words"], ["Princess1", "common words"], ["princess1999", "common words"],
    ["7391\n84", "control"], ["", "empty"], ["ü".repeat(129), "bytes"], ["\ud800739184", "UTF-8"],
  ] as const) {
    if (why === undefined) {
      newPin(pin);
      continue;
    }
    assert.throws(() => newPin(pin), (err) => err instanceof RecoveryError && err.reason === "PIN_REFUSED" && err.words.includes(why), pin);
  }
  assert.throws(() => newPin("7391"), RecoveryError, "6 without a rule");
  newPin("7391", 4);
  assert.throws(() => newPin("739", 3), RecoveryError, "a service that asks for less than 4 gets 4");
  assert.throws(() => newPin("73918", 0), RecoveryError, "0 is 6");
});

test("a server can ask for longer PINs than the app does, and never for shorter ones", async () => {
  let says: number | undefined;
  const { phone } = await enrolledPhone({ GetConfig: () => ({ profile: "kr1-2of3", limit: 10, ...(says !== undefined && { pinMinLength: says }) }) });
  const trust = (pinMin?: number): Trust => ({ releaseKeys: [new Uint8Array(32).fill(1)], k: 1, ...(pinMin !== undefined && { pinMin }) });
  // EVIDENCE is what comes next: the server has no vault set.
  for (const [name, compiled, server, pin, reason] of [
    ["both six", undefined, 6, "482915", "EVIDENCE"],
    ["a server that lies", undefined, 4, "4829", "PIN_REFUSED"],
    ["that says nothing", undefined, undefined, "48291", "PIN_REFUSED"],
    ["that says something else", undefined, -1, "48291", "PIN_REFUSED"],
    ["to an app of eight", 8, 6, "4829157", "PIN_REFUSED"],
    ["an app of four", 4, 4, "4829", "EVIDENCE"],
    ["that nobody overrules", 4, 8, "4829157", "PIN_REFUSED"],
    ["which has four", 4, 3, "482", "PIN_REFUSED"],
    ["a server that wants more", undefined, 8, "4829157", "PIN_REFUSED"],
    ["and gets it", undefined, 8, "48291573", "EVIDENCE"],
  ] as const) {
    says = server;
    await assert.rejects(new Recovery({ phone, trust: trust(compiled) }).backUp({ pin, payload: { keys: [] } }), (err) => reasonOf(err) === reason, name);
  }
  for (const least of [0, 3, 33, 6.5, NaN]) {
    assert.throws(() => new Recovery({ phone, trust: trust(least) }), (err) => reasonOf(err) === "OPTIONS", String(least));
  }
});

test("a PIN that is being tried is only normalised", () => {
  assert.equal(typedPin("①２3").reveal(), "123");
  assert.equal(typedPin(" 1 ").reveal(), " 1 ");
  assert.throws(() => typedPin(""), RecoveryError);
});

test("a PIN prints nothing", () => {
  const pin = typedPin("739184");
  for (const printed of [String(pin), JSON.stringify({ pin }), inspect(pin), JSON.stringify(structuredClone(pin)), inspect(structuredClone(pin))]) {
    assert.ok(!printed.includes("739184"), printed);
  }
});
