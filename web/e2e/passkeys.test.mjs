// What is done with passkeys once one is in: add, rename, remove.

import assert from "node:assert/strict";
import test from "node:test";
import { control, open, url } from "./lib/browser.mjs";

async function owner(t, options) {
  const b = await open(t);
  const a = await b.authenticator(options);
  await b.signUp();
  return { b, a };
}

const cards = (b) => b.page.$$eval(".list .name b", (all) => all.map((x) => x.textContent));

// second adds a passkey on another authenticator, and confirms with the first
// that it is the owner.
async function second(b) {
  await b.page.goto(`${url}/account/passkeys`);
  const other = await b.authenticator({ transport: "usb" });
  await b.page.click("text=On a security key");
  await b.page.click("#ask-yes");
  await b.said(/new passkey is saved/);
  return other;
}

test("a passkey is added after a step-up, and not twice on one device", async (t) => {
  const { b, a } = await owner(t);
  const before = (await b.context.cookies()).find((c) => c.name === "__Host-staunch").value;
  b.expected.push(/status of 403/); // STEP_UP_REQUIRED: the session began with a creation
  const other = await second(b);
  assert.equal((await cards(b)).length, 2);
  assert.equal((await other.credentials()).length, 1);
  assert.equal((await a.credentials()).length, 1);
  const after = (await b.context.cookies()).find((c) => c.name === "__Host-staunch").value;
  assert.notEqual(after, before, "a new token, for the class rose");

  await b.page.click("text=On this device"); // both have one: excludeCredentials
  await b.said(/already has a passkey/);
  assert.equal((await cards(b)).length, 2);
});

test("a passkey is renamed", async (t) => {
  const { b } = await owner(t);
  await b.page.goto(`${url}/account/passkeys`);
  await b.page.click("text=Rename");
  await b.page.fill("#ask-input", "The blue one");
  await b.page.keyboard.press("Enter");
  await b.said(/name is changed/);
  assert.deepEqual(await cards(b), ["The blue one"]);
});

test("a passkey that is removed goes from the browser, too", async (t) => {
  const { b, a } = await owner(t);
  b.expected.push(/status of 403/);
  const other = await second(b);
  const [{ credentialId }] = await other.credentials();
  await b.page.click("li:nth-child(2) >> text=Remove");
  await b.page.waitForSelector("#ask-text:not([hidden])");
  await b.page.click("#ask-yes");
  await b.said(/passkey is removed/);
  assert.equal((await cards(b)).length, 1);
  const left = [...(await a.credentials()), ...(await other.credentials())];
  assert.ok(!left.some((c) => c.credentialId === credentialId), "signalAllAcceptedCredentials has deleted it");
  assert.equal(left.length, 1);
});

test("the last passkey stays", async (t) => {
  const { b } = await owner(t);
  b.expected.push(/status of 4\d\d/);
  await b.page.goto(`${url}/account/passkeys`);
  await b.page.click("text=Remove");
  await b.page.waitForSelector("#ask[open]").catch(() => {});
  if (await b.page.isVisible("#ask-yes")) await b.page.click("#ask-yes");
  await b.page.waitForFunction(() => /last passkey/.test(document.body.textContent));
  assert.equal((await cards(b)).length, 1);
});

test("a passkey that was removed elsewhere is deleted by the sign-in page", async (t) => {
  const { b, a } = await owner(t);
  b.expected.push(/status of 40\d/);
  const other = await second(b);
  const [credential] = await other.credentials();
  await b.page.click("li:nth-child(2) >> text=Remove");
  await b.page.click("#ask-yes");
  await b.said(/passkey is removed/);
  for (const x of [a, other]) await x.present(false); // or the field would sign in by itself
  await b.page.click("text=Sign out");
  await b.page.waitForURL(`${url}/signin`);
  const [first] = await a.credentials();
  await a.send("removeCredential", { credentialId: first.credentialId });
  // The page has told the browser that it is gone. The authenticator has it once more, as one that
  // was not there then would.
  for (let i = 0; i < 100 && (await other.credentials()).length > 0; i++) await b.page.waitForTimeout(50);
  if ((await other.credentials()).length === 0) await other.send("addCredential", { credential });
  await other.present(true);
  await b.page.goto(`${url}/signin`);
  await b.said(/was removed from your account/);
  assert.equal((await other.credentials()).length, 0, "signalUnknownCredential has deleted it");
});

test("a session that is a day old has to sign in again to read", async (t) => {
  const { b, a } = await owner(t);
  b.expected.push(/status of 403/); // of the alerts, which the open page asks for
  await a.present(false);
  await control("/ahead?by=25h");
  t.after(() => control("/ahead?by=-25h"));
  await b.page.goto(`${url}/account/passkeys`);
  await b.page.waitForURL(/\/signin\?next=%2Faccount%2Fpasskeys$/);
});

test("a page that was left open for a day asks its person to sign in again", async (t) => {
  const { b, a } = await owner(t);
  b.expected.push(/status of 403/);
  await b.page.goto(`${url}/account/passkeys`);
  await a.present(false);
  await control("/ahead?by=25h");
  t.after(() => control("/ahead?by=-25h"));
  await b.page.waitForURL(/\/signin\?next=%2Faccount%2Fpasskeys$/);
});
