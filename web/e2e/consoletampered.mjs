// What the console says when somebody has written to the store.

import assert from "node:assert/strict";
import { test } from "node:test";
import { accessible } from "./lib/axe.mjs";
import { open, url } from "./lib/browser.mjs";
import { enter } from "./lib/operator.mjs";

const account = process.env.STAUNCH_ACCOUNT;

test("what was changed in the store is seen", async (t) => {
  const b = await open(t);
  const { page } = b;
  await enter(b, process.env.STAUNCH_LINK);
  await page.goto(`${url}/accounts/${account}`);
  const text = await page.textContent("main");
  assert.match(text, /1 row is not as this server wrote/);
  assert.match(text, /The record of this account is not whole/);
  assert.match(text, /This entry is not as it was written/);
  await accessible(b, "a tampered account");
  await page.goto(`${url}/audit?action=account.freeze`);
  assert.equal(await page.locator(".wrong").count(), 1);
  await accessible(b, "a tampered entry");
});
