import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { type Bytes, fromBase64url, fromHex, utf8 } from "../src/bytes.js";
import { base, type Outgoing, sign, type Signing } from "../src/phone/request.js";

const keyId = "k".repeat(43);

function outgoing(method: string, url: string, content = "", headers: Record<string, string> = {}): Outgoing {
  return { method, url: new URL(url), headers: new Headers(headers), ...(content === "" ? {} : { body: utf8(content) }) };
}

function signing(change: Partial<Signing> = {}): Signing & { base: string } {
  const s = { keyId, created: new Date(1763700000_999), nonce: "n".repeat(22), base: "", sign: (b: Bytes) => {
    s.base = new TextDecoder().decode(b);
    return Promise.resolve(Uint8Array.of(1));
  }, ...change };
  return s;
}

const line = "@method @authority @path @query";

test("what is signed is what is sent", async () => {
  for (const [name, r, covered, lines] of [
    ["payment", outgoing("POST", "https://pay.example.com/v1/remit?dry=0", "{}"), `${line} content-digest`, ['"@method": POST', '"@authority": pay.example.com', '"@path": /v1/remit', '"@query": ?dry=0']],
    ["nothing to post", outgoing("POST", "https://pay.example.com/v1/remit"), `${line} content-digest`, ['"@query": ?']],
    ["put", outgoing("PUT", "https://pay.example.com/"), `${line} content-digest`, []],
    ["patch", outgoing("PATCH", "https://pay.example.com/"), `${line} content-digest`, []],
    ["get", outgoing("GET", "https://pay.example.com"), line, ['"@path": /']],
    ["get with a body", outgoing("GET", "https://pay.example.com/a?b", "{}"), `${line} content-digest`, ['"@query": ?b']],
    ["a default port", outgoing("DELETE", "http://Pay.Example.com:443/a%2fb"), line, ['"@authority": pay.example.com', '"@path": /a%2fb']],
    ["another port", outgoing("GET", "http://localhost:8080/"), line, ['"@authority": localhost:8080']],
    ["its content, session and app", outgoing("POST", "https://a/", "{}", { authorization: "Staunch x", "staunch-app": "demo", "content-type": "application/json", "content-encoding": "identity", other: "y" }),
      `${line} content-digest content-type content-encoding authorization staunch-app`, ['"content-type": application/json', '"authorization": Staunch x', '"staunch-app": demo']],
  ] as const) {
    const s = signing();
    await sign(r, s);
    const list = covered.split(" ").map((c) => `"${c}"`).join(" ");
    const params = `(${list});created=1763700000;nonce="${s.nonce ?? ""}";keyid="${keyId}";tag="staunch-v1"`;
    assert.equal(r.headers.get("signature-input"), `staunch=${params}`, name);
    assert.equal(r.headers.get("signature"), "staunch=:AQ==:");
    const got = s.base.split("\n");
    assert.equal(got.at(-1), `"@signature-params": ${params}`, name);
    for (const l of lines) {
      assert.ok(got.includes(l), `${name}: no ${l} in\n${s.base}`);
    }
    assert.equal(got.length, covered.split(" ").length + 1);
  }
});

test("the digest is of the body", async () => {
  const r = outgoing("POST", "https://accounts.example.org/", "{}");
  await sign(r, signing());
  assert.equal(r.headers.get("content-digest"), "sha-256=:RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=:"); // docs/requests.md
  const get = outgoing("GET", "https://a/", "", { "content-digest": "of another body" });
  await sign(get, signing());
  assert.equal(get.headers.get("content-digest"), null);
});

test("fields that the route wants are covered, several lines as one", async () => {
  const r = outgoing("POST", "https://a/", "{}");
  r.headers.append("idempotency-key", "7");
  r.headers.append("Idempotency-Key", "8");
  const s = signing({ fields: ["Idempotency-Key", "content-digest"] });
  await sign(r, s);
  assert.match(s.base, /\n"idempotency-key": 7, 8\n/);
  assert.equal(s.base.match(/"content-digest": /g)?.length, 1);
});

test("a nonce is new each time", async () => {
  const nonces = new Set<string>();
  for (let i = 0; i < 3; i++) {
    const r = outgoing("GET", "https://a/");
    await sign(r, { keyId, created: new Date(), sign: () => Promise.resolve(Uint8Array.of(1)) });
    const [, nonce = ""] = /nonce="([^"]+)"/.exec(r.headers.get("signature-input") ?? "") ?? [];
    assert.equal(fromBase64url(nonce).length, 16);
    nonces.add(nonce);
  }
  assert.equal(nonces.size, 3);
});

test("what no verifier takes is not sent", async () => {
  for (const [name, change, r] of [
    ["a key id that is none", { keyId: 'a"b' }, undefined],
    ["no key id", { keyId: "" }, undefined],
    ["a short nonce", { nonce: "short" }, undefined],
    ["a nonce that ends the parameter", { nonce: `${"n".repeat(21)}"` }, undefined],
    ["an empty signature", { sign: () => Promise.resolve(new Uint8Array()) }, undefined],
    ["a field that is not there", { fields: ["idempotency-key"] }, undefined],
    ["a derived component", { fields: ["@target-uri"] }, undefined],
    ["no ASCII in a field", { fields: ["x-a"] }, outgoing("GET", "https://a/", "", { "x-a": "é" })],
  ] as const) {
    const out = r ?? outgoing("POST", "https://a/", "{}");
    await assert.rejects(sign(out, { ...signing(), ...change }), { name: "StaunchError", reason: "SIGNING" }, name);
    assert.equal(out.headers.get("signature"), null, name);
  }
});

test("a line feed in a field cannot make a line of its own", () => {
  const r = { method: "GET", url: new URL("https://a/"), headers: { get: () => "a\n\"@method\": POST" } as unknown as Headers };
  assert.throws(() => base(r, ["x-a"], ""), { reason: "SIGNING" });
});

interface Vector {
  name: string; method: string; url: string; fields: Record<string, string> | null; cover: string[] | null; body: string; created: number; nonce: string;
  content_digest: string; signature_input: string; base: string; signature: string;
}

test("requests are those of spec/vectors/request.json", async () => {
  const f = JSON.parse(readFileSync("../../spec/vectors/request.json", "utf8")) as { key: string; keyid: string; vectors: Vector[] };
  const key = await crypto.subtle.importKey("spki", fromHex(f.key), { name: "ECDSA", namedCurve: "P-256" }, false, ["verify"]);
  assert.ok(f.vectors.length >= 6);
  for (const v of f.vectors) {
    const r = outgoing(v.method, v.url, v.body, v.fields ?? {});
    const s = signing({ keyId: f.keyid, created: new Date(v.created * 1000), nonce: v.nonce, fields: v.cover ?? [] });
    await sign(r, s);
    assert.deepEqual([s.base, r.headers.get("signature-input"), r.headers.get("content-digest") ?? ""], [v.base, v.signature_input, v.content_digest], v.name);
    assert.ok(await crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, key, fromHex(v.signature), utf8(s.base)), v.name);
  }
});
