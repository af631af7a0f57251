// PRF: the page may derive secrets of the client from a passkey, and none of
// them ever reaches a request.

import assert from "node:assert/strict";
import test from "node:test";
import { open, url } from "./lib/browser.mjs";

test("PRF gives equal outputs, and no body of a request has one", async (t) => {
  const b = await open(t);
  const a = await b.authenticator();
  await b.signUp();
  await a.present(false);
  await b.page.click("text=Sign out");
  await b.page.waitForURL(`${url}/signin`);
  await b.page.waitForSelector("#fill:not([hidden])");
  await a.present(true);
  const salts = ["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE"];

  // As an app's page would: the same ceremony, with two inputs of PRF.
  await b.page.route("**/signin/begin", async (route) => {
    const response = await route.fetch();
    const body = await response.json();
    body.options.extensions = { prf: { eval: { first: salts[0], second: salts[1] } } };
    await route.fulfill({ response, json: body });
  });
  await b.page.addInitScript(() => {
    const get = navigator.credentials.get.bind(navigator.credentials);
    navigator.credentials.get = async (o) => {
      const c = await get(o);
      const hex = (x) => Array.from(new Uint8Array(x), (n) => n.toString(16).padStart(2, "0")).join("");
      const { first, second } = c.getClientExtensionResults().prf.results;
      const all = JSON.parse(sessionStorage.getItem("prf") ?? "[]");
      sessionStorage.setItem("prf", JSON.stringify([...all, [hex(first), hex(second)]]));
      return c;
    };
  });
  // The server has not asked for PRF and refuses; what counts is what was sent.
  b.expected.push(/status of 4\d\d/);
  for (let i = 0; i < 2; i++) {
    await b.page.goto(`${url}/signin`);
    await b.page.waitForFunction(() => document.getElementById("status").className.includes("bad"));
  }
  const seen = JSON.parse(await b.page.evaluate(() => sessionStorage.getItem("prf")));
  assert.equal(seen.length, 2);
  assert.deepEqual(seen[0], seen[1]);
  assert.notEqual(seen[0][0], seen[0][1]);
  assert.match(seen[0][0], /^[0-9a-f]{64}$/);
  const forms = seen[0].flatMap((hex) => {
    const raw = Buffer.from(hex, "hex");
    return [hex, raw.toString("base64"), raw.toString("base64url"), raw.toString("latin1")];
  });
  const bodies = b.bodies.filter((x) => x.path === "/signin/finish");
  assert.equal(bodies.length, 2);
  for (const { body } of b.bodies) for (const form of forms) assert.ok(!body.includes(form), "a PRF output left the page");
  assert.ok(!bodies.some((x) => x.body.includes('"results"')));
});

test("an answer with a PRF output is refused before it is read", async (t) => {
  const b = await open(t);
  b.expected.push(/status of 400/);
  await b.page.goto(`${url}/signin`);
  const reason = await b.page.evaluate(async () => {
    const post = (path, body) => fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }).then((r) => r.json());
    const { ceremony } = await post("/signin/begin", {});
    const response = { id: "AAAA", rawId: "AAAA", type: "public-key", response: {}, clientExtensionResults: { prf: { results: { first: "AAAA" } } } };
    return (await post("/signin/finish", { ceremony, response })).reason;
  });
  assert.equal(reason, "PASSKEY_SECRET_SENT");
});
