import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { reasonOf } from "../src/phone/errors.js";
import { Journal, journalOf, noBackup } from "../src/recovery/journal.js";
import { typedPin } from "../src/recovery/pin.js";
import { checkPin, nextReminder, type Reminder, reminderDue, reminderOf } from "../src/recovery/reminder.js";
import { fails, pin, World } from "./recovery_world.js";

const hour = 3_600_000;
const day = (n: number): Date => new Date(1_800_000_000_000 + Math.round(n * 24 * hour));

test("an owner is asked after 1, 3, 7, 14 and 30 days", () => {
  for (const [name, set, checked, passed, now, due] of [
    ["set today", 0, undefined, 0, 0.99, false],
    ["set yesterday", 0, undefined, 0, 1, true],
    ["right once", 0, 2, 1, 4.99, false],
    ["three days ago", 0, 2, 1, 5, true],
    ["right twice", 0, 10, 2, 16.99, false],
    ["a week ago", 0, 10, 2, 17, true],
    ["right three times", 0, 20, 3, 34, true],
    ["right often", 0, 100, 4, 129.99, false],
    ["a month ago", 0, 100, 4, 130, true],
    ["right very often", 0, 100, 255, 130, true],
    ["set anew since", 200, 100, 0, 200.5, false],
    ["wrong since", 0, 100, 0, 101, true],
    ["by a clock that was wrong", 900, undefined, 0, 1, true],
  ] as const) {
    const r: Reminder = { set: day(set), passed, ...(checked !== undefined && { checked: day(checked) }) };
    assert.equal(reminderDue(r, day(now)), due, `${name}: ${nextReminder(r).toISOString()}`);
  }
});

/** check is what an app does: with what is in the store. */
async function check(w: World, text: string): Promise<void> {
  await checkPin(w.client, await w.client.journal.backup() ?? noBackup(), pin(text));
}

async function reminder(w: World): Promise<Reminder | undefined> {
  return reminderOf(await w.client.journal.backup() ?? noBackup());
}

/** otherThan is a PIN that the phone knows to be another one than that which it remembers: of 256 wrong ones one passes for right. */
async function otherThan(w: World): Promise<string> {
  for (const text of ["904710", "904711", "904712", "904713"]) {
    try {
      await check(w, text);
    } catch (err) {
      assert.equal(reasonOf(err), "OTHER_PIN");
      return text;
    }
  }
  assert.fail("whatever is typed passes for right");
}

async function remembers(w: World, text: string): Promise<void> {
  await otherThan(w);
  await check(w, text);
}

test("the phone knows its PIN without asking anybody", async () => {
  const w = await World.make();
  await fails(check(w, "482915"), "NOT_FOUND", "before there is a backup");
  await w.register("482915", "secret");
  const calls = w.calls.length;
  assert.deepEqual(await reminder(w), { set: new Date(w.now), passed: 0 });
  for (let n = 1; n <= 3; n++) {
    w.now += hour;
    await check(w, "482915");
    assert.deepEqual([(await reminder(w))?.checked, (await reminder(w))?.passed], [new Date(w.now), n]);
  }
  const wrong = await otherThan(w);
  assert.equal((await reminder(w))?.passed, 0);
  await check(w, "482915");
  const last = w.now;
  w.now += 1000;
  await fails(check(w, wrong), "OTHER_PIN");
  assert.deepEqual([(await reminder(w))?.checked, (await reminder(w))?.passed], [new Date(last), 0]);
  assert.equal(w.calls.length, calls);
  await w.register("739164", "secret");
  await remembers(w, "739164");
  w.forget();
  await w.recovers("739164", "secret"); // with all attempts left
  await remembers(w, "739164");
  await w.remove();
  await fails(check(w, "739164"), "NOT_FOUND", "of a backup that is gone");
  assert.equal((await w.client.journal.backup())?.reminders, undefined);
});

test("who tries on waits longer and longer, the owner as well, and clocks that are set make nobody wait longer", async () => {
  const w = await World.make();
  await w.register("482915", "secret");
  const wrong = await otherThan(w);
  await check(w, "482915");
  const waits = async (text: string, seconds: number): Promise<void> => {
    assert.equal((await fails(check(w, text), "PIN_WAIT")).retryAt?.getTime(), w.now + seconds * 1000);
  };
  for (let n = 0; n < 5; n++) {
    await fails(check(w, wrong), "OTHER_PIN");
  }
  for (const wait of [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1440, 1440].map((minutes) => minutes * 60)) {
    await waits(wrong, wait);
    w.now += (wait - 1) * 1000;
    await waits("482915", 1); // nor is the right one looked at
    w.now += 1000;
    await fails(check(w, wrong), "OTHER_PIN");
  }
  w.now -= 1000 * hour;
  await waits(wrong, 24 * 3600);
  await waits(wrong, 24 * 3600);
  w.now += 24 * hour;
  await check(w, "482915");
  for (let n = 0; n < 5; n++) { // from the beginning
    await fails(check(w, wrong), "OTHER_PIN");
  }
  await waits("482915", 60);
});

test("what the phone keeps of a PIN leaves thousands that it may be", async () => {
  const w = await World.make();
  await w.register("482915", "secret");
  const journal = { saveBackup: () => Promise.resolve() } as unknown as Journal;
  const kept = (await w.client.journal.backup())!;
  let may = 0;
  for (let i = 0; i < 20_000; i++) {
    const one = structuredClone(kept.reminders);
    may += await checkPin({ now: () => w.now, journal }, { ...kept, reminders: one }, pin(String(304_715 + 3 * i))).then(() => 1, () => 0);
  }
  assert.ok(may >= 20 && may <= 200, `${may} of 20,000 PINs may be the one; 78 are expected`);
});

test("while one PIN takes the place of another, it is the new one that its owner has to know", async () => {
  const w = await World.make();
  await w.register("482915", "secret");
  w.script = (c) => (c.vault === "v3" ? "drop" : undefined);
  await fails(w.register("739164", "secret"), "UNAVAILABLE");
  assert.equal((await new Journal(w.disk).backup())?.reminders?.length, 2);
  await remembers(w, "739164");
  w.script = () => undefined;
  await w.register("739164", "secret");
  await remembers(w, "739164");
  assert.equal((await new Journal(w.disk).backup())?.reminders?.length, 1);
});

test("what Go's client remembers of a PIN, this one checks", async () => {
  const { client } = await World.make();
  const { backup, bytes } = journalOf(new Uint8Array(readFileSync("../../recovery/testdata/reminder.cbor")));
  assert.equal(Buffer.compare(bytes, readFileSync("../../recovery/testdata/reminder.cbor")), 0);
  await fails(checkPin(client, backup, typedPin("482916")), "OTHER_PIN");
  await checkPin(client, backup, typedPin("482915"));
});
