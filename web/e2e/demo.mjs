// The five minutes of /demo, from the first click to the last attack, as somebody
// clicks who reads nothing but the guide.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import test from "node:test";
import { accessible } from "./lib/axe.mjs";
import { open } from "./lib/browser.mjs";
import { again, fingerprint, fits, guide, ready, shows, type } from "./lib/demo.mjs";

const { STAUNCH_AUTHENTICATOR: kind, STAUNCH_SCREENSHOTS: out } = process.env;
const pin = "739154";
const sixNoDay = "806271"; // another PIN that the rules allow

// picture takes one for docs/demo.md, when asked to, looks at the page with axe, and
// at whether all of it can be seen.
async function picture(b, name) {
  await b.page.waitForTimeout(300); // what fades has faded
  await accessible(b, name);
  if (kind === "software") await fits(b, name); // the page is the same with the other one
  if (!out) return;
  mkdirSync(out, { recursive: true });
  await b.page.evaluate(() => document.querySelectorAll(".note").forEach((n) => delete n.dataset.shown));
  await b.page.waitForTimeout(250);
  await b.page.screenshot({ path: `${out}/demo-${name}.jpg`, type: "jpeg", quality: 82 });
}

const tries = (b) => b.page.$$eval("#vaults .box", (boxes) => boxes.map((box) => box.dataset.used));

// records are all that the server has written down.
async function records(b) {
  return b.page.evaluate(async () => {
    const all = [];
    for (let after = 0, run = ""; ; ) {
      const got = await (await fetch(`/demo/records?after=${after}&run=${run}`)).json();
      all.push(...got.records);
      if (got.records.length === 0) return all;
      ({ next: after, run } = got);
    }
  });
}

test(`five minutes, with an authenticator of ${kind}`, async (t) => {
  const b = await open(t, { viewport: { width: 1360, height: 860 } });
  b.expected.push(/status of 4\d\d/); // what the thief is told
  const { page } = b;
  const authenticator = kind === "browser" ? await b.authenticator() : undefined;
  await ready(b);
  await picture(b, "start");

  await t.test("set up", async () => {
    await guide(b);
    await shows(b, "blue", "Chats");
    assert.match(await page.textContent("#blue .count-in"), /^320 messages36 pictures/);
    await page.waitForSelector("#trail [data-action='account.enrol']");
    const told = await page.$$eval("#trail li", (all) => all.slice(0, 2).map((li) => [li.querySelector(".who").textContent, li.dataset.action]));
    assert.deepEqual(told, [["Marie · new phone", "account.enrol"], ["Marie · new phone", "attest.register"]], "the newest first, and what it rests on below");
    assert.equal((await authenticator?.credentials())?.length, authenticator && 1, "the passkey is in the browser's authenticator");
    await page.click("#blue .chat >> nth=1");
    await page.waitForSelector("#blue canvas[data-drawn]");
    await picture(b, "chat");
    await page.click("#blue [data-act=tab-safety]");
    await page.waitForSelector("#blue .rows");
    await picture(b, "safety");
  });

  const whole = await (async () => {
    await page.click("#blue [data-act=tab-chats]");
    await shows(b, "blue", "Chats");
    return fingerprint(b, "blue");
  })();

  await t.test("choose a PIN", async () => {
    await guide(b);
    await type(b, "blue", "123456");
    await page.waitForSelector("#blue .trouble[data-shown]"); // too easy
    await type(b, "blue", pin);
    await page.waitForFunction(() => document.querySelectorAll("#vaults .box[data-state=full]").length === 3, undefined, { timeout: 60_000 });
    await shows(b, "blue", "Chats");
    await picture(b, "vaults");
  });

  await t.test("move", async () => {
    await guide(b);
    await page.waitForSelector("#coral canvas.qr");
    await page.waitForSelector("#trail [data-action='transfer.offered']");
    assert.equal(await page.textContent("#trail [data-action='transfer.offered'] .who"), "unknown phone");
    await picture(b, "code");
    await guide(b);
    await page.waitForSelector("#blue [data-act=agree]");
    await guide(b); // the guide says yes as well as the phone
    const number = await page.waitForSelector("#blue [data-number]");
    await page.waitForSelector("#coral .pin");
    await picture(b, "number");
    await type(b, "coral", await number.getAttribute("data-number"));
    await page.click("#blue [data-act=confirm]");
    await page.waitForSelector("#blue .countdown");
    await picture(b, "hold");
    await page.click("#blue [data-act=confirm]", { timeout: 60_000 }); // behind the hold
    await shows(b, "coral", "Chats");
    await shows(b, "blue", "Moved");
    assert.equal(await fingerprint(b, "coral"), whole, "byte for byte");
    await picture(b, "moved");
  });

  await t.test("a reload forgets nothing", async () => {
    await again(b);
    await shows(b, "coral", "Chats");
    await shows(b, "blue", "Moved");
    assert.equal(await fingerprint(b, "coral"), whole);
  });

  await t.test("lose it", async () => {
    await guide(b);
    await shows(b, "coral", "Lost");
    const left = await page.evaluate(async () => (await indexedDB.databases()).map((d) => d.name));
    assert.ok(left.includes("staunch-demo-blue"), "the blue phone has a database");
    const kept = await page.evaluate(() => new Promise((resolve, reject) => {
      const open = indexedDB.open("staunch-demo-coral");
      open.onerror = () => reject(open.error);
      open.onsuccess = () => {
        const db = open.result;
        const names = [...db.objectStoreNames];
        if (names.length === 0) return resolve([]);
        const keys = db.transaction(names[0]).objectStore(names[0]).getAllKeys();
        keys.onsuccess = () => {
          db.close();
          resolve(keys.result);
        };
      };
    }));
    assert.deepEqual(kept, [], "nothing is left of a lost phone");
    await picture(b, "lost");
  });

  await t.test("get it back", async () => {
    await guide(b);
    await page.waitForSelector("#blue .pin", { timeout: 60_000 });
    const before = await tries(b);
    await type(b, "blue", sixNoDay);
    await page.waitForSelector("#blue .trouble[data-shown]", { timeout: 60_000 });
    await page.waitForFunction(() => [...document.querySelectorAll("#vaults .box")].filter((box) => box.dataset.used === "1").length >= 2);
    assert.deepEqual(before, ["0", "0", "0"]);
    await picture(b, "wrong-pin");
    await type(b, "blue", pin);
    await shows(b, "blue", "Chats");
    assert.equal(await fingerprint(b, "blue"), whole, "byte for byte, out of the backup");
    assert.equal((await authenticator?.credentials())?.length, authenticator && 1, "the passkey of the wiped phone is gone from the browser's authenticator");
    await page.waitForFunction(() => [...document.querySelectorAll("#vaults .box")].every((box) => box.dataset.used === "0"));
    await picture(b, "recovered");
  });

  await t.test("be the thief", async () => {
    await guide(b);
    await page.waitForFunction(() => document.querySelectorAll(".attack").length === document.querySelectorAll(".attack[data-state=stopped]").length, undefined, { timeout: 120_000 })
      .catch(async () => assert.fail(`not all were stopped: ${JSON.stringify(await page.$$eval(".attack:not([data-state=stopped])", (all) => all.map((a) => a.textContent)))}`));
    const done = await page.$$eval(".attack", (all) => all.map((a) => ({ name: a.dataset.name, record: a.dataset.record, code: a.dataset.code })));
    const wanted = ["repackaged", "emulator", "replayed-payment", "changed-payment", "guessed-pin", "stolen-session", "rolled-back-record", "strangers-code"];
    for (const w of wanted) assert.ok(done.some((a) => a.name === w), `${w} is among ${done.map((a) => a.name)}`);
    const all = await records(b);
    for (const a of done) {
      const r = all.find((e) => e.id === a.record);
      assert.ok(r, `${a.name}: the server has no record ${a.record}`);
      assert.equal(r.code || r.action, a.code, a.name); // a counted attempt has no code but its action
      const counted = r.action === "recovery.attempt" && r.left < 10; // vaults do not refuse a guess, they count it
      assert.ok(r.refused || counted, `${a.name}: its record is no refusal: ${JSON.stringify(r)}`);
    }
    assert.equal(new Set(done.map((a) => a.record)).size, done.length, "each has a record of its own");
    assert.match(await page.textContent("#guide h2"), /Nothing got through/);
    await page.evaluate(() => scrollTo(0, document.querySelector("#thief").offsetTop - 16));
    await picture(b, "thief");
    await again(b);
    assert.equal((await page.$$(".attack[data-state=stopped]")).length, done.length, "what came of it is there after a reload");
    await page.waitForSelector(`#trail [data-record="${done[0].record}"]`);
    await page.click(".attack .seek >> nth=0");
    assert.equal(await page.getAttribute("#trail [data-chosen]", "data-record"), done[0].record);
    await picture(b, "record");
  });

  await page.evaluate(() => scrollTo(0, 0));
  await page.click("#trail header button");
  for (const [name, colorScheme, width, height] of [["dark", "dark", 1360, 860], ["phone", "light", 390, 844]]) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.setViewportSize({ width, height });
    await picture(b, name);
  }
});
