// Two hosts of one app: a passkey that was made on one signs in on the other,
// because the RP ID's host says that they belong together (WebAuthn L3 §5.11).

import assert from "node:assert/strict";
import test from "node:test";
import { open, url } from "./lib/browser.mjs";

const other = process.env.STAUNCH_OTHER;

test("a passkey of one host signs in on a related one", async (t) => {
  const b = await open(t, { origins: [url, other], args: [`--host-resolver-rules=MAP * ${process.env.STAUNCH_AT}`, `--ignore-certificate-errors-spki-list=${process.env.STAUNCH_SPKI}`] });
  const a = await b.authenticator();
  await b.signUp();
  const [{ rpId }] = await a.credentials();
  assert.equal(rpId, "example.org");

  await b.page.goto(`${other}/account`);
  await b.page.waitForURL(/signin/).catch(() => {});
  await b.page.waitForURL(`${other}/account`);
  const [{ body }] = b.bodies.filter((x) => x.path === "/signin/finish");
  const client = JSON.parse(Buffer.from(JSON.parse(body).response.response.clientDataJSON, "base64url"));
  assert.equal(client.origin, other);
  const sessions = (await b.context.cookies()).filter((c) => c.name === "__Host-staunch");
  assert.deepEqual(sessions.map((c) => c.domain).sort(), ["accounts.example-shop.com", "accounts.example.org"]);
});
