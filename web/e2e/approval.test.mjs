// Approvals: what is signed is what stands on the page, or nothing is.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import test from "node:test";
import { control, open, url } from "./lib/browser.mjs";

const words = "Pay 1,200.00 EUR to Bob Miller, “rent” for December — once.";

async function asked(t) {
  const b = await open(t);
  const a = await b.authenticator();
  await b.signUp();
  const { ID } = await control(`/approval?account=${await b.account()}&text=${encodeURIComponent(words)}`);
  return { b, a, id: ID };
}

const field = (s) => Buffer.concat([Buffer.from([0, 0, 0, 0]).fill(0), Buffer.from(s)]);
const L = (x) => {
  const b = field(x);
  b.writeUInt32BE(b.length - 4, 0);
  return b;
};

// challenge is computed here by hand, from what the page shows.
function challenge(text, a) {
  const expires = Buffer.alloc(8);
  expires.writeBigUInt64BE(BigInt(a.expires));
  return createHash("sha256").update(Buffer.concat([
    Buffer.from("staunch/approval/v1\0"), L(a.app), L(a.account), L(a.approval), L(a.action),
    L(Buffer.from(a.params_sha256, "base64url")), L(text), L(Buffer.from(a.nonce, "base64url")), expires,
  ])).digest("base64url");
}

test("the text on the page is the text that is hashed and signed", async (t) => {
  const { b, id } = await asked(t);
  await b.page.goto(`${url}/account/approve/${id}`);
  const shown = await b.page.textContent("#text");
  assert.equal(shown, words);
  const data = JSON.parse(await b.page.textContent("#data")).approval;
  await b.page.click("#yes");
  await b.page.waitForURL(`${url}/account`);
  const [{ body }] = b.bodies.filter((x) => x.path === "/account/confirm");
  const client = JSON.parse(Buffer.from(JSON.parse(body).response.response.clientDataJSON, "base64url"));
  assert.equal(client.challenge, challenge(shown, data));

  b.expected.push(/status of 412/);
  await b.page.goto(`${url}/account/approve/${id}`); // once
  assert.match(await b.page.textContent("main"), /decided already/);
});

for (const [name, change] of Object.entries({
  "another text in the page": (html) => html.replace('<blockquote id="text">Pay', '<blockquote id="text">Receive'),
  "another text in both": (html) => html.replaceAll("Bob Miller", "Eve Miller"),
  "other parameters": (html) => html.replace(/"params_sha256":"[^"]*"/, '"params_sha256":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"'),
  "another challenge": (html) => html.replace(/"challenge":"[^"]*"/, '"challenge":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"'),
  "a later end": (html) => html.replace(/"expires":(\d+)/, '"expires":9$1'),
})) {
  test(`${name}: nothing is signed`, async (t) => {
    const { b, id } = await asked(t);
    await b.page.route("**/account/approve/*", async (route) => {
      const response = await route.fetch();
      const was = await response.text();
      const body = change(was);
      assert.notEqual(body, was);
      await route.fulfill({ response, body });
    });
    await b.page.goto(`${url}/account/approve/${id}`);
    await b.said(/not what your passkey would sign/);
    assert.equal(await b.page.isVisible("#yes"), false);
    assert.equal(b.bodies.filter((x) => x.path === "/account/confirm").length, 0);
  });
}

test("no is an answer", async (t) => {
  const { b, id } = await asked(t);
  await b.page.goto(`${url}/account`);
  await b.page.click("text=Look at it");
  await b.page.click("#no");
  await b.said(/You said no/);
  b.expected.push(/status of 412/);
  await b.page.goto(`${url}/account/approve/${id}`);
  assert.match(await b.page.textContent("main"), /decided already/);
});

test("the challenge is that of the shared vectors", async (t) => {
  const { vectors } = JSON.parse(readFileSync(new URL("../../spec/vectors/approval.json", import.meta.url), "utf8"));
  assert.ok(vectors.length > 1);
  const { b, id } = await asked(t);
  for (const v of vectors) {
    const a = {
      approval: v.approval, app: v.app, account: v.account, action: v.action, text: v.text, expires: v.expires,
      params_sha256: createHash("sha256").update(v.parameters).digest("base64url"), nonce: Buffer.from(v.nonce, "hex").toString("base64url"),
    };
    const want = Buffer.from(v.challenge, "hex").toString("base64url");
    assert.equal(challenge(v.text, a), want, `${v.name}: by hand`);
    // The page's own script takes it for right, and offers to sign it.
    await b.page.route("**/account/approve/*", async (route) => {
      const response = await route.fetch();
      const data = JSON.stringify({ after: 0, approval: { ...a, options: { challenge: want } } }).replaceAll("<", "\\u003c");
      const body = (await response.text())
        .replace(/(id="data">)[^]*?(<\/script>)/, (_, x, y) => x + data + y)
        .replace(/(<blockquote id="text">)[^]*?(<\/blockquote>)/, (_, x, y) => x + v.text.replaceAll("&", "&amp;").replaceAll("<", "&lt;") + y);
      await route.fulfill({ response, body });
    });
    await b.page.goto(`${url}/account/approve/${id}`);
    await b.page.waitForSelector("#yes", { timeout: 5000 }).catch(() => assert.fail(`${v.name}: the page refuses it`));
    await b.page.unroute("**/account/approve/*");
  }
});
