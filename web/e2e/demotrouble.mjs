// What the page of /demo does when something goes wrong: a reload at the worst
// moment, a click on the wrong button, a move that is refused.

import assert from "node:assert/strict";
import test from "node:test";
import { accessible } from "./lib/axe.mjs";
import { open } from "./lib/browser.mjs";
import { again, fits, forget, guide, ready, setUp, shows, trouble, type } from "./lib/demo.mjs";

const codeOf = (b) => b.page.textContent("#slip dd >> nth=1");
const frozen = (b) => b.page.waitForFunction(() => document.querySelector("#slip [role=status]").textContent.startsWith("Frozen"));

test("a freeze code that was lost is missing, and can be had anew", async (t) => {
  const b = await open(t, { viewport: { width: 1280, height: 720 } });
  b.expected.push(/status of 4\d\d/);
  const { page } = b;
  await setUp(b);
  const first = await codeOf(b);
  await forget(b, "freezeCode");
  await again(b);
  await shows(b, "blue", "Chats");
  assert.match(await codeOf(b), /^Missing/);
  assert.equal(await page.isVisible("[data-act=freeze-by-code]"), false, "there is nothing to freeze with");
  await accessible(b, "a slip without a code");
  await page.click("[data-act=renew-by-slip]");
  assert.match(await page.textContent("#blue blockquote.signed"), /freeze code/i, "the words that the passkey signs");
  await page.click("#blue [data-act=confirm]");
  await page.waitForSelector("[data-act=freeze-by-code]");
  const second = await codeOf(b);
  assert.notEqual(second, first);
  await page.click("#blue [data-act=tab-safety]");
  await page.click("#blue [data-act=renew-code]");
  await page.click("#blue [data-act=confirm]");
  await page.waitForFunction((before) => document.querySelectorAll("#slip dd")[1].textContent !== before, second);
  await page.click("[data-act=freeze-by-code]");
  await frozen(b);
  await page.click("#blue [data-act=tab-safety]");
  await page.waitForSelector("#blue [data-act=unfreeze]"); // it was the code that counts
});

test("setting up that was cut off goes on, and brings a freeze code", async (t) => {
  const b = await open(t);
  b.expected.push(/status of 4\d\d/);
  const { page } = b;
  await ready(b);
  let made;
  const reached = new Promise((resolve) => (made = resolve));
  await page.route("**/FinishEnrol", async (route) => made(await route.fetch())); // the server makes the account, and the phone never hears of it
  await guide(b);
  assert.equal((await reached).status(), 200);
  await page.unroute("**/FinishEnrol");
  await again(b);
  await shows(b, "blue", "Cut off");
  await fits(b, "cut off");
  await page.click("#blue [data-act=enrol]");
  await shows(b, "blue", "Chats");
  assert.match(await codeOf(b), /^[a-z0-9]{4}(-[a-z0-9]{4})+$/);
  await page.click("[data-act=freeze-by-code]");
  await frozen(b);
});

test("starting over asks, once there is something to lose", async (t) => {
  const b = await open(t);
  const { page } = b;
  await ready(b);
  const loaded = page.waitForEvent("load");
  await page.click("[data-act=start-over]"); // nothing is lost by it: it does not ask
  await loaded;
  await setUp(b);
  const code = await codeOf(b);
  for (const no of [() => page.keyboard.press("Escape"), () => page.click("dialog[open] button:not([data-act=yes])")]) {
    await page.click("[data-act=start-over]");
    await page.waitForSelector("dialog[open]");
    await accessible(b, "start over?");
    await no();
    await page.waitForSelector("dialog", { state: "detached" });
  }
  await again(b);
  await shows(b, "blue", "Chats");
  assert.equal(await codeOf(b), code, "all is kept");
  await page.click("[data-act=start-over]");
  const anew = page.waitForEvent("load");
  await page.click("dialog [data-act=yes]");
  await anew;
  await page.waitForSelector("body[data-ready]");
  await shows(b, "blue", "Welcome");
  assert.equal(await page.isVisible("#slip"), false);
});

test("why a move has ended stays until the person goes on", async (t) => {
  const b = await open(t);
  b.expected.push(/status of 4\d\d/);
  const { page } = b;
  await setUp(b);
  const begin = async () => {
    await page.click("#coral [data-act=receive]");
    await page.waitForSelector("#coral canvas.qr");
    await page.click("#blue [data-act=tab-safety]");
    await page.click("#blue [data-act=scan]");
    await page.click("#blue [data-act=agree]");
    await page.waitForSelector("#coral .pin");
    return page.getAttribute("#blue [data-number]", "data-number");
  };
  const other = String((Number(await begin()) + 1) % 1_000_000).padStart(6, "0");
  for (const left of [2, 1]) {
    await type(b, "coral", other);
    await page.waitForFunction((left) => document.querySelector("#coral .pinpad p")?.textContent.includes(`${left} tries left`), left);
  }
  await type(b, "coral", other);
  for (const phone of ["coral", "blue"]) {
    assert.match(await trouble(b, phone), /^Three wrong numbers: .* nothing has moved. move: number_mismatch$/);
  }
  await accessible(b, "a move that has ended");
  await fits(b, "a move that has ended");
  await page.waitForTimeout(8000); // longer than a note of what went well
  assert.equal(await page.isVisible("#coral .trouble"), true);
  await type(b, "coral", await begin()); // the person goes on
  assert.equal(await page.isVisible("#coral .trouble"), false);
  assert.equal(await page.isVisible("#blue .trouble"), false);
  await page.click("#blue [data-act=confirm]");
  await page.waitForSelector("#coral .countdown");
  assert.match(await page.textContent("#guide h2"), /to say no/);
  await page.click("#coral [data-act=cancel-move]");
  for (const phone of ["coral", "blue"]) {
    assert.match(await trouble(b, phone), /^The move was cancelled on one of the phones\. Nothing has moved\. move: user_cancelled$/);
  }
  await page.click("#blue .trouble .shut");
  assert.equal(await page.isVisible("#blue .trouble"), false);
});

// errorInfo is a reason as the server sends it: google.rpc.ErrorInfo, reason = 1, domain = 2.
const errorInfo = (reason) => Buffer.from([...[reason, "staunch"].flatMap((text, i) => [8 * (i + 1) + 2, text.length, ...Buffer.from(text)])]).toString("base64").replace(/=+$/, "");

test("a reason that nobody has put into words is one for people all the same", async (t) => {
  const b = await open(t);
  b.expected.push(/status of 4\d\d/);
  const { page } = b;
  await setUp(b);
  const answers = (code, reason) => page.route("**/Freeze", (route) => route.fulfill({
    status: 400, contentType: "application/json",
    body: JSON.stringify({ code, message: "internal words", details: reason ? [{ type: "google.rpc.ErrorInfo", value: errorInfo(reason) }] : [] }),
  }));
  for (const [code, reason, want] of [
    ["failed_precondition", "NEVER_HEARD_OF", "That cannot be done as things stand now. NEVER_HEARD_OF"],
    ["aborted", "", "Something has changed meanwhile. Look again, and try again. aborted"],
    ["data_loss", "WORSE", "That did not work, and it is no fault of yours. Nothing is lost: try again. WORSE"],
    ["failed_precondition", "TOO_EARLY", "It is too early. Wait for the clock to run out. TOO_EARLY"],
  ]) {
    await answers(code, reason);
    await page.click("#blue [data-act=tab-safety]");
    await page.click("#blue [data-act=freeze]");
    assert.equal(await trouble(b, "blue"), want);
    await page.unroute("**/Freeze");
  }
});
