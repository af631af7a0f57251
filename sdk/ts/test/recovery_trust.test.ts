import assert from "node:assert/strict";
import { test } from "node:test";

import { utf8 } from "../src/bytes.js";
import { decode } from "../src/recovery/shape.js";
import { RecoveryError } from "../src/recovery/errors.js";
import { Recovery } from "../src/recovery/index.js";
import type { Config } from "../src/recovery/transport.js";
import { type Binding, type KofM, kOfM, SignatureError, verifyKofM, type VaultSet } from "../src/recovery/vaultset.js";
import type { Phone } from "../src/index.js";
import { fails, Op, World } from "./recovery_world.js";

const pin = "482915";

test("a vault set that is believed, and those that are not", async () => {
  const edited = (edit: (s: VaultSet) => Partial<VaultSet>, by?: readonly number[]) =>
    (w: World) => (c: Config): Config => ({ ...c, set: w.signed({ ...w.set, ...edit(w.set) }, by) });
  const w = await World.make();
  w.set = { ...w.set, version: 2n };
  await w.register(pin, "one"); // has seen version 2
  const values = structuredClone(w.disk.values);
  const seen = (): World["disk"] => {
    w.forget();
    values.forEach((value, at) => w.disk.values.set(at, value));
    return w.disk;
  };
  for (const [name, config, ok] of [
    ["the same again", edited(() => ({})), true],
    ["a newer one", edited((s) => ({ version: s.version + 1n })), true],
    ["signed by all", edited(() => ({}), [0, 1, 2]), true],
    ["an older one", edited((s) => ({ version: s.version - 1n })), false],
    ["another of the same version", edited((s) => ({ validFrom: s.validFrom + 1n })), false],
    ["signed by one", edited(() => ({}), [0]), false],
    ["signed by one twice", edited(() => ({}), [1, 1]), false],
    ["valid from tomorrow", edited((s) => ({ version: s.version + 1n, validFrom: 1_800_086_400n })), false],
    ["valid in four minutes", edited((s) => ({ version: s.version + 1n, validFrom: 1_800_000_240n })), true],
    ["a vault twice", edited((s) => ({ version: s.version + 1n, vaults: [s.vaults[0]!, s.vaults[1]!, s.vaults[1]!] })), false],
    ["a changed byte", (w: World) => (c: Config): Config => {
      const set = w.signed();
      set[80]! ^= 1;
      return { ...c, set };
    }, false],
    ["nonsense", () => (c: Config): Config => ({ ...c, set: utf8("trust me") }), false],
    ["a profile that the service does not say", () => (c: Config): Config => ({ ...c, profile: "kr1-single" }), false],
    ["a limit that the service does not say", () => (c: Config): Config => ({ ...c, limit: 11 }), false],
  ] as const) {
    w.disk = seen();
    w.config = config(w);
    if (ok) {
      await w.update("two");
    } else {
      w.calls.length = 0;
      await fails(w.update("two"), "EVIDENCE", name);
      assert.deepEqual(w.calls.map((c) => c.method), ["getConfig"], name);
    }
  }
});

test("the newest version is remembered: by an attempt on a new phone, and by the app", async () => {
  const w = await World.make();
  await w.register(pin, "one");
  const old = w.signed();
  w.set = { ...w.set, version: 2n };
  w.forget();
  await w.wrong("000000", 9);
  w.config = (c) => ({ ...c, set: old });
  await fails(w.recover(pin), "EVIDENCE", "an attempt has seen version 2");
  w.forget();
  w.setVersion = 2;
  await fails(w.recover(pin), "EVIDENCE", "the app has version 2 built in");
  w.setVersion = 0;
  await w.recovers(pin, "one");
});

test("evidence: one of three that is refused is left out, two are too many, and to register all must be good", async () => {
  const w = await World.make();
  await w.register(pin, "one");
  const ago = (s: number): bigint => BigInt(1_800_000_000 - s);
  const forged = (edit: (b: Binding) => Partial<Binding>) => (w: World, i: number) => w.evidenceOf(w.vaults[i]!, edit);
  for (const [name, spoil, ok] of [
    ["good", forged(() => ({})), true],
    ["issued almost a day ago", forged(() => ({ issued: ago(86_340) })), true],
    ["issued a day ago", forged(() => ({ issued: ago(86_460) })), false],
    ["issued in the future", forged(() => ({ issued: ago(-360) })), false],
    ["for somebody else's nonce", forged(() => ({ nonce: utf8("nonce") })), false],
    ["another configuration", forged((b) => ({ configHash: b.configHash.map((x) => x ^ 1) })), false],
    ["that names another vault", forged(() => ({ vault: "v9" })), false],
    ["of another vault", (w: World, i: number) => w.evidenceOf(w.vaults[(i + 1) % 3]!), false],
    ["without a key", forged(() => ({ hpke: null })), false],
    ["with a key of the other suite", forged(() => ({ hpke: new Uint8Array(65) })), false],
    ["that is not evidence", () => utf8("trust me"), false],
    ["of another program", (w: World, i: number) => w.evidenceOf(w.vaults[i]!, undefined, new Uint8Array(32)), false],
    ["missing", () => new Uint8Array(), false],
    ["with a changed byte", (w: World, i: number) => {
      const e = w.evidenceOf(w.vaults[i]!);
      e[e.length - 3]! ^= 1;
      return e;
    }, false],
  ] as const) {
    let bad = 1;
    w.config = (c) => ({ ...c, evidence: c.evidence.map((e, i) => (i < bad ? spoil(w, i) : e)) });
    const { outcome } = await w.recovers(pin, "one");
    assert.equal(outcome.answered, ok ? 3 : 2, name);
    assert.equal(outcome.assurance, "process", name);
    if (!ok) {
      const reason = name === "missing" ? "UNAVAILABLE" : "EVIDENCE";
      await fails(w.register("739164", "two"), reason, name);
      bad = 2;
      await fails(w.recover(pin), reason, name);
    }
  }
});

test("without a word of the app's no process is taken", async () => {
  const w = await World.make();
  await w.register(pin, "one");
  w.allowProcess = false;
  w.calls.length = 0;
  await fails(w.recover(pin), "EVIDENCE");
  assert.equal(w.count(Op.evaluate), 0);
});

test("an entry of the set for another time, in a log, or with a floor, takes nobody", async () => {
  for (const entry of [{ notAfter: 1_799_999_999n }, { notBefore: 1_800_000_001n }, { logIndex: 1n }, { floor: new Map([["svn", 1n]]) }, { values: new Map([["md5", new Uint8Array(16)]]) }]) {
    const w = await World.make();
    w.set = { ...w.set, vaults: w.set.vaults.map((m) => ({ ...m, measurements: m.measurements.map((x) => ({ ...x, ...entry })) })) };
    await fails(w.register(pin, "one"), "EVIDENCE", Object.keys(entry).join());
    assert.equal(w.blobs.length, 1, "the blob is stored, and no share leaves");
    assert.equal(w.count(Op.create), 0);
  }
});

test("k of m", async () => {
  const w = await World.make();
  const doc = (by: readonly number[]): KofM => decode(kOfM, w.signed(w.set, by));
  const [a, b, c] = w.releaseKeys as [Uint8Array, Uint8Array, Uint8Array];
  verifyKofM(doc([0, 1]), { k: 2, keys: [a, b] });
  verifyKofM(doc([0, 1, 2]), { k: 2, keys: [a, b] }); // one that is not ours is not looked at
  const spoilt = doc([0, 1, 2]);
  spoilt.sigs[2]!.sig[5]! ^= 1;
  verifyKofM(spoilt, { k: 2, keys: [a, b] });
  for (const [name, d, keys] of [
    ["too few", doc([0]), { k: 2, keys: [a, b] }],
    ["a stranger's", doc([0, 2]), { k: 2, keys: [a, b] }],
    ["one wrong spoils the whole", spoilt, { k: 2, keys: [a, b, c] }],
    ["no keys", doc([0]), { k: 0, keys: [] }],
    ["none of some", doc([0]), { k: 0, keys: [a] }],
    ["more than there are", doc([0, 1]), { k: 3, keys: [a, b] }],
    ["a key twice", doc([0, 0]), { k: 2, keys: [a, a] }],
    ["the key of zeros", doc([0]), { k: 1, keys: [a, new Uint8Array(32)] }],
  ] as const) {
    assert.throws(() => verifyKofM(d, keys), SignatureError, name);
  }
});

test("release keys that verify nothing are refused at once", () => {
  const phone = { core: { calls: { recovery: {} }, store: {}, now: Date.now } } as unknown as Phone;
  for (const trust of [{ releaseKeys: [], k: 0 }, { releaseKeys: [], k: 1 }, { releaseKeys: [new Uint8Array(32)], k: 2 }, { releaseKeys: [new Uint8Array(31)], k: 1 }]) {
    assert.throws(() => new Recovery({ phone, trust }), RecoveryError);
  }
  assert.ok(new Recovery({ phone, trust: { releaseKeys: [new Uint8Array(32).fill(1)], k: 1 } }));
});
