import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { fromHex, hex } from "../src/bytes.js";
import { MalformedError } from "../src/cbor.js";
import { decode, decodePadded, encode, encodePadded, type Shape } from "../src/recovery/shape.js";
import { binding, kOfM, measurement, vaultSet } from "../src/recovery/vaultset.js";
import * as wire from "../src/recovery/wire.js";

interface Vector { name: string; type: string; cbor: string }

const vectors = JSON.parse(readFileSync("../../spec/vectors/kr1/structures.json", "utf8")) as { good: Vector[]; refused: Vector[] };

/** What a phone reads or writes. */
const shapes = new Map<string, Shape<never>>(Object.entries({
  evaluate: wire.evaluate, release: wire.release, transcript: wire.transcript, "create-tbs": wire.createTBS, "activate-tbs": wire.activateTBS,
  "finalize-tbs": wire.finalizeTBS, "update-tbs": wire.updateTBS, "delete-tbs": wire.deleteTBS, status: wire.status, managed: wire.managed,
  answer: wire.answer, header: wire.header, payload: wire.payload, blob: wire.blob, binding, "vault-set": vaultSet, measurement, "k-of-m": kOfM,
  "seed-request": wire.seedRequest, "seed-answer": wire.seedAnswer,
}) as unknown as [string, Shape<never>][]);

/** What only services, vaults and witnesses exchange. */
const others = ["call", "reply", "frame", "voucher", "receipt", "mark", "tagged", "view", "record", "config", "ceremony", "signed", "seed-record"];

test("what decodes encodes to the same bytes", () => {
  const seen = new Set<string>();
  for (const v of vectors.good.filter((g) => !others.includes(g.type))) {
    const shape = shapes.get(v.type);
    assert.ok(shape, `no shape for ${v.type}`);
    assert.equal(hex(encode(shape, decode(shape, fromHex(v.cbor)))), v.cbor, v.name);
    seen.add(v.type);
  }
  assert.deepEqual([...seen].sort(), [...shapes.keys()].sort(), "a shape without a vector");
});

test("every other form is refused", () => {
  let n = 0;
  for (const v of vectors.refused.filter((r) => !others.includes(r.type))) {
    const shape = shapes.get(v.type);
    assert.ok(shape, `no shape for ${v.type}`);
    assert.throws(() => decode(shape, fromHex(v.cbor)), MalformedError, v.name);
    n++;
  }
  assert.ok(n >= 100, `only ${n} forms`);
});

test("the bounds of a header", () => {
  const encoded = vectors.good.find((v) => v.name === "header");
  assert.ok(encoded);
  const good = decode(wire.header, fromHex(encoded.cbor));
  for (const [what, change] of [
    ["weak Argon2: memory", { argon2: { ...good.argon2, m: 65_535 } }],
    ["weak Argon2: passes", { argon2: { ...good.argon2, t: 2 } }],
    ["expensive Argon2", { argon2: { ...good.argon2, m: 1_048_577 } }],
    ["more needed than there are", { t: good.n + 1 }],
    ["another number than it says", { n: good.n + 1 }],
    ["a vault twice", { vaults: good.vaults.map((v) => ({ ...v, vault: "v1" })) }],
    ["a share of another suite", { vaults: good.vaults.map((v) => ({ ...v, k: new Uint8Array(33) })) }],
  ] as const) {
    assert.throws(() => encode(wire.header, { ...good, ...change }), MalformedError, what);
  }
});

test("zeros and nothing else follow a padded structure", () => {
  const padded = encodePadded(wire.status, {}, 8);
  assert.deepEqual(decodePadded(wire.status, padded), {});
  padded[7] = 1;
  assert.throws(() => decodePadded(wire.status, padded), MalformedError);
  assert.throws(() => encodePadded(wire.blob, { header: new Uint8Array(1), box: new Uint8Array(28) }, 8), MalformedError);
});
