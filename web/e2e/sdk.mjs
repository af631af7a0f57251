// What the TypeScript SDK does with a browser's own database and authenticator.

import assert from "node:assert/strict";
import { test } from "node:test";

import { open, url } from "./lib/browser.mjs";

test("a store keeps what was written, all of it or nothing", async (t) => {
  const b = await open(t);
  await b.page.goto(url);
  const id = await b.page.evaluate(async () => {
    const store = await sdk.IndexedDBStore.open("phone");
    await store.write({ a: 1, bytes: Uint8Array.of(1, 2), at: new Date(5), gone: 1 });
    await store.write({ gone: undefined });
    const { key } = await sdk.hardware(store).newKey(new Uint8Array(32));
    return key.id;
  });
  const refused = await b.page.evaluate(async () => {
    const store = await sdk.IndexedDBStore.open("other");
    await store.write({ a: 1 });
    const reason = await store.write({ a: 2, b: 2, c: () => 1 }).catch((e) => e.reason);
    return { reason, a: await store.read("a"), b: await store.read("b") };
  });
  assert.deepEqual(refused, { reason: "STORE", a: 1, b: undefined });

  await b.page.reload(); // the same phone
  const after = await b.page.evaluate(async (id) => {
    const store = await sdk.IndexedDBStore.open("phone");
    const kept = await store.read(`software/key/${id}`);
    return {
      a: await store.read("a"), bytes: [...await store.read("bytes")], at: (await store.read("at")).getTime(), gone: await store.read("gone"),
      signs: await sdk.signs(await sdk.hardware(store).open(id)), extractable: kept.private.extractable,
      read: await crypto.subtle.exportKey("pkcs8", kept.private).catch((e) => e.name),
    };
  }, id);
  assert.deepEqual(after, { a: 1, bytes: [1, 2], at: 5, gone: undefined, signs: true, extractable: false, read: "InvalidAccessError" });
});

test("one tab at a time has a phone open", async (t) => {
  const b = await open(t);
  await b.page.goto(url);
  await b.page.evaluate(async () => { globalThis.store = await sdk.IndexedDBStore.open("phone"); });
  const second = await b.context.newPage();
  await second.goto(url);
  assert.equal(await second.evaluate(() => sdk.IndexedDBStore.open("phone").catch((e) => e.reason)), "STORE_OPEN");
  await b.page.evaluate(() => store.close());
  assert.equal(await second.evaluate(() => sdk.IndexedDBStore.open("phone").then(async (s) => (await s.write({ a: 1 }), s.read("a")))), 1);
  await second.close(); // without a word
  assert.equal(await b.page.evaluate(() => sdk.IndexedDBStore.open("phone").then((s) => s.read("a"))), 1);
});

test("a lost phone is gone", async (t) => {
  const b = await open(t);
  await b.page.goto(url);
  assert.equal(await b.page.evaluate(async () => {
    const store = await sdk.IndexedDBStore.open("phone");
    await store.write({ a: 1 });
    store.close();
    await sdk.IndexedDBStore.remove("phone");
    return (await sdk.IndexedDBStore.open("phone")).read("a");
  }), undefined);
});

test("a browser promises to keep a store only when it is asked to", async (t) => {
  const b = await open(t);
  await b.page.goto(url);
  const asked = () => b.page.evaluate(async () => {
    const { storage } = navigator;
    globalThis.asked ??= 0;
    storage.persist = () => (globalThis.asked++, StorageManager.prototype.persist.call(storage));
    globalThis.store ??= await sdk.IndexedDBStore.open("phone");
    const opened = globalThis.asked;
    return { opened, promised: await store.persist(), asked: globalThis.asked };
  });
  assert.deepEqual(await asked(), { opened: 0, promised: false, asked: 1 });
  const cdp = await b.context.browser().newBrowserCDPSession();
  const { targetInfo } = await b.cdp.send("Target.getTargetInfo");
  await cdp.send("Browser.grantPermissions", { origin: url, permissions: ["durableStorage"], browserContextId: targetInfo.browserContextId });
  assert.deepEqual(await asked(), { opened: 1, promised: true, asked: 1 }); // it promises already
});

test("the browser's authenticator answers, and its secrets stay here", async (t) => {
  const b = await open(t);
  await b.page.goto(url);
  const authenticator = await b.authenticator();
  const [made, used] = await b.page.evaluate(async () => {
    const passkeys = new sdk.BrowserPasskeys();
    const prf = { eval: { first: "c2FsdA" } };
    const made = await passkeys.create({
      rp: { id: "localhost", name: "Demo" }, user: { id: "dXNlcg", name: "u", displayName: "U" }, challenge: "Y2hhbGxlbmdl",
      pubKeyCredParams: [{ type: "public-key", alg: -7 }, { type: "public-key", alg: -257 }], authenticatorSelection: { residentKey: "required", userVerification: "required" }, extensions: { prf },
    });
    const used = await passkeys.get({ challenge: "YWdhaW4", rpId: "localhost", userVerification: "required", extensions: { prf } });
    return [made, { id: used.id, with: JSON.stringify(used), without: sdk.stripped(used) }];
  });
  assert.equal((await authenticator.credentials()).length, 1);
  assert.equal(used.id, made.id);
  const secret = JSON.parse(used.with).clientExtensionResults.prf.results.first;
  assert.ok(secret.length > 40);
  assert.ok(!used.without.includes(secret));

  await authenticator.verified(false);
  const refused = await b.page.evaluate(() => new sdk.BrowserPasskeys().get({ challenge: "AA", rpId: "localhost", userVerification: "required" }).then(() => "signed", (e) => e.name));
  assert.equal(refused, "NotAllowedError");
});
