import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { base64url, type Bytes, concat, copy, fromBase64url, hex } from "../src/bytes.js";
import { decode } from "../src/cbor.js";
import { FileStore } from "../src/node/index.js";
import type { Store } from "../src/phone/ports.js";
import { der } from "../src/software/keys.js";
import { MemoryStore, SoftwareHardware, SoftwarePasskeys } from "../src/software/index.js";

const origin = "https://accounts.example.org";
const creation: PublicKeyCredentialCreationOptionsJSON = {
  rp: { id: "example.org", name: "Example" }, user: { id: "dXNlcg", name: "u", displayName: "U" }, challenge: "Y2hhbGxlbmdl",
  pubKeyCredParams: [{ type: "public-key", alg: -7 }], extensions: { credProps: true },
};

async function withFile(fn: (path: string) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), "staunch-"));
  try {
    await fn(join(dir, "phone", "phone.json"));
  } finally {
    await rm(dir, { recursive: true });
  }
}

/** rs takes an Ecdsa-Sig-Value apart, for WebCrypto. */
function rs(sig: Uint8Array): Bytes {
  const r = sig.subarray(4, 4 + (sig[3] as number));
  const s = sig.subarray(6 + r.length);
  const half = (b: Uint8Array) => concat(new Uint8Array(32), b).slice(-32);
  return concat(half(r), half(s));
}

test("a passkey signs what WebAuthn says", async () => {
  const asked: string[] = [];
  const passkeys = new SoftwarePasskeys({ store: new MemoryStore(), origin, verify: async ({ kind, user }) => { asked.push(kind + (user ?? "")); } });
  const made = await passkeys.create(creation);
  const object = decode(fromBase64url(made.response.attestationObject), 1000) as Map<string, Uint8Array>;
  const authData = object.get("authData") as Uint8Array;
  assert.equal(authData[32], 0x45); // present, verified, attested data
  assert.equal(base64url(authData.slice(55, 87)), made.id);
  assert.deepEqual(made.clientExtensionResults, { credProps: { rk: true } });

  const got = await passkeys.get({ challenge: "YWdhaW4", rpId: "example.org" });
  assert.equal(got.id, made.id);
  assert.equal(got.response.userHandle, "dXNlcg");
  assert.equal(new TextDecoder().decode(fromBase64url(got.response.clientDataJSON)), `{"type":"webauthn.get","challenge":"YWdhaW4","origin":"${origin}","crossOrigin":false}`);
  const key = await crypto.subtle.importKey("spki", fromBase64url(made.response.publicKey ?? ""), { name: "ECDSA", namedCurve: "P-256" }, false, ["verify"]);
  const message = concat(fromBase64url(got.response.authenticatorData), new Uint8Array(await crypto.subtle.digest("SHA-256", fromBase64url(got.response.clientDataJSON))));
  assert.ok(await crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, key, rs(fromBase64url(got.response.signature)), message));
  assert.deepEqual(asked, ["createU", "get"]);
});

test("a passkey is not made or used where it may not be", async () => {
  const store = new MemoryStore();
  const passkeys = new SoftwarePasskeys({ store, origin });
  const { id } = await passkeys.create(creation);
  const refused = { reason: "PASSKEY" };
  await assert.rejects(passkeys.create({ ...creation, excludeCredentials: [{ type: "public-key", id }] }), refused);
  await assert.rejects(passkeys.create({ ...creation, pubKeyCredParams: [{ type: "public-key", alg: -8 }] }), refused);
  await assert.rejects(passkeys.get({ challenge: "AA", rpId: "other.org" }), refused);
  await assert.rejects(passkeys.get({ challenge: "AA", rpId: "example.org", allowCredentials: [{ type: "public-key", id: "AAAA" }] }), refused);
  const no = new SoftwarePasskeys({ store, origin, verify: () => Promise.reject(new Error("no")) });
  await assert.rejects(no.get({ challenge: "AA", rpId: "example.org" }), /no/);
});

test("signatures are in DER", () => {
  const half = (n: number) => concat(new Uint8Array(31), Uint8Array.of(n));
  assert.equal(hex(der(concat(half(1), half(0x80)))), "300702010102020080");
  assert.equal(hex(der(concat(half(0), new Uint8Array(32).fill(0xff)))), `3026020100022100${"ff".repeat(32)}`);
});

test("stores keep what phones write, keys too, and give copies", async () => {
  await withFile(async (path) => {
    const stores: Record<string, () => Promise<Store>> = { memory: ((m) => () => Promise.resolve(m))(new MemoryStore()), file: () => FileStore.open(path) };
    for (const [name, open] of Object.entries(stores)) {
      const store = await open();
      const value = { bytes: Uint8Array.of(1, 2), at: new Date(5), big: 2n ** 60n, map: new Map<string, unknown>([["a", Uint8Array.of(3)]]), list: [1, null, true] };
      await store.write({ value, gone: 1 });
      await store.write({ gone: undefined });
      const read = await (await open()).read("value") as typeof value;
      assert.deepEqual({ ...read, bytes: copy(read.bytes) }, value, name);
      read.list.push(2);
      assert.deepEqual((await store.read("value") as typeof value).list, value.list, name);
      assert.equal(await (await open()).read("gone"), undefined);

      const made = await new SoftwareHardware(store, () => Promise.resolve({ platform: "android", certificateChain: [] })).newKey(new Uint8Array(32));
      const again = await new SoftwareHardware(await open(), () => assert.fail()).open(made.key.id);
      const key = await crypto.subtle.importKey("spki", made.key.spki, { name: "ECDSA", namedCurve: "P-256" }, false, ["verify"]);
      assert.ok(await crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, key, await again.sign(Uint8Array.of(7)), Uint8Array.of(7)), name);
      const kept = await store.read(`software/key/${made.key.id}`) as { private: CryptoKey | Bytes };
      assert.equal(kept.private instanceof CryptoKey && !kept.private.extractable, store.holdsKeys === true, name);
      await assert.rejects(new SoftwareHardware(store, () => assert.fail()).open("other"), { reason: "STORE" });
    }
    assert.equal((await stat(path)).mode & 0o077, 0, "others may read it");
  });
});

test("what could not be written down is not there, nor is it written later", async () => {
  await withFile(async (path) => {
    const store = await FileStore.open(path);
    await store.write({ a: 1 });
    await mkdir(`${path}.part`); // in the way
    await assert.rejects(store.write({ a: 2, b: 2 }));
    assert.equal(await store.read("a"), 1);
    await rm(`${path}.part`, { recursive: true });
    await assert.rejects(store.write({ f: /x/ }), { reason: "STORE" });
    await Promise.all([store.write({ c: 3 }), store.write({ d: 4 })]);
    const read = await FileStore.open(path);
    assert.deepEqual([await read.read("a"), await read.read("b"), await read.read("c"), await read.read("d"), await read.read("f")], [1, undefined, 3, 4, undefined]);
  });
});
