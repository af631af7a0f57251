// Ways in: sign-up, the field, the button, a cancelled dialog, and answers that
// must not get anybody in.

import assert from "node:assert/strict";
import test from "node:test";
import { open, url } from "./lib/browser.mjs";

const status = /Failed to load resource: the server responded with a status of 4\d\d/;

// signedOut is a browser with an account, on the sign-in page, whose
// authenticator waits for a touch.
async function signedOut(t, options) {
  const b = await open(t);
  const a = await b.authenticator(options);
  await b.signUp();
  await a.present(false);
  await b.page.click("text=Sign out");
  await b.page.waitForURL(`${url}/signin`);
  return { b, a };
}

const field = "#fill:not([hidden]) input";

test("sign-up gives a passkey, a freeze code and a session", async (t) => {
  const b = await open(t);
  const a = await b.authenticator();
  const code = await b.signUp();
  assert.match(code, /^[a-z2-7]{4}(-[a-z2-7]{4}){3}$/);
  const [credential] = await a.credentials();
  assert.equal(credential.isResidentCredential, true);
  assert.equal(credential.rpId, "localhost");
  const session = (await b.context.cookies()).find((c) => c.name === "__Host-staunch");
  assert.deepEqual([session.httpOnly, session.secure, session.sameSite, session.path, session.domain], [true, true, "Lax", "/", "localhost"]);
  assert.equal(await b.page.evaluate(() => document.cookie), "", "no script reads a cookie");
});

test("the field offers passkeys while the page waits", async (t) => {
  const { b, a } = await signedOut(t);
  await b.page.waitForSelector(field);
  assert.equal(await b.page.getAttribute("#name", "autocomplete"), "username webauthn");
  await a.present(true);
  await b.page.reload();
  await b.page.waitForURL(`${url}/account`);
});

test("the button stops the waiting call and opens its own ceremony", async (t) => {
  const { b, a } = await signedOut(t);
  await b.page.waitForSelector(field);
  await b.page.waitForTimeout(300);
  await a.present(true); // for what begins from now on
  await b.page.click("#go");
  await b.page.waitForURL(`${url}/account`);
  const bodies = (path) => b.bodies.filter((x) => x.path === path).map((x) => x.body);
  assert.deepEqual(bodies("/signin/begin"), ['{"mediation":"conditional"}', "{}"]);
  assert.equal(bodies("/signin/finish").length, 1);
});

test("a dialog that is closed says nothing, and the page works on", async (t) => {
  const { b, a } = await signedOut(t);
  await b.page.addInitScript(() => {
    const get = navigator.credentials.get.bind(navigator.credentials);
    navigator.credentials.get = async (o) => {
      if (!o.mediation && !window.open_) throw new DOMException("closed", "NotAllowedError");
      return get(o);
    };
  });
  await b.page.reload();
  await b.page.waitForSelector(field);
  await b.page.click("#go");
  await b.page.waitForSelector("#go:not([disabled])");
  await b.page.waitForTimeout(200);
  assert.equal(await b.page.textContent("#status"), "");
  assert.equal(await b.page.url(), `${url}/signin`);
  await b.page.waitForTimeout(300);
  await a.present(true);
  await b.page.evaluate(() => (window.open_ = true));
  await b.page.click("#go");
  await b.page.waitForURL(`${url}/account`);
});

test("the field's ceremony is renewed while the page is visible", async (t) => {
  const b = await open(t);
  await b.authenticator({ automaticPresenceSimulation: false });
  await b.page.clock.install();
  await b.page.goto(`${url}/signin`);
  await b.page.waitForSelector(field);
  const begun = () => b.bodies.filter((x) => x.path === "/signin/begin").length;
  assert.equal(begun(), 1);
  await b.page.clock.runFor(3 * 60_000);
  assert.equal(begun(), 1);
  await b.page.clock.runFor(90_000);
  await b.page.waitForTimeout(500);
  assert.equal(begun(), 2);
});

test("a browser without passkeys is told so, and offered nothing", async (t) => {
  const b = await open(t);
  await b.page.addInitScript(() => delete window.PublicKeyCredential);
  await b.page.goto(`${url}/signin`);
  await b.said(/no passkeys/);
  assert.equal(await b.page.isVisible("#go"), false);
});

test("a browser that cannot convert options or answers signs in all the same", async (t) => {
  const { b, a } = await signedOut(t);
  await a.present(true);
  await b.page.addInitScript(() => {
    delete PublicKeyCredential.parseRequestOptionsFromJSON;
    delete PublicKeyCredential.parseCreationOptionsFromJSON;
    delete PublicKeyCredential.prototype.toJSON;
  });
  await b.page.goto(`${url}/signin`);
  await b.page.waitForURL(`${url}/account`);
  const [{ body }] = b.bodies.filter((x) => x.path === "/signin/finish");
  const { response } = JSON.parse(body);
  assert.deepEqual(Object.keys(response.response).sort(), ["authenticatorData", "clientDataJSON", "signature", "userHandle"]);
});

for (const [name, bits] of [
  ["a bad signature", { isBogusSignature: true }],
  ["a person who was not verified", { isBadUV: true }],
  ["a person who was not there", { isBadUP: true }],
]) {
  test(`${name} gets nobody in`, async (t) => {
    const { b, a } = await signedOut(t);
    b.expected.push(status);
    await b.page.waitForSelector(field);
    await a.send("setResponseOverrideBits", bits);
    await a.present(true);
    await b.page.click("#go");
    await b.page.waitForFunction(() => document.getElementById("status").className.includes("bad") && document.getElementById("status").textContent);
    assert.equal((await b.context.cookies()).find((c) => c.name === "__Host-staunch"), undefined);
    await a.present(false); // for what begins from now on, so that the field does not sign in by itself
    await b.page.reload();
    await b.page.waitForSelector(field);
    await b.page.waitForTimeout(300);
    await a.send("setResponseOverrideBits", { isBogusSignature: false, isBadUV: false, isBadUP: false });
    await a.present(true);
    await b.page.click("#go");
    await b.page.waitForURL(`${url}/account`);
  });
}

test("a passkey that has become one that can be synced is refused, and with its reason", async (t) => {
  const { b, a } = await signedOut(t);
  b.expected.push(status);
  await b.page.waitForSelector(field);
  const [{ credentialId }] = await a.credentials();
  await a.send("setCredentialProperties", { credentialId, backupEligibility: true, backupState: true });
  await a.present(true);
  await b.page.click("#go");
  await b.said(/has changed in a way it should not/);
});

test("a counter that went back is refused", async (t) => {
  const { b, a } = await signedOut(t);
  b.expected.push(status);
  await b.page.waitForSelector(field);
  const [credential] = await a.credentials();
  await a.present(true);
  await b.page.click("#go");
  await b.page.waitForURL(`${url}/account`);
  await a.present(false);
  await b.page.click("text=Sign out");
  await b.page.waitForURL(`${url}/signin`);
  await b.page.waitForSelector(field);
  await a.send("removeCredential", { credentialId: credential.credentialId });
  await a.send("addCredential", { credential: { ...credential, signCount: 0 } });
  await a.present(true);
  await b.page.click("#go");
  await b.said(/may have been copied/);
});
