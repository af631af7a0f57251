// The account: freeze, other sessions, the join of a second browser, alerts.

import assert from "node:assert/strict";
import test from "node:test";
import { accessible } from "./lib/axe.mjs";
import { control, open, url } from "./lib/browser.mjs";

async function owner(t) {
  const b = await open(t);
  const a = await b.authenticator();
  await b.signUp();
  return { b, a };
}

test("a freeze from elsewhere ends the page within five seconds", async (t) => {
  const { b, a } = await owner(t);
  b.expected.push(/status of 4\d\d/);
  await a.present(false);
  const id = await b.account();
  await b.page.goto(`${url}/account/devices`);
  await b.page.waitForTimeout(500);
  const began = Date.now();
  await control(`/freeze?account=${id}`);
  await b.page.waitForURL(`${url}/signin?ended`, { timeout: 5000 });
  t.diagnostic(`${Date.now() - began} ms`);
});

test("freeze takes one tap, and a passkey that stays on its device thaws it", async (t) => {
  const { b, a } = await owner(t);
  b.expected.push(/status of 4\d\d/);
  await b.page.goto(`${url}/account`);
  await a.present(false);
  await b.page.click("text=Freeze now");
  await b.page.waitForURL(`${url}/signin?frozen`);
  assert.match(await b.page.textContent("#status"), /frozen/);
  await a.present(true);
  await b.page.reload();
  await b.page.waitForURL(`${url}/account`);
  assert.match(await b.page.textContent("main"), /Your account is frozen/);
  const offered = () => b.page.$$eval("[data-act]", (all) => all.map((e) => e.dataset.action ?? e.dataset.act));
  for (const path of ["/account/devices", "/account/passkeys", "/account"]) {
    await b.page.goto(url + path);
    assert.deepEqual(await offered(), ["sign-out", "account.unfreeze", ...(path.endsWith("devices") ? ["sign-out"] : [])], `${path} offers what is only refused`);
    assert.match(await b.page.textContent("main"), /to wait until your account is unfrozen/);
    await accessible(b, `frozen, ${path}`);
  }
  for (const action of ["handle.change", "freeze_code.renew", "account.delete"]) { // what the overview leaves out is what the server refuses
    const refused = await b.page.evaluate(async (action) => {
      const answer = await fetch("/account/propose", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ action, handle: "marie" }) });
      return (await answer.json()).reason;
    }, action);
    assert.equal(refused, "ACCOUNT_FROZEN", action);
  }
  await b.page.click("button:text('Unfreeze')");
  await b.page.waitForSelector("#ask-text:not([hidden])");
  await b.page.click("#ask-yes");
  await b.said(/works again/);
  assert.doesNotMatch(await b.page.textContent("main"), /Your account is frozen/);
});

test("the code on paper freezes from any browser, also one without passkeys", async (t) => {
  const b = await open(t);
  await b.authenticator();
  const code = await b.signUp();
  b.expected.push(/status of 4\d\d/);
  const n = await open(t);
  n.expected.push(/status of 4\d\d/);
  await n.page.goto(`${url}/signin`);
  await n.page.click("text=Freeze your account with its code");
  await n.page.waitForURL(`${url}/freeze`);
  await accessible(n, "freeze");
  await n.page.keyboard.press("Tab");
  await n.page.fill("#code", "aaaa-bbbb");
  await n.page.keyboard.press("Enter");
  await n.said(/four groups of four/);
  await n.page.fill("#code", code.toUpperCase().replaceAll("-", " "));
  await n.page.keyboard.press("Enter");
  await n.said(/the account is frozen now/);
  assert.equal(await n.page.inputValue("#code"), "", "the next one at this computer does not find it");
  await b.page.waitForURL(`${url}/signin?ended`, { timeout: 5000 });
});

test("what goes wrong is said where it is seen", async (t) => {
  const { b } = await owner(t);
  b.expected.push(/status of 4\d\d/);
  await b.page.setViewportSize({ width: 390, height: 500 });
  await b.page.goto(`${url}/account/devices`);
  await b.page.fill("#join-code", "staunch-join:j_abcdefghijklmnopqrstuvwxy2.AAAAAAAAAAAAAAAAAAAAAA");
  await b.page.fill("#join-number", "11");
  await b.page.click("#join button");
  await b.page.waitForFunction(() => document.getElementById("status").textContent !== "");
  const { top, bottom } = await b.page.evaluate(() => document.getElementById("status").getBoundingClientRect().toJSON());
  assert.ok(top >= 0 && bottom <= 500, `it is at ${top} to ${bottom} of 500`);
});

test("a second browser joins, with the number and a passkey of its own", async (t) => {
  const { b } = await owner(t);
  b.expected.push(/status of 4\d\d/);
  const n = await open(t);
  const theirs = await n.authenticator();
  await n.page.goto(`${url}/join`);
  await n.page.click("#go");
  await n.page.waitForSelector("#wait:not([hidden])");
  await n.page.waitForFunction(() => document.getElementById("qr").naturalWidth > 100);
  const number = await n.page.textContent("#number");
  const code = await n.page.textContent("#code");
  assert.match(number, /^\d\d$/);

  await b.page.goto(`${url}/account/devices`);
  const wrong = number === "11" ? "12" : "11";
  await let_in(b, code, wrong);
  await b.page.waitForFunction(() => /not the number/.test(document.body.textContent));
  await b.page.goto(`${url}/account/devices`);
  await let_in(b, code, number);
  await b.said(/new device is in/);

  await n.page.waitForSelector("#make:not([hidden])");
  await n.page.click("#create");
  await n.page.waitForURL(`${url}/account`);
  assert.equal((await theirs.credentials()).length, 1);
  await n.page.goto(`${url}/account/devices`);
  assert.equal(await n.page.locator("[aria-labelledby=browsers] li").count(), 2);

  await b.page.goto(`${url}/account/devices`); // and is signed out from there
  await b.page.click("[data-act=end-session]");
  await b.agree(/is signed out/);
  await b.said(/signed out/);
  n.expected.push(/status of 4\d\d/);
  await n.page.waitForURL(/\/signin/, { timeout: 10_000 });
});

async function let_in(b, code, number) {
  await b.page.fill("#join-code", code);
  await b.page.fill("#join-number", number);
  await b.page.click("text=Look at it");
  await b.agree(/not the number/);
}

test("a shared screen comes in as a guest, and may do nothing here", async (t) => {
  const { b } = await owner(t);
  const n = await open(t);
  b.expected.push(/status of 4\d\d/);
  n.expected.push(/status of 4\d\d/);
  await n.page.goto(`${url}/join`);
  await n.page.click("#guest");
  await n.page.waitForSelector("#wait:not([hidden])");
  await b.page.goto(`${url}/account/devices`);
  await let_in(b, await n.page.textContent("#code"), await n.page.textContent("#number"));
  await b.said(/signed in as a guest/);
  await n.page.waitForURL(`${url}/account`);
  const page = await n.page.textContent("main");
  assert.match(page, /You are here as a guest/);
  assert.doesNotMatch(page, /Freeze now/);
  await n.page.click("text=Sign out");
  await n.page.waitForURL(`${url}/signin`);
  assert.equal((await n.context.cookies()).find((c) => c.name === "__Host-staunch"), undefined);
});

test("alerts come in while the page is open, and stay as read", async (t) => {
  const { b } = await owner(t);
  const { ID } = await control(`/approval?account=${await b.account()}&text=Pay`);
  await b.page.goto(`${url}/account/alerts`);
  await b.page.waitForTimeout(500);
  const rows = await b.page.locator("#alerts li").count();
  const other = await b.context.newPage();
  await other.goto(`${url}/account/approve/${ID}`);
  await other.click("#no");
  await other.waitForURL(`${url}/account`);
  await b.page.waitForFunction((n) => document.querySelectorAll("#alerts li").length > n, rows, { timeout: 5000 });
  assert.match(await b.page.textContent("#alerts li:first-child"), /Pay/);
  assert.equal(await b.page.isVisible("#unread"), true);
  await b.page.reload();
  assert.equal(await b.page.locator("#alerts li").count(), rows + 1);
  assert.ok((await b.page.locator("#alerts .tag").count()) > 0);
  await b.page.click("[data-act=seen]");
  await b.page.waitForFunction(() => document.querySelectorAll("#alerts .tag").length === 0);
});
