// Other ways through /demo than the guide's: by keyboard, by a slip of paper, with a
// window as wide as a phone, and with a reload in the middle of everything.

import assert from "node:assert/strict";
import test from "node:test";
import { accessible } from "./lib/axe.mjs";
import { open } from "./lib/browser.mjs";
import { again, fingerprint, guide, ready, setUp, shows, type } from "./lib/demo.mjs";

const { STAUNCH_AUTHENTICATOR: kind } = process.env;
const pin = "739154";

test("freeze, by a phone and by a slip of paper", async (t) => {
  const b = await open(t);
  b.expected.push(/status of 4\d\d/);
  const { page } = b;
  if (kind === "browser") await b.authenticator();
  await setUp(b);
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
  const reload = async (...phones) => {
    await again(b);
    for (const p of phones) await page.waitForSelector(p);
  };
  await ready(b);
  await guide(b);
  await page.waitForSelector('#blue [data-screen="Setting up"]');
  await reload();
  if (!(await page.isVisible("#blue [data-fingerprint]"))) await guide(b);
  await shows(b, "blue", "Chats");
  const whole = await fingerprint(b, "blue");
  await page.click("#coral [data-act=receive]");
  await page.waitForSelector("#coral canvas.qr");
  await reload("#coral canvas.qr");
  await guide(b);
  await page.waitForSelector("#blue [data-act=agree]");
  await reload("#blue [data-act=agree]");
  await page.click("#blue [data-act=agree]");
  await page.waitForSelector("#blue [data-number]");
  await reload("#blue [data-number]", "#coral .pin");
  await type(b, "coral", await page.getAttribute("#blue [data-number]", "data-number"));
  await page.waitForSelector("#blue [data-act=confirm]");
  await reload("#blue [data-act=confirm]");
  await page.click("#blue [data-act=confirm]");
  await page.waitForSelector("#coral .countdown");
  await reload();
  await page.click("#blue [data-act=confirm]", { timeout: 60_000 });
  await reload();
  const next = await page.waitForSelector('#blue [data-act=confirm], #coral [data-screen="Chats"]', { timeout: 60_000 });
  if ((await next.getAttribute("data-act")) !== null) await next.click(); // the reload was quicker than the passkey, so it is asked for again
  await shows(b, "coral", "Chats");
  assert.equal(await fingerprint(b, "coral"), whole);
});

test("dark, and as wide as a phone", async (t) => {
  const b = await open(t, { viewport: { width: 390, height: 844 }, colorScheme: "dark" });
  const { page } = b;
  await ready(b);
  await accessible(b, "dark, narrow");
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 390, "nothing sticks out");
});

test("by keyboard alone", async (t) => {
  const b = await open(t);
  const { page } = b;
  if (kind === "browser") await b.authenticator();
  await ready(b);
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
