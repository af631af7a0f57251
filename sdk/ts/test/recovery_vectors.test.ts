import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { type Bytes, concat, fromHex, hex } from "../src/bytes.js";
import { MalformedError } from "../src/cbor.js";
import { attemptName, deriveDataKey, derivePRS, manageKey, stretch, sum, verifyManaged } from "../src/recovery/derive.js";
import { confirm, type Exchange, generator, prove } from "../src/recovery/exchange.js";
import { type Group, groupOf, modulo } from "../src/recovery/group.js";
import { blind, challenge, combine, combineScalars, composites, deal, dealWith, onPolynomial, proves } from "../src/recovery/oprf.js";
import { typedPin } from "../src/recovery/pin.js";
import { answerKey, envelopeAAD, envelopeInfo, hpkeSuite, openBlob, open, seal, sealBlob, sealRequest, sealSeedRequest, UnreadableError } from "../src/recovery/seal.js";
import { decode, decodePadded, encode as encodeShape, encodePadded } from "../src/recovery/shape.js";
import { vaultKeys } from "./recovery_vaultkeys.js";
import * as wire from "../src/recovery/wire.js";

/** vectors reads a file of spec/vectors/kr1. T says what is used of it. */
function vectors<T>(file: string): T {
  return JSON.parse(readFileSync(`../../spec/vectors/kr1/${file}.json`, "utf8")) as T;
}

interface Case { name: string; suite?: number; input: Record<string, string>; output: Record<string, string> }

test("derivations", async () => {
  const seen = new Set<string>();
  for (const c of vectors<{ cases: Case[] }>("derivations").cases) {
    const at = (name: string): Bytes => fromHex(c.input[name] ?? "");
    switch (c.name) {
      case "h": assert.equal(hex(attemptName(at("reg"), at("b"))), c.output["h"]); break;
      case "prs": assert.equal(hex(derivePRS(c.suite!, at("reg"), at("rwd"), c.input["vault"] as string)), c.output["prs"]); break;
      case "data key": assert.equal(hex(deriveDataKey(c.suite!, at("reg"), at("rwd"), at("s"))), c.output["key"]); break;
      case "manage key": assert.equal(hex(manageKey(c.suite!, at("manage_seed")).public), c.output["public"]); break;
      case "hpke key pair": await vaultKeys(c.suite!, at("mk"), c.input["vault"] as string, Number(c.input["epoch"])).then((k) => assert.equal(hex(k.hpke), c.output["public"])); break;
      default: continue; // a vault's, or the service's
    }
    seen.add(`${c.name} ${c.suite}`);
  }
  assert.deepEqual([...seen].sort(), ["data key 1", "data key 2", "h undefined", "hpke key pair 1", "hpke key pair 2", "manage key 1", "manage key 2", "prs 1", "prs 2"]);
  assert.throws(() => derivePRS(1, new Uint8Array(16), new Uint8Array(32), "v1"), MalformedError, "the output of the other suite");
});

interface Oprf {
  suite: number; t: number; n: number; coefficients: string[]; x: string; a: string; reg_id: string; b: string; proof_random_scalar: string;
  servers: { index: number; k_i: string; public_k_i: string; e_i: string; proof: string }[]; combined: string; rwd: string;
}

test("the threshold OPRF", () => {
  for (const c of vectors<{ cases: Oprf[] }>("toprf").cases) {
    const g = groupOf(c.suite);
    const blinded = blind(g, fromHex(c.x), fromHex(c.a), fromHex(c.reg_id));
    assert.equal(hex(blinded.element), c.b);
    const shares = dealWith(g, c.coefficients.map((k) => g.scalar(fromHex(k))), c.n);
    const evaluations = c.servers.map((s, i) => {
      assert.equal(hex(g.scalarBytes(shares[i]!.scalar)), s.k_i);
      assert.equal(hex(shares[i]!.publicShare), s.public_k_i);
      const e = g.sum([[shares[i]!.scalar, blinded.element]]);
      assert.equal(hex(e), s.e_i);
      const [k, proof] = [fromHex(s.public_k_i), fromHex(s.proof)];
      assert.equal(hex(proveWith(g, shares[i]!.scalar, blinded.element, e, g.scalar(fromHex(c.proof_random_scalar)))), s.proof);
      assert.ok(proves(g, k, blinded.element, e, proof), "a good proof");
      assert.ok(!proves(g, k, e, blinded.element, proof), "a proof of something else");
      assert.ok(!proves(g, k, blinded.element, e, concat(proof.subarray(0, 63), Uint8Array.of(proof[63]! ^ 1))), "a changed proof");
      return { index: s.index, e };
    });
    const some = evaluations.slice(-c.t);
    assert.equal(hex(combine(g, c.t, some)), c.combined);
    assert.equal(hex(blinded.finalize(combine(g, c.t, some))), c.rwd);
    assert.ok(onPolynomial(g, c.t, evaluations));
    assert.equal(combineScalars(g, c.t, shares.slice(-c.t)), shares.length && g.scalar(fromHex(c.coefficients[0]!)));
    if (c.n > c.t) {
      const lie = [...evaluations.slice(0, -1), { index: c.n, e: blinded.element }];
      assert.ok(!onPolynomial(g, c.t, lie), "a false evaluation");
      assert.throws(() => combine(g, c.t, evaluations), MalformedError, "too many");
    }
    assert.throws(() => combine(g, 2, [some[0]!, some[0]!]), MalformedError, "a point twice");
  }
});

/** proveWith is a vault's proof (RFC 9497, Section 2.2.1). */
function proveWith(g: Group, k: bigint, b: Bytes, e: Bytes, r: bigint): Bytes {
  const key = g.sum([[k, null]]);
  const { m, z } = composites(g, key, b, e);
  const c = challenge(g, key, m, z, g.sum([[r, null]]), g.sum([[r, m]]));
  return concat(g.scalarBytes(c), g.scalarBytes(modulo(r - c * k, g.order)));
}

test("a dealt secret needs t shares", () => {
  for (const suite of [1, 2]) {
    const g = groupOf(suite);
    const secret = g.randomScalar();
    const shares = deal(g, secret, 3, 5);
    assert.equal(combineScalars(g, 3, [shares[4]!, shares[0]!, shares[2]!]), secret);
    assert.notEqual(combineScalars(g, 2, shares.slice(0, 2)), secret);
    assert.throws(() => combineScalars(g, 2, [shares[0]!, shares[0]!]), MalformedError);
    assert.throws(() => g.scalar(new Uint8Array(32)), MalformedError, "zero");
    assert.throws(() => g.scalar(g.scalarBytes(g.order)), MalformedError, "the order");
  }
});

interface ExchangeCase {
  suite: number; prs_i: string; vault: string; acct: string; reg_id: string; b: string; e: string; g: string; y_a_seed: string; y_a_scalar: string;
  y_a: string; y_b_scalar: string; y_b: string; z: string; transcript: string; tag: string; refused_halves: string[];
}

test("the exchange with a vault", () => {
  for (const c of vectors<{ cases: ExchangeCase[] }>("exchange").cases) {
    const g = groupOf(c.suite);
    const x: Exchange = { suite: c.suite, prs: fromHex(c.prs_i), vault: c.vault, acct: fromHex(c.acct), reg: fromHex(c.reg_id), b: fromHex(c.b), e: fromHex(c.e) };
    assert.equal(hex(generator(x)), c.g);
    assert.equal(hex(g.scalarBytes(g.hashToScalar(fromHex(c.y_a_seed), "staunch/kr1/share"))), c.y_a_scalar);
    const q = prove(x, fromHex(c.y_a), g.scalar(fromHex(c.y_b_scalar)));
    assert.equal(hex(q.yb), c.y_b);
    assert.equal(hex(q.tag), c.tag);
    assert.equal(hex(encodeShape(wire.transcript, { ...x, ya: q.ya, yb: q.yb })), c.transcript);
    assert.equal(hex(confirm(x, q.ya, q.yb, fromHex(c.z))), c.tag);
    for (const half of c.refused_halves) {
      assert.throws(() => prove(x, fromHex(half), g.randomScalar()), MalformedError, half);
    }
  }
});

interface RecoveryCase {
  suite: number; pin: string; nfkc: string; reg_id: string; x: string; a: string; b: string; rwd: string; s: string; data_key: string;
  header: string; payload: string; blob: string; blob_hash: string;
  vaults: { vault: string; k_i: string; s_i: string; public_k_i: string; e_i: string; prs_i: string }[];
}

test("a whole recovery, from the PIN to the payload", async () => {
  for (const c of vectors<{ cases: RecoveryCase[] }>("recovery").cases) {
    const g = groupOf(c.suite);
    const reg = fromHex(c.reg_id);
    const head = decode(wire.header, fromHex(c.header));
    const x = await typedPin(c.pin).stretch(reg, head.argon2);
    assert.equal(hex(x), c.x);
    assert.equal(hex(await stretch(c.nfkc, reg, head.argon2)), c.x);
    const blinded = blind(g, x, fromHex(c.a), reg);
    assert.equal(hex(blinded.element), c.b);
    const rwd = blinded.finalize(combine(g, head.t, [1, 2].map((i) => ({ index: i + 1, e: fromHex(c.vaults[i]!.e_i) }))));
    assert.equal(hex(rwd), c.rwd);
    c.vaults.forEach((v) => assert.equal(hex(derivePRS(c.suite, reg, rwd, v.vault)), v.prs_i));
    const s = g.scalarBytes(combineScalars(g, head.t, [0, 2].map((i) => ({ index: i + 1, scalar: g.scalar(fromHex(c.vaults[i]!.s_i)) }))));
    assert.equal(hex(s), c.s);
    const key = deriveDataKey(c.suite, reg, rwd, s);
    assert.equal(hex(key), c.data_key);
    assert.equal(hex(sum(fromHex(c.blob))), c.blob_hash);
    const opened = await openBlob(key, fromHex(c.blob));
    assert.equal(hex(encodeShape(wire.payload, opened.payload)), c.payload);
    const again = await openBlob(key, await sealBlob(key, head, opened.payload)); // what we seal we open
    assert.deepEqual(again.payload, opened.payload);
    await assert.rejects(openBlob(fromHex(c.a), fromHex(c.blob)), UnreadableError, "another key");
  }
});

interface EnvelopeCase {
  suite: number; mk: string; vault: string; epoch: number; config_hash: string; op: wire.Op; acct: string; request: string; sealed_request: string;
  answer_key: string; answer: string; sealed_answer: string;
}

test("requests and answers", async () => {
  for (const c of vectors<{ cases: EnvelopeCase[] }>("envelopes").cases) {
    const e = { suite: c.suite, vault: c.vault, epoch: c.epoch, config: fromHex(c.config_hash), op: c.op, acct: fromHex(c.acct) };
    const suite = hpkeSuite(c.suite);
    const pair = await vaultKeys(c.suite, fromHex(c.mk), c.vault, c.epoch);
    const openIt = async (sealed: Bytes): Promise<{ plain: Bytes; key: Bytes }> => {
      const n = c.suite === 1 ? 1_120 : 65;
      const recipient = await suite.createRecipientContext({ recipientKey: pair.secret, enc: sealed.slice(0, n).buffer, info: envelopeInfo(e).buffer });
      const plain = new Uint8Array(await recipient.open(sealed.slice(n).buffer, envelopeAAD(e).buffer));
      const label = c.op >= 16 ? "staunch/seed/answer" : "staunch/kr1/answer";
      return { plain, key: new Uint8Array(await recipient.export(new TextEncoder().encode(label).buffer as ArrayBuffer, 32)) };
    };
    const seed = c.op >= 16;
    const theirs = await openIt(fromHex(c.sealed_request));
    assert.equal(hex(theirs.key), c.answer_key);
    assert.equal(hex(theirs.plain), c.request);
    const opener = answerKey(fromHex(c.answer_key), envelopeAAD(e));
    const sealedAnswer = fromHex(c.sealed_answer);
    const shape = seed ? wire.seedAnswer : wire.answer;
    const opened = seed ? await opener.openSeedAnswer(sealedAnswer) : await opener.openAnswer(sealedAnswer);
    assert.equal(hex(encodeShape(shape as typeof wire.answer, opened as wire.Answer)), c.answer);
    await assert.rejects(opener.openAnswer(sealedAnswer.slice(1)), UnreadableError, "cut");
    await assert.rejects(open(fromHex(c.mk), sealedAnswer, envelopeAAD(e)), UnreadableError, "another key");
    // And what we seal the vault opens; its answer we open.
    const ours = seed
      ? await sealSeedRequest(e, pair.hpke, decodePadded(wire.seedRequest, fromHex(c.request)))
      : await sealRequest(e, pair.hpke, wire.evaluate, decode(wire.evaluate, fromHex(c.request)));
    const got = await openIt(ours.request);
    assert.equal(hex(got.plain), c.request);
    assert.equal(ours.request.length, fromHex(c.sealed_request).length);
    const plain = encodePadded(shape as typeof wire.answer, opened as wire.Answer, seed ? wire.seedPlain : 256);
    const back = await seal(got.key, plain, envelopeAAD(e));
    assert.deepEqual(seed ? await ours.openSeedAnswer(back) : await ours.openAnswer(back), opened);
  }
});

test("sealed records are the vaults': a phone opens none, and their sealing is the same", async () => {
  for (const c of vectors<{ cases: Record<string, string>[] }>("records").cases) {
    const plain = await open(fromHex(c["key"]!), fromHex(c["sealed"]!).slice(4), fromHex(c["aad"]!));
    assert.ok(hex(plain).startsWith(c["record"]!));
  }
});

interface Signed { name: string; suite: number; public: string; message: string; signature: string; valid: boolean }

test("signatures of manage keys", () => {
  for (const c of vectors<{ cases: Signed[] }>("signatures").cases) {
    assert.equal(verifyManaged(c.suite, fromHex(c.public), fromHex(c.message), fromHex(c.signature)), c.valid, `${c.name}, suite ${c.suite}`);
  }
  for (const suite of [1, 2]) {
    const key = manageKey(suite, crypto.getRandomValues(new Uint8Array(32)));
    const message = Uint8Array.of(1, 2, 3);
    assert.ok(verifyManaged(suite, key.public, message, key.sign(message)));
    assert.ok(!verifyManaged(suite, key.public, Uint8Array.of(1, 2), key.sign(message)));
    assert.equal(key.sign(message).length, 64);
  }
});

