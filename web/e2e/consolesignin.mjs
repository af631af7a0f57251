// How operators come in and go out: a link that works once, a passkey, a link from
// elsewhere, and a removal.

import assert from "node:assert/strict";
import { test } from "node:test";
import { accessible } from "./lib/axe.mjs";
import { open, url } from "./lib/browser.mjs";

const [link, second] = [process.env.STAUNCH_LINK, process.env.STAUNCH_LINK2];
const inside = "nav[aria-label=Console]";
const refusal = /Failed to load resource: the server responded with a status of 4\d\d/;

const said = (page, words) => page.waitForFunction((w) => new RegExp(w).test(document.getElementById("status")?.textContent ?? ""), words.source);

test("a link, a passkey, in and out", async (t) => {
  const b = await open(t);
  const a = await b.authenticator();
  const { page } = b;
  await page.goto(`${url}/vaults`);
  assert.equal(new URL(page.url()).pathname, "/signin");
  await accessible(b, "sign-in");

  await page.goto(link);
  assert.equal(page.url(), `${url}/enrol`, "the secret is taken out of the address");
  await accessible(b, "an invitation");
  await page.keyboard.press("Enter"); // the button has the focus
  await page.waitForSelector(inside);
  const [credential] = await a.credentials();
  assert.equal(credential.rpId, "console.localhost");
  const [session] = (await b.context.cookies()).filter((c) => c.name === "__Host-staunch-console");
  assert.deepEqual([session.httpOnly, session.secure, session.sameSite, session.path, session.domain], [true, true, "Strict", "/", "console.localhost"]);
  assert.equal(await page.evaluate(() => document.cookie), "", "no script reads a cookie");
  assert.deepEqual(b.bodies.filter((x) => x.path === "/enrol/begin").length, 1);

  await page.click("#sign-out");
  await page.waitForURL(`${url}/signin?out`);
  assert.match(await page.textContent("#status"), /You are signed out/);
  await page.goto(`${url}/queue`);
  await page.click("#go");
  await page.waitForURL(`${url}/queue`);
  await page.waitForSelector(inside);

  b.expected.push(refusal);
  await page.goto(link);
  await page.click("#go");
  await said(page, /not good any more/);
  await page.goto(`${url}/enrol`);
  await said(page, /This address is incomplete/);

  // Whom another site sends here clicks once more, and is signed in all the same.
  const local = url.replace("console.", "");
  b.origins.push(local);
  await page.goto(`${local}/signin`);
  await page.evaluate((to) => {
    const a = document.createElement("a");
    a.href = to;
    a.id = "there";
    a.textContent = "there";
    document.body.append(a);
  }, `${url}/vaults`);
  await page.click("#there");
  await page.waitForURL(`${url}/vaults`);
  if (await page.locator("text=You come from another site").count()) await page.click("text=Continue");
  await page.waitForSelector("h1:has-text('Vaults')");
});

test("a synced passkey, which a demo takes, and a person who is not verified", async (t) => {
  const b = await open(t);
  const a = await b.authenticator({ defaultBackupEligibility: true, defaultBackupState: true });
  const { page } = b;
  await page.goto(second);
  await page.click("#go"); // staunch dev takes synced ones
  await page.waitForSelector(inside);
  await page.click("#sign-out");
  await page.waitForURL(`${url}/signin?out`);
  await page.click("#go");
  await page.waitForSelector(inside);
  await page.click("#sign-out");
  await page.waitForURL(`${url}/signin?out`);
  await a.verified(false);
  b.expected.push(refusal);
  await page.click("#go");
  await page.waitForSelector("#go:not([disabled])");
  await page.goto(`${url}/vaults`);
  assert.equal(new URL(page.url()).pathname, "/signin", "who was not verified is not in");
});
