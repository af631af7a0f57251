import assert from "node:assert/strict";
import { test } from "node:test";

import { type Bytes, equal, fromHex, hex } from "../src/bytes.js";
import { sha256 } from "../src/transfer/derive.js";
import { type Class, decodeEvidence, decodeMessage, type Envelope, type Grant, parseCode, type Prover, Receiver, Secret, Sender, type SenderOptions, type Step, verifyProof } from "../src/transfer/handover/index.js";
import { Half } from "../src/transfer/handover/half.js";
import { beaconKey, decapsulate, macOf, numberOf, publicKey, rootKey, sharedKey } from "../src/transfer/handover/schedule.js";
import { writeSender } from "../src/transfer/handover/state.js";
import { refusal, vectors } from "./transfer/vectors.js";

interface Case {
  name: string; class: Class; uri: string; kem_seed: string; n_pub: string; prox: string; n_dev: string; c_dev: string; number: string;
  steps: { step: Step; message: string; value: string; mac: string; proof: string }[];
  keys: Record<"K0" | "K_bulk" | "K_mac_c" | "K_mac_n" | "K_secret" | "psk" | "x", string>;
  hold_share: string; commit_share: string; secrets: string; sealed: string;
}

const { cases } = vectors<{ cases: Case[] }>("handshake.json");

/** recorded is a device key whose proofs are those of the vectors. */
function recorded(v: Case, spki: string): Prover {
  return {
    spki: fromHex(spki),
    async sign(message) {
      const value = hex(message.slice(-32));
      return fromHex(v.steps.find((s) => s.value === value)?.proof ?? "00");
    },
  };
}

function envelope(v: Case, step: Step): Envelope {
  const s = v.steps.find((x) => x.step === step);
  assert.ok(s, step);
  return { message: fromHex(s.message), mac: fromHex(s.mac), proof: fromHex(s.proof) };
}

function value(v: Case, step: Step): Bytes {
  return fromHex(v.steps.find((x) => x.step === step)?.value ?? "");
}

const unjudged = { verify: async (_e: unknown, _c: unknown, spki: Bytes) => ({ accepted: true, key: spki, findings: [] }) };
const audience = "demo@accounts.example.org";

test("the key schedule is that of the vectors", async () => {
  for (const v of cases) {
    const seed = Secret.of(fromHex(v.kem_seed));
    const [th0, th1, th4] = [value(v, "offer"), value(v, "hello"), value(v, "confirm")];
    assert.equal(hex(await publicKey(seed)), v.n_pub);
    const x = await (await decapsulate(seed, decodeMessage("hello", envelope(v, "hello").message).encapsulated, th0))(th1);
    assert.equal(hex(x.bytes()), v.keys.x);
    const k0 = rootKey(parseCode(v.uri).secret, Secret.of(fromHex(v.prox)), x, th1);
    assert.equal(hex(k0.bytes()), v.keys.K0);
    for (const [step, who] of [["hello", "c"], ["answer", "n"], ["matched", "n"], ["confirm", "c"]] as const) {
      assert.equal(hex(macOf(k0, who, th1, value(v, step))), hex(envelope(v, step).mac), step);
    }
    assert.equal(numberOf(k0, value(v, "answer")), v.number);
    assert.equal(hex(sharedKey(k0, "bulk", th4, Secret.of(fromHex(v.hold_share)))), v.keys.K_bulk);
    assert.equal(hex(sharedKey(k0, "secret", th4, Secret.of(fromHex(v.commit_share)))), v.keys.K_secret);
  }
});

test("all proofs of the vectors are good, and no other", async () => {
  for (const v of cases) {
    for (const s of v.steps) {
      const [own, other] = ["offer", "answer", "matched", "receipt", "ack"].includes(s.step) ? [v.n_dev, v.c_dev] : [v.c_dev, v.n_dev];
      await verifyProof(fromHex(own), fromHex(s.value), fromHex(s.proof));
      assert.equal(await refusal(() => verifyProof(fromHex(other), fromHex(s.value), fromHex(s.proof))), "forged", s.step);
      assert.equal(await refusal(() => verifyProof(fromHex(own), sha256(fromHex(s.value)), fromHex(s.proof))), "forged", s.step);
    }
  }
});

test("the new phone's half says what the vectors say", async () => {
  for (const v of cases) {
    const offer = decodeMessage("offer", envelope(v, "offer").message);
    const code = parseCode(v.uri);
    const n = await Receiver.of({
      device: recorded(v, v.n_dev), audience, trust: unjudged, evidence: decodeEvidence(offer.evidence), challenge: offer.challenge, info: offer.info,
      schema: offer.schema, freeBytes: Number(offer.freeBytes), beacons: code.beacons, lan: offer.lan ?? [],
    }, { id: code.id, qs: code.secret, prox: Secret.of(fromHex(v.prox)), seed: Secret.of(fromHex(v.kem_seed)) });
    assert.equal(n.code()?.uri(), v.uri);
    assert.deepEqual(n.offer(), envelope(v, "offer"));
    await n.handleHello(envelope(v, "hello"));
    assert.deepEqual(await n.answerWith(decodeMessage("answer", envelope(v, "answer").message).nonce), envelope(v, "answer"));
    await n.number(v.number);
    assert.deepEqual(await n.matched(decodeMessage("matched", envelope(v, "matched").message).passkey), envelope(v, "matched"));
    await n.handleConfirm(envelope(v, "confirm"));
    assert.equal(hex(await n.bulkKey(Secret.of(fromHex(v.hold_share)))), v.keys.K_bulk);
    await n.handleGrant(envelope(v, "grant"));
    assert.deepEqual(await n.receipt(decodeMessage("receipt", envelope(v, "receipt").message)), envelope(v, "receipt"));
    const secrets = await n.open(Secret.of(fromHex(v.commit_share)), fromHex(v.sealed));
    assert.deepEqual([...secrets.keys()].sort(), ["recovery", "sealing"]);
    assert.deepEqual(await n.ack(Uint8Array.from("public", (c) => c.charCodeAt(0))), envelope(v, "ack"));
    await n.handleRecall(envelope(v, "recall"));
  }
});

test("the current phone's half says what the vectors say", async () => {
  for (const v of cases) {
    const hello = decodeMessage("hello", envelope(v, "hello").message);
    const o: SenderOptions = {
      device: recorded(v, v.c_dev), audience, trust: unjudged, schema: 2, bytes: 0, account: hello.account, deviceId: hello.deviceId, info: hello.info, label: hello.label,
    };
    const code = parseCode(v.uri);
    const created = await Sender.create(code, envelope(v, "offer"), o);
    assert.equal(created.peer().info.model, "New");
    if (v.class !== "none") {
      assert.equal(hex((await created.openBeacon(await code.beacon(Secret.of(fromHex(v.prox))))).bytes()), v.prox);
    }
    // From the hello on, whose enc was random: the half as it was stored then, with shares that were random, too.
    const half = new Half(o, code, undefined);
    half.k0 = Secret.of(fromHex(v.keys.K0));
    for (const step of ["offer", "hello"] as const) {
      half.transcript.put(step, { envelope: envelope(v, step), value: value(v, step) });
    }
    const stored = { half, hold: Secret.of(fromHex(v.hold_share)), share: undefined, sealed: undefined, older: [] };
    const c = await Sender.restore(writeSender(stored), o);
    assert.deepEqual(await c.hello(v.class), envelope(v, "hello"));
    await c.handleAnswer(envelope(v, "answer"));
    assert.equal(await c.number(), v.number);
    await c.handleMatched(envelope(v, "matched"));
    const confirm = decodeMessage("confirm", envelope(v, "confirm").message);
    assert.deepEqual((await c.confirm(confirm.stepUp, confirm.bytes)).envelope, envelope(v, "confirm"));
    assert.equal(hex(await c.bulkKey()), v.keys.K_bulk);

    for (const step of ["answer", "matched", "confirm", "grant"] as const) {
      half.transcript.put(step, { envelope: envelope(v, step), value: value(v, step) });
    }
    const later = await Sender.restore(writeSender({ ...stored, share: Secret.of(fromHex(v.commit_share)), sealed: fromHex(v.sealed) }), o);
    const { secretsHash: _s, commitShareHash: _c, ...grant }: Grant = decodeMessage("grant", envelope(v, "grant").message);
    const secrets = new Map([["recovery", "state"], ["sealing", "private"]].map(([k, t]) => [k as string, Uint8Array.from(t as string, (x) => x.charCodeAt(0))]));
    const granted = await later.grant({ ...grant, secrets });
    assert.deepEqual(granted.envelope, envelope(v, "grant"), "sealed and signed with the same again, it is the same");
    assert.ok(equal(granted.sealed, fromHex(v.sealed)));
    await later.handleReceipt(envelope(v, "receipt"));
    await later.handleAck(envelope(v, "ack"));
    const recall = decodeMessage("recall", envelope(v, "recall").message);
    assert.deepEqual(await later.recall(recall.reason, recall.stepUp), envelope(v, "recall"));
  }
});

test("codes are written and read as the vectors say", async () => {
  const file = vectors<{
    good: { name: string; beacons: number; sid: string; key_hash: string; qs: string; qr_public: string; uri: string; transfer: string; k_eid: string; prox: string; beacon: string }[];
    refused: { name: string; uri: string; why: string }[];
  }>("code.json");
  for (const v of file.good) {
    for (const uri of [v.uri, v.uri.replace("STAUNCH", "staunch")]) {
      const code = parseCode(uri);
      assert.equal(code.uri(), v.uri, v.name);
      assert.deepEqual([code.beacons, hex(code.id), hex(code.keyHash), hex(code.public()), code.transferId()], [v.beacons, v.sid, v.key_hash, v.qr_public, v.transfer]);
      assert.equal(hex(code.secret.bytes()), v.qs);
      assert.equal(hex(beaconKey(code.secret, code.id)), v.k_eid);
      const prox = Secret.of(fromHex(v.prox));
      assert.equal(hex(await code.beacon(prox)), v.beacon);
      assert.equal(hex((await code.openBeacon(fromHex(v.beacon))).bytes()), v.prox);
      for (const bad of [v.beacon.slice(2), v.beacon.replace(/^../, "ff"), v.beacon.replace(/..$/, "ff")]) {
        assert.equal(await refusal(() => code.openBeacon(fromHex(bad))), "beacon");
      }
    }
  }
  for (const v of file.refused) {
    assert.equal(await refusal(() => parseCode(v.uri)), v.why, v.name);
  }
});
