// How somebody becomes an operator, goes and comes again.

import assert from "node:assert/strict";
import { test } from "node:test";
import { accessible } from "./lib/axe.mjs";
import { open, url } from "./lib/browser.mjs";

const link = process.env.STAUNCH_LINK;
const nav = "nav[aria-label=Console]";

test("an invitation works once, and a passkey from then on", async (t) => {
  const b = await open(t);
  const { page } = b;
  await page.goto(`${url}/health?by=model`);
  assert.equal(new URL(page.url()).pathname, "/signin", "nothing is shown to nobody");
  await accessible(b, "sign-in");
  await b.authenticator();
  await page.goto(link);
  await accessible(b, "the page of an invitation");
  assert.doesNotMatch(page.url(), /#./, "the secret leaves the address");
  await page.click("#go");
  await page.waitForSelector(nav);
  const cookie = (await b.context.cookies()).find((c) => c.name === "__Host-staunch-console");
  assert.ok(cookie?.httpOnly && cookie.secure && cookie.sameSite === "Strict", JSON.stringify(cookie));

  await page.click("#sign-out");
  await page.waitForURL(/\/signin/);
  await page.goto(`${url}/audit`);
  await page.waitForURL(/\/signin\?next=/);
  await page.click("#go");
  await page.waitForURL(`${url}/audit`);

  const second = await open(t);
  second.expected.push(/404/);
  await second.authenticator();
  await second.page.goto(link);
  await second.page.click("#go");
  await second.page.waitForFunction(() => document.getElementById("status").textContent !== "");
  assert.match(await second.page.textContent("#status"), /not good any more/);
  assert.equal((await second.context.cookies()).some((c) => c.name === "__Host-staunch-console"), false);
});
