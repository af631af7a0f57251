import assert from "node:assert/strict";
import { test } from "node:test";

import { ed25519 } from "@noble/curves/ed25519.js";
import { p256 } from "@noble/curves/nist.js";

import { type Bytes, concat, copy, fromHex, utf8 } from "../src/bytes.js";
import { encode, type Value } from "../src/cbor.js";
import { sha256 } from "../src/transfer/derive.js";
import { decodeEnvelope, decodeEvidence, decodeMessage, deviceProof, encodeEnvelope, encodeEvidence, encodeMessage, parseCode, Receiver, Sender, verifyProof } from "../src/transfer/handover/index.js";
import { decodeSecrets, encodeSecrets } from "../src/transfer/handover/secrets.js";
import { granting, newRig } from "./transfer/rig.js";
import { refusal } from "./transfer/vectors.js";

const value = sha256(utf8("a transcript value"));

/** generated is an ECDSA key of a curve: its SubjectPublicKeyInfo and its signature over the proof of a value. */
async function generated(namedCurve: string, hash: string): Promise<{ spki: Bytes; proof: Bytes }> {
  const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve }, false, ["sign"]);
  return {
    spki: new Uint8Array(await crypto.subtle.exportKey("spki", pair.publicKey)),
    proof: new Uint8Array(await crypto.subtle.sign({ name: "ECDSA", hash }, pair.privateKey, deviceProof(value))),
  };
}

test("proofs by each kind of key that phones have, and by no other", async () => {
  for (const [what, k, good] of [
    ["P-256", await generated("P-256", "SHA-256"), true], ["P-384", await generated("P-384", "SHA-384"), true],
    ["P-384 with another hash", await generated("P-384", "SHA-256"), false], ["P-521", await generated("P-521", "SHA-512"), false],
  ] as const) {
    assert.equal(await refusal(() => verifyProof(k.spki, value, k.proof)), good ? undefined : "forged", what);
    assert.equal(await refusal(() => verifyProof(k.spki, sha256(value), k.proof)), "forged", `${what}, over another value`);
    assert.equal(await refusal(() => verifyProof(k.spki, value, k.proof.subarray(1))), "forged", `${what}, cut short`);
    assert.equal(await refusal(() => verifyProof(concat(k.spki, Uint8Array.of(0)), value, k.proof)), "forged", `${what}, bytes behind the key`);
  }
  const { secretKey, publicKey } = ed25519.keygen();
  const spki = concat(fromHex("302a300506032b6570032100"), publicKey);
  const proof = ed25519.sign(deviceProof(value), secretKey);
  assert.equal(await refusal(() => verifyProof(spki, value, proof)), undefined, "Ed25519");
  assert.equal(await refusal(() => verifyProof(spki, sha256(value), proof)), "forged");
  assert.equal(await refusal(() => verifyProof(spki.fill(0xff, 30), value, proof)), "forged", "no point");
});

test("an assertion of Apple's is a proof, too", async () => {
  const { secretKey, publicKey } = p256.keygen();
  const spki = concat(fromHex("3059301306072a8648ce3d020106082a8648ce3d030107034200"), p256.Point.fromBytes(publicKey).toBytes(false));
  const data = concat(sha256(utf8("TEAM.app")), Uint8Array.of(0x40, 0, 0, 0, 7));
  const assertion = (over: Bytes, authenticatorData: Bytes, more: readonly (readonly [string, Value])[] = []): Bytes => {
    const signature = copy(p256.sign(sha256(concat(authenticatorData, sha256(over))), secretKey, { format: "der", prehash: true }));
    return encode(new Map<string, Value>([["signature", signature], ["authenticatorData", authenticatorData], ...more]));
  };
  const good = assertion(deviceProof(value), data);
  assert.equal(await refusal(() => verifyProof(spki, value, good)), undefined);
  for (const [what, proof] of [
    ["over another value", assertion(deviceProof(sha256(value)), data)], ["over the bare value", assertion(value, data)],
    ["its data cut short", assertion(deviceProof(value), data.slice(1))], ["bytes behind it", concat(good, Uint8Array.of(0))],
    ["an array", encode([good])], ["no signature", encode(new Map([["authenticatorData", data]]))], ["nothing", new Uint8Array(0)],
    ["too long", assertion(deviceProof(value), data, [["x", new Uint8Array(4096)]])],
  ] as const) {
    assert.equal(await refusal(() => verifyProof(spki, value, proof)), "forged", what);
  }
  const altered = good.slice();
  altered[altered.length - 1]! ^= 1; // the counter is signed
  assert.equal(await refusal(() => verifyProof(spki, value, altered)), "forged");
});

test("messages: what is out of bounds is neither written nor read", async () => {
  const h32 = new Uint8Array(32);
  const stepUp = { approval: "a", assertion: utf8("{}") };
  const recall = new Map<number, Value>([[1, "x"], [2, ["a", utf8("{}")]]]);
  assert.deepEqual(decodeMessage("recall", encode(recall)), { reason: "x", stepUp: { approval: "a", assertion: utf8("{}") } });
  for (const [what, map] of [
    ["a member too many", new Map<number, Value>([...recall, [3, 0]])], ["one too few", new Map<number, Value>([[1, "x"]])],
    ["another kind", new Map<number, Value>([[1, 7], [2, ["a", utf8("{}")]]])], ["a reason too long", new Map<number, Value>([[1, "x".repeat(65)], [2, ["a", utf8("{}")]]])],
    ["a step-up too long", new Map<number, Value>([[1, "x"], [2, ["a", utf8("{}"), 1]]])], ["an array", [1]], ["no approval", new Map<number, Value>([[1, "x"], [2, ["", utf8("{}")]]])],
  ] as const) {
    assert.equal(await refusal(() => decodeMessage("recall", encode(map as Value))), "malformed", what);
  }
  for (const [what, write] of [
    ["a nonce of 31 bytes", () => encodeMessage("answer", { nonce: h32.subarray(1) })],
    ["half a number", () => encodeMessage("confirm", { holdShareHash: h32, bytes: 0.5, stepUp })],
    ["a number below 0", () => encodeMessage("confirm", { holdShareHash: h32, bytes: -1, stepUp })],
    ["a number beyond 2^53", () => encodeMessage("confirm", { holdShareHash: h32, bytes: 2 ** 53, stepUp })],
    ["half a surrogate pair", () => encodeMessage("recall", { reason: "\ud800", stepUp })],
    ["an empty passkey", () => encodeMessage("matched", { passkey: new Uint8Array(0) })],
    ["a cursor of 257 bytes", () => encodeMessage("grant", { ...granting(), secretsHash: h32, commitShareHash: h32, cursor: new Uint8Array(257) })],
  ] as const) {
    assert.equal(await refusal(write), "malformed", what);
  }
});

test("envelopes: a MAC has 32 bytes or none, and nothing is too long", async () => {
  const e = { message: Uint8Array.of(0xa0), mac: new Uint8Array(0), proof: new Uint8Array(64) };
  assert.deepEqual(decodeEnvelope(encodeEnvelope(e)), e);
  for (const [what, bad] of [
    ["a MAC of 31 bytes", { ...e, mac: new Uint8Array(31) }], ["no message", { ...e, message: new Uint8Array(0) }], ["no proof", { ...e, proof: new Uint8Array(0) }],
    ["a proof of 4,097 bytes", { ...e, proof: new Uint8Array(4097) }], ["96 KiB of message", { ...e, message: new Uint8Array(96 << 10) }],
  ] as const) {
    assert.equal(await refusal(() => encodeEnvelope(bad)), "malformed", what);
    assert.equal(await refusal(() => decodeEnvelope(encode([bad.message, bad.mac, bad.proof]))), "malformed", what);
  }
});

test("an offer may name more room than a number can say exactly", async () => {
  const rig = await newRig();
  const n = await Receiver.create({ ...rig.receiver, freeBytes: 2 ** 40 });
  const offer = decodeMessage("offer", n.offer().message);
  const message = encodeMessage("offer", { ...offer, freeBytes: (1n << 63n) - 1n });
  assert.equal(decodeMessage("offer", message).freeBytes, (1n << 63n) - 1n);
  assert.equal(await refusal(() => encodeMessage("offer", { ...offer, freeBytes: 1n << 63n })), "malformed");
  const c = await Sender.create(parseCode(n.code()?.uri() ?? ""), n.offer(), rig.sender);
  assert.equal(c.peer().freeBytes, 2 ** 40);
});

test("evidence is a chain or an object, and of a platform that is known", async () => {
  const chain = [Uint8Array.of(1)];
  assert.deepEqual(decodeEvidence(encodeEvidence({ platform: "android", chain, model: "N" })), { platform: "android", chain, model: "N" });
  for (const [what, e] of [
    ["both", { platform: "android", chain, object: Uint8Array.of(1) }], ["neither", { platform: "ios" }], ["another platform", { platform: "web" as never, chain }],
    ["11 certificates", { platform: "android", chain: Array.from({ length: 11 }, () => Uint8Array.of(1)) }],
  ] as const) {
    assert.equal(await refusal(() => encodeEvidence(e)), "malformed", what);
  }
});

test("secrets: at most 64 of them, in 64 KiB", async () => {
  const some = new Map([["recovery", utf8("state")], ["sealing", new Uint8Array(0)]]);
  assert.deepEqual(decodeSecrets(encodeSecrets(some)), some);
  assert.equal(await refusal(() => encodeSecrets(new Map(Array.from({ length: 65 }, (_, i) => [`s${i}`, utf8("")])))), "malformed");
  assert.equal(await refusal(() => encodeSecrets(new Map([["a", new Uint8Array(64 << 10)]]))), "malformed");
  assert.equal(await refusal(() => decodeSecrets(encode(new Map([["a", "text"]])))), "malformed");
});
