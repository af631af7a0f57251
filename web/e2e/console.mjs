// Each page of the console, with what a load run has left, in light and dark, on a
// desk and on a phone.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { accessible } from "./lib/axe.mjs";
import { open, url } from "./lib/browser.mjs";
import { enter } from "./lib/operator.mjs";

const account = process.env.STAUNCH_ACCOUNT;
const shots = process.env.STAUNCH_SCREENSHOTS;

const pages = [
  ["overview", "/"], ["health", "/health"], ["suspects", "/health/suspects"], ["exceptions", "/health/exceptions"], ["stages", "/health/stages"],
  ["accounts", "/accounts"], ["account", `/accounts/${account}`], ["vaults", "/vaults"], ["queue", "/queue"], ["audit", "/audit"],
];

// fits reports whether nothing stands out of the page to the right.
const fits = (page) => page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth);

async function shot(page, name) {
  if (shots) await page.screenshot({ path: join(shots, `console-${name}.png`), fullPage: name.endsWith("phone") });
}

test("the console", async (t) => {
  const b = await open(t, { viewport: { width: 1280, height: 900 } });
  const { page } = b;
  await enter(b, process.env.STAUNCH_LINK);

  await t.test("each page, in light and dark, on a desk and a phone", async () => {
    for (const [name, path] of pages) {
      for (const scheme of ["light", "dark"]) {
        await page.emulateMedia({ colorScheme: scheme });
        await page.goto(url + path);
        await accessible(b, `${name}, ${scheme}`);
        assert.ok(await fits(page), `${name} is wider than a desk's window`);
        if (scheme === "light" || name === "health") await shot(page, scheme === "light" ? name : `${name}-dark`);
      }
      await page.setViewportSize({ width: 390, height: 844 });
      await page.emulateMedia({ colorScheme: "light" });
      await page.goto(url + path);
      assert.ok(await fits(page), `${name} is wider than a phone's window`);
      await accessible(b, `${name}, on a phone`);
      if (["health", "account"].includes(name)) await shot(page, `${name}-phone`);
      await page.setViewportSize({ width: 1280, height: 900 });
    }
  });

  await t.test("health counts what the load run did, and filters", async () => {
    await page.goto(`${url}/health`);
    const attempts = async () => Number((await page.textContent(".figures dd")).replaceAll(/\D/g, ""));
    const all = await attempts();
    assert.ok(all > 150, `${all} attempts`);
    const table = page.locator("figure").first().locator("tbody tr");
    await page.locator("figure summary").first().click();
    let counted = 0;
    for (const row of await table.all()) for (const n of (await row.locator("td").allTextContents())) counted += Number(n);
    assert.equal(counted, all, "the chart's table has all attempts");
    await page.locator("#by-platform + .scroll a").first().click();
    await page.waitForURL(/platform=/);
    const some = await attempts();
    assert.ok(some > 0 && some < all, `${some} of ${all}`);
    await page.selectOption("#by", "code");
    await page.selectOption("#span", "24h");
    await page.click("form button");
    assert.match(await page.textContent("#split-title"), /Reasons/);
    await page.goto(`${url}/health?by=model`);
    await page.locator("#by-model + .scroll a").first().click();
    await page.waitForURL(/model=/);
    await page.click(".chip");
    assert.equal(await attempts(), all, "without the filter it is all again");
  });

  await t.test("a suspect has its reasons, in words", async () => {
    await page.goto(`${url}/health/suspects`);
    assert.match(await page.textContent("tbody"), /android\.issuer_name/);
    const row = page.locator("tbody tr", { hasText: "Birch 2" }).first();
    await row.locator("summary").first().press("Enter");
    assert.match(await row.locator("details[open]").first().textContent(), /accounts failed|of the class|within|exception/);
  });

  await t.test("an exception has its uses, a stage what it would deny", async () => {
    await page.goto(`${url}/health/exceptions`);
    const text = await page.textContent("main");
    for (const want of [/cedar-5-ca-bit/, /in force/, /ca_bit at position 1/, /attested model Example Cedar 5/, /[1-9]\d* of 20 a day/, /EX-17/]) assert.match(text, want);
    await page.goto(`${url}/health/stages`);
    assert.match(await page.textContent("#stage-0"), /pilot-tw\s+observes/);
    assert.match(await page.textContent("main"), /What would be refused/);
  });

  await t.test("an account is found, and that somebody looked is on its record", async () => {
    await page.goto(`${url}/accounts`);
    await page.fill("#find", "nobody-of-that-name");
    b.expected.push(/404/);
    await page.keyboard.press("Enter");
    await page.waitForSelector(".notice.warn");
    await page.fill("#find", ` ${account} `);
    await page.keyboard.press("Enter");
    await page.waitForURL(`${url}/accounts/${account}`);
    const text = await page.textContent("main");
    for (const want of [/frozen/, /Pixel of Mika/, /Read-only/, /an operator looks at the account/, /by an operator, noa/, /Your account was frozen/, /all hashed anew and in order/]) {
      assert.match(text, want);
    }
    assert.equal((text.match(/an operator looks at the account/g) ?? []).length, 1, "once an hour");
    assert.doesNotMatch(text, /not as (this server|it was)/);
    const risks = await page.locator("#risks + .scroll tbody tr").allTextContents();
    assert.equal(risks.length, 2);
    assert.match(risks.find((r) => r.includes("new_device")), /A new device was added.*Pixel of Mika.*When this device asks/s);
    assert.match(risks.find((r) => r.includes("recent_recovery")), /was recovered lately.*the account/s);
  });

  await t.test("the record is searched, page by page", async () => {
    await page.goto(`${url}/audit`);
    const first = await page.locator(".trail > li").count();
    assert.equal(first, 50);
    assert.equal(await page.locator(".wrong").count(), 0);
    await page.getByRole("link", { name: "Older ones" }).click();
    await page.waitForURL(/after=/);
    assert.equal(await page.locator(".trail > li").count(), 50);
    await page.goto(`${url}/audit`);
    const offered = await page.evaluate(() => [...document.getElementById("action").list.options].map((o) => [o.value, o.label]));
    assert.deepEqual(offered.find(([value]) => value === "account.freeze"), ["account.freeze", "the account is frozen"]);
    await page.fill("#action", "account.freeze");
    await page.selectOption("#kind", "phone");
    await page.click("form button");
    await page.waitForURL(/action=/);
    assert.deepEqual(await page.locator(".trail b").allTextContents(), ["the account is frozen"]);
    await page.goto(`${url}/audit?kind=operator`);
    assert.match(await page.textContent(".trail"), /an operator looks at the account/);
    assert.equal(await page.locator("#seals + .scroll .tag.bad").count(), 0);
    b.expected.push(/400/);
    assert.equal((await page.goto(`${url}/audit?account=alice`)).status(), 400);
    assert.equal((await page.goto(`${url}/health?span=1y`)).status(), 400);
    assert.equal((await page.goto(`${url}/accounts/a_aaaaaaaaaaaaaaaaaaaaaaaaaa`)).status(), 404);
  });

  await t.test("it is read by keyboard alone, and without a script", async () => {
    await page.goto(`${url}/health`);
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to content");
    const reached = new Set();
    for (let i = 0; i < 80; i++) {
      await page.keyboard.press("Tab");
      reached.add(await page.evaluate(() => `${document.activeElement.tagName}.${document.activeElement.className}`));
    }
    for (const want of ["SELECT.", "SUMMARY.", "DIV.scroll"]) assert.ok(reached.has(want), `${want} is reached: ${[...reached]}`);
    const cookies = await b.context.cookies();
    const plain = await open(t, { javaScriptEnabled: false });
    await plain.context.addCookies(cookies);
    await plain.page.goto(`${url}/health`);
    assert.equal(await plain.page.textContent("h1"), "Attestation health");
    assert.ok(await plain.page.locator("svg.chart path").count() > 3);
  });
});
