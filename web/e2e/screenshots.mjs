// Takes the pictures of docs/screenshots, of an account as people have them.

import { mkdirSync } from "node:fs";
import test from "node:test";
import { control, open, url } from "./lib/browser.mjs";

const out = process.env.STAUNCH_SCREENSHOTS;

test("screenshots", async (t) => {
  mkdirSync(out, { recursive: true });
  const b = await open(t);
  b.expected.push(/status of 4\d\d/);
  const { page } = b;
  await b.authenticator();
  await b.signUp();
  await page.click("[data-act=handle]");
  await page.fill("#ask-input", "marie");
  await page.click("#ask-yes");
  await page.waitForSelector("#ask-text:not([hidden])");
  await page.click("#ask-yes");
  await b.said(/name is changed/);

  await page.goto(`${url}/account/passkeys`);
  await b.authenticator({ transport: "usb" });
  await page.click("text=On a security key");
  await page.waitForSelector("#ask[open]", { timeout: 1000 }).catch(() => {});
  if (await page.isVisible("#ask-yes")) await page.click("#ask-yes");
  await b.said(/saved/);
  for (const [row, name] of [[1, "MacBook"], [2, "Blue security key"]]) {
    await page.click(`li:nth-child(${row}) >> text=Rename`);
    await page.fill("#ask-input", name);
    await page.click("#ask-yes");
    await b.said(/name is changed/);
  }
  const text = "Pay 1,200.00 EUR to Bob Miller, IBAN DE02 1203 0000 0000 2020 51, “Rent for December”";
  const { ID } = await control(`/approval?account=${await b.account()}&text=${encodeURIComponent(text)}`);

  for (const scheme of ["light", "dark"]) {
    for (const [size, width, height] of [["desktop", 1280, 800], ["phone", 390, 844]]) {
      await page.emulateMedia({ colorScheme: scheme });
      await page.setViewportSize({ width, height });
      for (const [name, path] of [["account", "/account"], ["passkeys", "/account/passkeys"], ["approve", `/account/approve/${ID}`]]) {
        await page.goto(url + path);
        await page.waitForTimeout(250);
        await page.screenshot({ path: `${out}/${name}-${size}-${scheme}.png`, fullPage: true });
      }
      const stranger = await open(t, { colorScheme: scheme, viewport: { width, height } });
      await stranger.authenticator({ automaticPresenceSimulation: false });
      await stranger.page.goto(`${url}/signin`);
      await stranger.page.waitForSelector("#fill:not([hidden])");
      await stranger.page.screenshot({ path: `${out}/signin-${size}-${scheme}.png` });
    }
  }
});
