import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { base64, base64url, fromHex, hex, utf8 } from "../src/bytes.js";
import { challengeOf, preimageOf } from "../src/phone/approve.js";
import { anAccount, answers, enrolledPhone, type Handler, options } from "./fake.js";

interface Vector { name: string; app: string; account: string; approval: string; action: string; parameters: string; text: string; nonce: string; expires: number; preimage: string; challenge: string }

test("challenges are those of spec/vectors/approval.json", async () => {
  const { vectors } = JSON.parse(readFileSync("../../spec/vectors/approval.json", "utf8")) as { vectors: Vector[] };
  assert.ok(vectors.length >= 5);
  for (const v of vectors) {
    const m = { ...v, params: utf8(v.parameters), nonce: fromHex(v.nonce), expires: BigInt(v.expires) };
    assert.equal(hex(await preimageOf(m)), v.preimage, v.name);
    assert.equal(hex(await challengeOf(m)), v.challenge, v.name);
  }
});

/** A proposal as the server answers it, and what it is made of. */
interface Proposal { action: string; params: string; text: string; account: string; app: string; nonce: Uint8Array; approval: string }

const good: Proposal = { action: "device.remove", params: '{"device":"d_x","name":"Old"}', text: "Remove “Old”?", account: anAccount, app: "demo", nonce: new Uint8Array(32).fill(7), approval: "v_x" };
const expires = 1785585900n;

/** proposes answers with what pre says, and shows what shown says. */
function proposes(pre: Partial<Proposal>, shown: Partial<Proposal> = {}, signed: Partial<Proposal> = {}): Handler {
  return async () => {
    const p = { ...good, ...pre };
    const s = { ...p, ...shown };
    const c = { ...p, ...signed };
    return {
      approval: { approval: s.approval, account: s.account, action: s.action, params: s.params, text: s.text },
      preimage: { app: p.app, account: p.account, approval: p.approval, action: p.action, params: base64(utf8(p.params)), text: p.text, nonce: base64(p.nonce), expires: String(expires) },
      ceremony: "y", options: options(base64url(await challengeOf({ ...c, params: utf8(c.params), expires }))),
    };
  };
}

test("an approval is signed when it is what is shown and was asked for", async () => {
  const { phone, server } = await enrolledPhone({ ProposeAction: proposes({}), ConfirmAction: () => ({ result: '{"state":"removed"}' }) });
  let shown = "";
  assert.deepEqual(await phone.approve("device.remove", { device: "d_x" }, (text) => { shown = text; }), { state: "removed" });
  assert.equal(shown, good.text);
  assert.deepEqual(server.calls(), ["ProposeAction", "ConfirmAction"]);
});

test("a new freeze code is made of words that were shown", async () => {
  const ask = proposes({ action: "freeze_code.renew", params: "{}", text: "A new freeze code?" });
  const { phone } = await enrolledPhone({ ProposeAction: ask, ConfirmAction: () => ({ result: '{"freeze_code":"abcd-efgh"}' }) });
  const shown: string[] = [];
  assert.equal(await phone.renewFreezeCode((text) => void shown.push(text)), "abcd-efgh");
  assert.deepEqual(shown, ["A new freeze code?"]);
  await assert.rejects(phone.renewFreezeCode(() => Promise.reject(new Error("the owner says no"))), /says no/);
});

test("nothing else is signed", async () => {
  for (const [name, handler] of [
    ["another action", proposes({ action: "account.delete" })],
    ["another device", proposes({ params: '{"device":"d_y"}' })],
    ["no device", proposes({ params: "{}" })],
    ["a device of another type", proposes({ params: '{"device":["d_x"]}' })],
    ["another account", proposes({ account: "a_cccccccccccccccccccccccccc" })],
    ["another app", proposes({ app: "other" })],
    ["a short nonce", proposes({ nonce: new Uint8Array(16) })],
    ["another text than what is signed", proposes({}, { text: "Say hello?" })],
    ["other params than what is signed", proposes({}, { params: '{"device":"d_x"}' })],
    ["another action than what is signed", proposes({}, { action: "device.unfreeze" })],
    ["another approval than what is signed", proposes({}, { approval: "v_y" })],
    ["a challenge over another text", proposes({}, {}, { text: "Delete your account?" })],
    ["a challenge over other params", proposes({}, {}, { params: '{"device":"d_z"}' })],
    ["no preimage", () => ({ approval: { approval: "v_x" }, options: options() })],
  ] as const) {
    let asked = 0;
    const passkeys = { ...answers, get: (o: PublicKeyCredentialRequestOptionsJSON) => (asked++, answers.get(o)) };
    const { phone } = await enrolledPhone({ ProposeAction: handler }, { passkeys });
    await assert.rejects(phone.approve("device.remove", { device: "d_x" }), { reason: "MISMATCH" }, name);
    assert.equal(asked, 0, `${name}: the person was asked`);
  }
});

test("an amount beyond 2^53 is not taken for its neighbour", async () => {
  const { phone } = await enrolledPhone({ ProposeAction: proposes({ action: "app.pay", params: '{"amount":9007199254740993}' }) });
  await assert.rejects(phone.propose("app.pay", { amount: 9007199254740992 }), { reason: "MISMATCH" });
});

test("an approval that is opened by its id is that one", async () => {
  const { phone } = await enrolledPhone({ ProposeAction: proposes({}) });
  assert.equal((await phone.openApproval("v_x")).text, good.text);
  await assert.rejects(phone.openApproval("v_z"), { reason: "MISMATCH" });
});

test("who does not want it signs nothing", async () => {
  const { phone, server } = await enrolledPhone({ ProposeAction: proposes({}) });
  await assert.rejects(phone.approve("device.remove", { device: "d_x" }, () => Promise.reject(new Error("no, thanks"))), /no, thanks/);
  assert.deepEqual(server.calls(), ["ProposeAction"]);
});
