import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

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

async function remembers(w: World, text: string, not: string): Promise<void> {
  await fails(check(w, not), "OTHER_PIN", not);
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
  const last = w.now;
  for (let n = 0; n < 20; n++) {
    w.now += 1000;
    await fails(check(w, "482916"), "OTHER_PIN");
  }
  assert.deepEqual([(await reminder(w))?.checked, (await reminder(w))?.passed], [new Date(last), 0]);
  assert.equal(w.calls.length, calls);
  await w.register("739164", "secret");
  await remembers(w, "739164", "482915");
  w.forget();
  await w.recovers("739164", "secret"); // with all attempts left
  await remembers(w, "739164", "482915");
  await w.remove();
  await fails(check(w, "739164"), "NOT_FOUND", "of a backup that is gone");
  assert.equal((await w.client.journal.backup())?.reminders, undefined);
});

test("while one PIN takes the place of another, it is the new one that its owner has to know", async () => {
  const w = await World.make();
  await w.register("482915", "secret");
  w.script = (c) => (c.vault === "v3" ? "drop" : undefined);
  await fails(w.register("739164", "secret"), "UNAVAILABLE");
  assert.equal((await new Journal(w.disk).backup())?.reminders?.length, 2);
  await remembers(w, "739164", "482915");
  w.script = () => undefined;
  await w.register("739164", "secret");
  await remembers(w, "739164", "482915");
  assert.equal((await new Journal(w.disk).backup())?.reminders?.length, 1);
});

test("what Go's client remembers of a PIN, this one checks", async () => {
  const { client } = await World.make();
  const { backup, bytes } = journalOf(new Uint8Array(readFileSync("../../recovery/testdata/reminder.cbor")));
  assert.equal(Buffer.compare(bytes, readFileSync("../../recovery/testdata/reminder.cbor")), 0);
  await fails(checkPin(client, backup, typedPin("482916")), "OTHER_PIN");
  await checkPin(client, backup, typedPin("482915"));
});
