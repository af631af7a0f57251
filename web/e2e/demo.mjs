// The five minutes of /demo, from the first click to the last attack, as somebody
// clicks who reads nothing but the guide.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import test from "node:test";
import { accessible } from "./lib/axe.mjs";
import { open, url } from "./lib/browser.mjs";

const { STAUNCH_AUTHENTICATOR: kind, STAUNCH_SCREENSHOTS: out } = process.env;
const pin = "739154";
const sixNoDay = "806271"; // another PIN that the rules allow

// picture takes one for docs/demo.md, when asked to, and looks at the page with axe.
async function picture(b, name) {
  await b.page.waitForTimeout(300); // what fades has faded
  await accessible(b, name);
  if (!out) return;
  mkdirSync(out, { recursive: true });
  await b.page.evaluate(() => document.querySelectorAll(".note").forEach((n) => delete n.dataset.shown));
  await b.page.waitForTimeout(250);
  await b.page.screenshot({ path: `${out}/demo-${name}.jpg`, type: "jpeg", quality: 82 });
}

const guide = (b) => b.page.click("[data-act=guide]");
const shows = (b, phone, screen) => b.page.waitForSelector(`#${phone} [data-screen="${screen}"]`, { timeout: 60_000 });
const fingerprint = (b, phone) => b.page.getAttribute(`#${phone} [data-fingerprint]`, "data-fingerprint");
const tries = (b) => b.page.$$eval("#vaults .box", (boxes) => boxes.map((box) => box.dataset.used));

async function type(b, phone, digits) {
  await b.page.fill(`#${phone} .pin`, digits);
  await b.page.click(`#${phone} [data-act=pin-yes]`);
}

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
  await page.goto(`${url}/demo`);
  await page.waitForSelector("body[data-ready]");
  await picture(b, "start");

  await t.test("set up", async () => {
    await guide(b);
    await shows(b, "blue", "Chats");
    assert.match(await page.textContent("#blue .count-in"), /^320 messages36 pictures/);
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
    await page.waitForSelector("#blue .note.bad[data-shown]"); // too easy
    await type(b, "blue", pin);
    await page.waitForFunction(() => document.querySelectorAll("#vaults .box[data-state=full]").length === 3, undefined, { timeout: 60_000 });
    await shows(b, "blue", "Chats");
    await picture(b, "vaults");
  });

  await t.test("move", async () => {
    await guide(b);
    await page.waitForSelector("#coral canvas.qr");
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
    await page.reload();
    await page.waitForSelector("body[data-ready]");
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
    await page.waitForSelector("#blue .note.bad[data-shown]", { timeout: 60_000 });
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

test("freeze, by a phone and by a slip of paper", async (t) => {
  const b = await open(t);
  b.expected.push(/status of 4\d\d/);
  const { page } = b;
  if (kind === "browser") await b.authenticator();
  await page.goto(`${url}/demo`);
  await guide(b);
  await shows(b, "blue", "Chats");
  await page.click("[data-act=freeze-by-code]");
  await page.waitForFunction(() => document.querySelector("#slip [role=status]").textContent.startsWith("Frozen"));
  await page.click("#blue [data-act=tab-safety]");
  await page.click("#blue [data-act=unfreeze]");
  await page.click("#blue [data-act=confirm]");
  await page.click("#blue [data-act=freeze]");
  await page.waitForSelector("#blue [data-act=unfreeze]");
});

test("a reload in the middle of it goes on", { skip: kind === "browser" && "it is gone through with the authenticator of software" }, async (t) => {
  const b = await open(t);
  b.expected.push(/status of 4\d\d/);
  const { page } = b;
  const again = async (...phones) => {
    await page.reload();
    await page.waitForSelector("body[data-ready]");
    for (const p of phones) await page.waitForSelector(p);
  };
  await page.goto(`${url}/demo`);
  await guide(b);
  await page.waitForSelector('#blue [data-screen="Setting up"]');
  await again();
  if (!(await page.isVisible("#blue [data-fingerprint]"))) await guide(b);
  await shows(b, "blue", "Chats");
  const whole = await fingerprint(b, "blue");
  await page.click("#coral [data-act=receive]");
  await page.waitForSelector("#coral canvas.qr");
  await again("#coral canvas.qr");
  await guide(b);
  await page.waitForSelector("#blue [data-act=agree]");
  await again("#blue [data-act=agree]");
  await page.click("#blue [data-act=agree]");
  await page.waitForSelector("#blue [data-number]");
  await again("#blue [data-number]", "#coral .pin");
  await type(b, "coral", await page.getAttribute("#blue [data-number]", "data-number"));
  await page.waitForSelector("#blue [data-act=confirm]");
  await again("#blue [data-act=confirm]");
  await page.click("#blue [data-act=confirm]");
  await page.waitForSelector("#coral .countdown");
  await again();
  await page.click("#blue [data-act=confirm]", { timeout: 60_000 });
  await again();
  const next = await page.waitForSelector('#blue [data-act=confirm], #coral [data-screen="Chats"]', { timeout: 60_000 });
  if ((await next.getAttribute("data-act")) !== null) await next.click(); // the reload was quicker than the passkey, so it is asked for again
  await shows(b, "coral", "Chats");
  assert.equal(await fingerprint(b, "coral"), whole);
});

test("dark, and as wide as a phone", async (t) => {
  const b = await open(t, { viewport: { width: 390, height: 844 }, colorScheme: "dark" });
  const { page } = b;
  await page.goto(`${url}/demo`);
  await page.waitForSelector("body[data-ready]");
  await accessible(b, "dark, narrow");
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 390, "nothing sticks out");
});

test("by keyboard alone", async (t) => {
  const b = await open(t);
  const { page } = b;
  if (kind === "browser") await b.authenticator();
  await page.goto(`${url}/demo`);
  await page.waitForSelector("body[data-ready]");
  await page.focus("[data-act=guide]");
  await page.keyboard.press("Enter");
  await shows(b, "blue", "Chats");
  assert.equal(await page.evaluate(() => document.activeElement?.dataset.act), "guide", "the next step is where the last one was");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.activeElement?.matches("#blue .pin"));
  await page.keyboard.type(pin);
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.querySelectorAll("#vaults .box[data-state=full]").length === 3, undefined, { timeout: 60_000 });
});
