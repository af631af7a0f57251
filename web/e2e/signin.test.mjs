import assert from "node:assert/strict";
import test from "node:test";
import { open, url } from "./lib/browser.mjs";

test("sign up, sign out, sign in by the button", async (t) => {
  const b = await open(t);
  const a = await b.authenticator();
  const code = await b.signUp();
  assert.match(code, /^[a-z2-7]{4}(-[a-z2-7]{4}){3}$/);
  assert.equal((await a.credentials()).length, 1);
  const cookies = await b.context.cookies();
  const session = cookies.find((c) => c.name === "__Host-staunch");
  assert.deepEqual([session.httpOnly, session.secure, session.sameSite, session.path], [true, true, "Lax", "/"]);

  await a.present(false);
  await b.page.click("text=Sign out");
  await b.page.waitForURL(`${url}/signin`);
  assert.equal((await b.context.cookies()).find((c) => c.name === "__Host-staunch"), undefined);
  await a.present(true);
  await b.page.goto(`${url}/account/devices`);
  await b.page.waitForURL(/\/account\/devices$/, { timeout: 5000 }).catch(() => b.page.click("#go"));
  await b.page.waitForURL(`${url}/account/devices`);
});
