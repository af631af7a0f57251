import assert from "node:assert/strict";
import { test } from "node:test";

import { type Bytes, equal, hex, utf8 } from "../src/bytes.js";
import { sha256 } from "../src/transfer/derive.js";
import { encodeMessage, type Envelope, type Granted, type Messages, type Prover, Secret, valueOf } from "../src/transfer/handover/index.js";
import { granting, newKey, newRig, Phones, receiptOf, sealingPublic, signed, stepUp } from "./transfer/rig.js";
import { refusal } from "./transfer/vectors.js";

/** receipted is a receipt by a key over the transcript of a transfer. */
function receipted(p: Phones, by: Prover, change: Partial<Messages["receipt"]> = {}): Promise<Envelope> {
  const message = encodeMessage("receipt", receiptOf(change));
  return signed(by, valueOf("receipt", p.c.before("receipt"), message), message);
}

test("the hold share is the current phone's, and another opens nothing", async () => {
  const p = await Phones.meet(await newRig(), "confirm");
  for (const share of [new Uint8Array(32), sha256(p.share?.bytes() ?? new Uint8Array(0))]) {
    assert.equal(await refusal(() => p.n.bulkKey(Secret.of(share))), "commitment");
  }
});

test("the current phone signs itself out for the new one's word over its own stream, and for nothing that a server can make", async () => {
  const p = await Phones.meet(await newRig(), "grant");
  const other = await Phones.meet(await newRig(), "receipt");
  const n = p.rig.receiver.device;
  const { root, bytes, objects } = receiptOf();
  const bad = root.slice();
  bad[31]! ^= 1;
  for (const [what, e, want] of [
    ["a stranger's", await receipted(p, await newKey()), "forged"],
    ["its own", await receipted(p, p.rig.sender.device), "forged"],
    ["of another transfer", other.got("receipt"), "forged"],
    ["another root", await receipted(p, n, { root: bad }), "stream"],
    ["a byte less", await receipted(p, n, { bytes: bytes - 1 }), "stream"],
    ["an object less", await receipted(p, n, { objects: objects - 1 }), "stream"],
  ] as const) {
    assert.equal(await refusal(() => p.c.handleReceipt(e)), want, what);
  }
  assert.equal(await refusal(async () => p.c.handleReceipt(await receipted(p, n))), undefined, "the good one");
});

test("the new phone signs for nothing else than what it was granted", async () => {
  const p = await Phones.meet(await newRig(), "confirm");
  assert.equal(await refusal(() => p.n.receipt(receiptOf())), "order", "before the grant");
  await p.make("grant");
  await p.take("grant");
  for (const change of [{ root: new Uint8Array(32) }, { bytes: 1 }, { objects: 3 }]) {
    assert.equal(await refusal(() => p.n.receipt(receiptOf(change))), "stream", Object.keys(change)[0]);
  }
});

test("shares that come too early open nothing, and neither do others", async () => {
  const p = await Phones.meet(await newRig(), "grant");
  const g = p.granted as Granted;
  const other = (await Phones.meet(await newRig(), "grant")).granted as Granted;
  assert.equal(await refusal(() => p.n.open(g.commitShare, g.sealed)), "order", "before the receipt");
  await p.make("receipt");
  const flipped = g.sealed.slice();
  flipped[0]! ^= 1;
  for (const [what, share, sealed] of [
    ["another share", Secret.random(), g.sealed], ["altered secrets", g.commitShare, flipped], ["no secrets", g.commitShare, new Uint8Array(0)],
    ["another transfer's", other.commitShare, other.sealed],
  ] as const) {
    const e = await p.n.open(share, sealed).then(() => undefined, (x: unknown) => x as Error & { code: string });
    assert.equal(e?.code, "commitment", what);
    assert.match(e?.message ?? "", /committed to/, `${what}: said before anything is decrypted with it`);
  }
  assert.equal(await refusal(() => p.n.ack(sealingPublic)), "order", "acknowledged unopened");
  const secrets = await p.n.open(g.commitShare, g.sealed);
  assert.deepEqual(secrets, granting().secrets);
  assert.equal(await refusal(() => p.n.ack(utf8("another key"))), "key");
});

test("the current phone does not take it for opened if another key was", async () => {
  const p = await Phones.meet(await newRig(), "receipt");
  const message = encodeMessage("ack", { sealingKeyHash: sha256(utf8("another")) });
  const e = await signed(p.rig.receiver.device, valueOf("ack", p.c.before("ack"), message), message);
  assert.equal(await refusal(() => p.c.handleAck(e)), "key");
});

test("a grant is good in one transfer, of one app, at one server, for one device", async () => {
  const rig = await newRig();
  const first = await Phones.meet(rig, "grant");
  for (const [what, audience] of [
    ["a second session", rig.sender.audience], ["another app", "other@accounts.example.org"], ["another server", "demo@other.example.org"],
  ] as const) {
    const p = await Phones.meet({ receiver: { ...rig.receiver, audience }, sender: { ...rig.sender, audience } }, "confirm");
    assert.equal(await refusal(() => p.n.handleGrant(first.got("grant"))), "forged", what);
  }
  const p = await Phones.meet({ receiver: (await newRig()).receiver, sender: rig.sender }, "confirm"); // another device of the same person
  assert.equal(await refusal(() => p.n.handleGrant(first.got("grant"))), "forged", "another device");
  for (const step of ["grant", "receipt"] as const) {
    await p.make(step);
    await (step === "grant" ? p.take(step) : undefined);
  }
  const g = first.granted as Granted;
  assert.equal(await refusal(() => p.n.open(g.commitShare, g.sealed)), "commitment", "the first one's secrets");
  assert.equal(await refusal(() => first.c.handleReceipt(p.got("receipt"))), "forged", "the other's receipt");
});

test("the window ends for the current phone's word, or for the new one's if they were near; never before the acknowledgement", async () => {
  const message = encodeMessage("final", { stepUp: stepUp("finish") });
  for (const [what, beacons, who, want] of [
    ["its own, lan", 4, "c", undefined], ["the new one's, lan", 4, "n", "forged"], ["the new one's, near", 2, "n", undefined], ["a stranger's, near", 2, "s", "forged"],
  ] as const) {
    const rig = await newRig();
    const p = await Phones.meet({ ...rig, receiver: { ...rig.receiver, beacons, lan: beacons === 4 ? rig.receiver.lan ?? [] : [] } }, "receipt");
    const early: Envelope = { message, mac: new Uint8Array(0), proof: new Uint8Array(64) };
    assert.equal(await refusal(() => p.c.handleFinal(early)), "order", "before the acknowledgement");
    await p.make("ack");
    await p.take("ack");
    const by = who === "c" ? rig.sender.device : who === "n" ? rig.receiver.device : await newKey();
    const e = await signed(by, valueOf("final", p.c.before("final"), message), message);
    assert.equal(await refusal(() => p.c.handleFinal(e)), want, what);
    assert.equal(await refusal(() => p.n.handleFinal(e)), want, what);
    assert.equal(await refusal(() => p.n.final(stepUp("finish"))), beacons === 2 ? undefined : "order", "the new phone makes one");
    if (want === undefined) {
      assert.equal(await refusal(() => p.c.recall("late", stepUp("recall"))), "order", "no recall behind it");
    }
  }
});

test("the new phone wipes for the current one's word alone, before and after the acknowledgement", async () => {
  for (const last of ["receipt", "ack"] as const) {
    const p = await Phones.meet(await newRig(), last);
    const other = await Phones.meet(await newRig(), last);
    await other.make("recall");
    assert.equal(await refusal(() => p.n.handleRecall(other.got("recall"))), "forged", `another transfer's, after ${last}`);
    await p.make("recall");
    await p.take("recall");
    assert.equal(await refusal(() => p.c.final(stepUp("finish"))), "order", "no end of the window behind it");
  }
  const p = await Phones.meet(await newRig(), "grant");
  assert.equal(await refusal(() => p.c.recall("", stepUp("recall"))), "order", "before the receipt");
});

test("a grant may be replaced, and a receipt for any of them counts", async () => {
  for (const answered of [0, 1, 2]) {
    const p = await Phones.meet(await newRig(), "confirm");
    const roots: Bytes[] = [];
    const made: Granted[] = [];
    for (let i = 0; i < 3; i++) {
      const root = sha256(Uint8Array.of(i));
      const g = await p.c.grant(granting({ root }));
      const again = await p.c.grant(granting({ root }));
      assert.ok(equal(g.envelope.proof, again.envelope.proof) && equal(g.commitShare.bytes(), again.commitShare.bytes()), "the same grant twice is one");
      assert.ok(made.every((m) => hex(m.commitShare.bytes()) !== hex(g.commitShare.bytes())), "a fresh share each time");
      made.push(g);
      roots.push(root);
    }
    await p.restart();
    await p.n.handleGrant((made[answered] as Granted).envelope);
    const e = await p.n.receipt(receiptOf({ root: roots[answered] as Bytes }));
    assert.equal(await refusal(() => p.c.handleReceipt(e)), undefined, `a receipt for grant ${answered}`);
    assert.equal(await refusal(() => p.c.grant(granting())), "order", "another grant after the receipt");
    await p.restart();
    assert.equal(await refusal(() => p.c.handleReceipt(e)), undefined, "the same receipt again");
  }
});

test("a grant is not replaced for ever", async () => {
  const p = await Phones.meet(await newRig(), "confirm");
  for (let i = 0; i <= 16; i++) {
    await p.c.grant(granting({ objects: i }));
  }
  assert.equal(await refusal(() => p.c.grant(granting({ objects: 99 }))), "order");
  await p.restart();
});
