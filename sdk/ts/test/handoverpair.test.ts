import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";

import { type Bytes, concat, equal, hex, utf8 } from "../src/bytes.js";
import { hash } from "../src/transfer/derive.js";
import { Code, decodeMessage, encodeEvidence, type Envelope, parseCode, Receiver, Secret, Sender, type SenderOptions, valueOf } from "../src/transfer/handover/index.js";
import { rootKey } from "../src/transfer/handover/schedule.js";
import { attest, byReceiver, changed, granting, newKey, newRig, Phones, signed, stepUp, straight } from "./transfer/rig.js";
import { refusal } from "./transfer/vectors.js";

test("a straight transfer, over restarts at each message", async () => {
  const p = await Phones.meet(await newRig());
  for (const step of [...straight, "final"] as const) {
    await p.make(step);
    const first = p.got(step);
    await p.restart();
    await p.make(step);
    assert.deepEqual(p.got(step), first, `${step}: other bytes after a restart`);
    await p.take(step);
    await p.restart();
    await p.take(step);
  }
  assert.ok(p.share);
  assert.equal(hex(await p.n.bulkKey(p.share)), hex(await p.c.bulkKey()));
});

test("the offer: what the current phone checks before it shows anything", async () => {
  const rig = await newRig();
  const n = await Receiver.create(rig.receiver);
  const code = parseCode(n.code()?.uri() ?? "");
  const good = n.offer();
  const own = rig.receiver.device, stranger = await newKey();
  const server = await Receiver.create(rig.receiver); // a server with attested hardware, too
  const { challenge } = rig.receiver;
  const none = new Uint8Array(32);
  const with_ = (by: typeof own, change: Parameters<typeof changed<"offer">>[4]): Promise<Envelope> => changed("offer", good, by, none, change);
  const serverKey = decodeMessage("offer", server.offer().message).key;
  const otherId = code.public();
  otherId[3]! ^= 1;
  const rows: readonly (readonly [string, Envelope, Partial<SenderOptions>, string | undefined])[] = [
    ["good", good, {}, undefined],
    ["for another code", await with_(own, { public: otherId }), {}, "commitment"],
    ["the server's own", server.offer(), {}, "commitment"],
    ["the server's key under the code of N", await with_(own, { key: serverKey }), {}, "commitment"],
    ["altered", { ...await with_(own, { info: { model: "Nice", os: "16", app: "2.0" } }), proof: good.proof }, {}, "forged"],
    ["a MAC where none belongs", { ...good, mac: new Uint8Array(32) }, {}, "mac"],
    ["a stranger's proof", await with_(stranger, {}), {}, "forged"],
    ["a stranger's key and proof, the evidence of the first", await with_(stranger, { device: stranger.spki }), {}, "untrusted"],
    ["evidence over another challenge", await with_(own, { challenge: new Uint8Array(32) }), {}, "untrusted"],
    ["evidence that is none", await with_(own, { evidence: Uint8Array.of(0xa0) }), {}, "malformed"],
    ["not genuine", await with_(own, { evidence: encodeEvidence(attest(own, challenge, false)) }), {}, "untrusted"],
    ["bytes behind it", { ...good, message: concat(good.message, Uint8Array.of(0)) }, {}, "malformed"],
    ["nobody to judge it", good, { trust: undefined as never }, "untrusted"],
    ["a judge who cannot tell", good, { trust: { verify: () => Promise.reject(new Error("no network")) } }, "untrusted"],
    ["a history that is too old for it", good, { schema: 0 }, "schema"],
    ["the oldest one", good, { schema: 1 }, undefined],
    ["the newest one", good, { schema: 3 }, undefined],
    ["a history that is too new for it", good, { schema: 4 }, "schema"],
    ["just room", good, { bytes: 2 ** 30 }, undefined],
    ["no room", good, { bytes: 2 ** 30 + 1 }, "space"],
  ];
  for (const [what, e, o, want] of rows) {
    assert.equal(await refusal(() => Sender.create(code, e, { ...rig.sender, ...o })), want, what);
  }
});

test("each message needs its MAC and its proof, over all that went before", async () => {
  const stranger = await newKey();
  const rig = await newRig();
  for (const step of [...straight, "recall", "final"] as const) {
    const at = straight.indexOf(step as never);
    const last = at < 0 ? "ack" : straight[at - 1];
    const handshake = at >= 0 && at < 4;
    const [own, other] = byReceiver.includes(step) ? [rig.receiver.device, rig.sender.device] : [rig.sender.device, rig.receiver.device];
    const rows: readonly (readonly [string, string, (e: Envelope, value: Bytes) => Promise<Envelope> | Envelope])[] = [
      ["a bit of its MAC", "mac", (e) => ({ ...e, mac: flip(e.mac.length === 0 ? new Uint8Array(32) : e.mac) })],
      ["no MAC, or one too many", "mac", (e) => ({ ...e, mac: new Uint8Array(e.mac.length === 0 ? 32 : 0) })],
      ["a stranger's proof", "forged", (e, v) => signed(stranger, v, e.message, e.mac)],
      ["its receiver's proof", "forged", (e, v) => signed(other, v, e.message, e.mac)],
      ["the proof of another value", "forged", (e, v) => signed(own, flip(v), e.message, e.mac)],
      ["bytes behind it", "malformed", (e) => ({ ...e, message: concat(e.message, Uint8Array.of(0)) })],
    ];
    for (const [what, want, alter] of rows) {
      const p = await Phones.meet(rig, last);
      await p.make(step);
      const bad = await alter(p.got(step), valueOf(step, p.before(step), p.got(step).message));
      assert.equal(await refusal(() => p.take(step, bad)), want, `${step}: ${what}`);
      assert.equal(await refusal(() => p.take(step)), handshake ? "erased" : undefined, `${step}: the good one after ${what}`);
    }
  }
});

function flip(b: Bytes): Bytes {
  const out = b.slice();
  out[out.length - 1]! ^= 1;
  return out;
}

test("a server that plays the current phone knows all but the secret in the code", async () => {
  const p = await Phones.meet(await newRig());
  const { beacons, id, keyHash } = p.n.code() as Code;
  const guessed = new Code({ beacons, id, keyHash, secret: Secret.random() });
  const server = await Sender.create(guessed, p.n.offer(), { ...p.rig.sender, device: await newKey() });
  assert.equal(await refusal(async () => p.n.handleHello(await server.hello("none"))), "mac");
});

test("one hello, ever", async () => {
  const rig = await newRig();
  const p = await Phones.meet(rig);
  const uri = p.n.code()?.uri() ?? "";
  await p.make("hello");
  await p.take("hello");
  const other = await Sender.create(parseCode(uri), p.n.offer(), rig.sender);
  assert.equal(await refusal(async () => p.n.handleHello(await other.hello("none"))), "order", "a second one");
  await p.take("hello"); // the first one again
  assert.equal(p.n.code(), undefined, "nothing left to scan");
  assert.equal(await refusal(() => p.n.beacon()), "order");
  for (const step of ["answer", "matched"] as const) { // with the first one's K0
    await p.make(step);
    await p.take(step);
  }
  assert.equal(await refusal(() => p.c.hello("near")), "order", "another class than was said");
});

test("who has photographed the code gets no number, and cannot pose as the new phone", async () => {
  const rig = await newRig();
  const p = await Phones.meet(rig);
  const code = p.n.code() as Code;
  const mallory = await Sender.create(code, p.n.offer(), { ...rig.sender, device: await newKey(), account: "u_mallory", deviceId: "d_mallory" });
  await p.make("hello"); // both have scanned, and both say hello
  await p.n.handleHello(await mallory.hello("none"));
  assert.equal(await refusal(() => p.take("hello")), "order", "the new phone takes the first one only");
  const answer = await p.n.answer();
  assert.equal(await refusal(() => p.c.handleAnswer(answer)), "mac");
  assert.equal(await refusal(() => p.c.number()), "erased", "no number is shown");
});

test("a hello for another app or server is refused, MAC and proof or not", async () => {
  for (const audience of ["other@accounts.example.org", "demo@evil.example.org"]) {
    const rig = await newRig();
    const p = await Phones.meet({ ...rig, sender: { ...rig.sender, audience } });
    await p.make("hello");
    assert.equal(await refusal(() => p.take("hello")), "audience");
  }
});

test("evidence that the current phone brings is judged too: over the offer, and for its key", async () => {
  const rig = await newRig();
  const stranger = await newKey();
  for (const [what, evidence, trust, want] of [
    ["good", async (c: Bytes) => attest(rig.sender.device, c), rig.receiver.trust, undefined],
    ["of another key", async (c: Bytes) => attest(stranger, c), rig.receiver.trust, "untrusted"],
    ["over another challenge", async () => attest(rig.sender.device, new Uint8Array(32)), rig.receiver.trust, "untrusted"],
    ["nobody to judge it", async (c: Bytes) => attest(rig.sender.device, c), undefined as never, "untrusted"],
  ] as const) {
    const p = await Phones.meet({ receiver: { ...rig.receiver, trust }, sender: { ...rig.sender, evidence } });
    await p.make("hello");
    assert.equal(await refusal(() => p.take("hello")), want, what);
  }
});

test("the nonce is drawn after the hello, and there is no number before both", async () => {
  const p = await Phones.meet(await newRig());
  assert.equal(await refusal(() => p.n.answer()), "order");
  await p.make("hello");
  assert.equal(await refusal(() => p.c.number()), "order");
  await p.take("hello");
  assert.equal(await refusal(() => p.n.number("000000")), "order");
  assert.equal(p.n.triesLeft, 3, "it was no try");
  await p.make("answer");
  assert.deepEqual(await p.n.answer(), p.got("answer"), "no other nonce for who asks again");
});

test("the number: three tries in all, over restarts, and the right one is no good after them", async () => {
  for (const wrong of [0, 1, 2, 3]) {
    const p = await Phones.meet(await newRig(), "answer");
    const right = await p.c.number();
    const tried = [right === "000000" ? "000001" : "000000", "", `${right}0`];
    for (let i = 0; i < wrong; i++) {
      const e = await p.n.number(tried[i] as string).then(() => undefined, (x: unknown) => x as { code: string; left: number });
      assert.deepEqual([e?.code, e?.left], ["number", 2 - i]);
      await p.restart();
    }
    assert.notEqual(await refusal(() => p.n.matched(utf8("{}"))), undefined, "matched before the number was right");
    const spaced = `${right.slice(0, 2)} ${right.slice(2, 4)}-${right.slice(4)}`;
    assert.equal(await refusal(() => p.n.number(spaced)), wrong < 3 ? undefined : "erased", `after ${wrong} wrong ones`);
    if (wrong < 3) {
      await p.restart();
      await p.c.handleMatched(await p.n.matched(utf8("{}")));
    }
  }
});

test("who did not hear the beacon cannot say so, and a server cannot say it for him", async () => {
  const rig = await newRig();
  const heard = await (await Phones.meet(rig)).n.beacon();
  const p = await Phones.meet(rig);
  const mine = await p.n.beacon();
  for (const [what, how, beacon] of [
    ["another code's beacon", "lan", heard], ["a short one", "lan", mine.subarray(1)], ["none", "lan", undefined],
    ["a class that the code does not offer", "near", mine], ["a beacon with class none", "none", mine],
  ] as const) {
    assert.equal(await refusal(() => p.c.hello(how, beacon)), "beacon", what);
  }
  await p.make("hello");
  assert.equal(decodeMessage("hello", p.got("hello").message).class, "lan");
  const lied = await Phones.meet(rig);
  await lied.make("hello");
  const up = await changed("hello", lied.got("hello"), rig.sender.device, lied.before("hello"), { class: "near" });
  assert.equal(await refusal(() => lied.take("hello", up)), "beacon", "it makes more of it");
  const none = await Phones.meet(rig);
  const said = await none.c.hello("none");
  const lan = await changed("hello", said, rig.sender.device, none.before("hello"), { class: "lan" });
  assert.equal(await refusal(() => none.take("hello", lan)), "mac", "none made lan");
});

test("without the beacon the keys are others: prox is in K0", async () => {
  const [qs, x, th1] = [Secret.random(), Secret.random(), hash("hello", new Uint8Array(1))];
  const all = [undefined, Secret.random(16), Secret.random(16)].map((prox) => hex(rootKey(qs, prox, x, th1).bytes()));
  assert.equal(new Set(all).size, 3);
});

test("a step-up that the server has not taken is made again, until it is answered", async () => {
  const p = await Phones.meet(await newRig(), "matched");
  await p.make("confirm");
  const again = await p.c.confirm(stepUp("second"), 1000);
  assert.ok(!equal(again.envelope.message, p.got("confirm").message));
  assert.equal(hex(again.share.bytes()), hex(p.share?.bytes() ?? new Uint8Array(0)), "one hold share");
  await p.take("confirm", again.envelope);
  await p.make("grant");
  await p.take("grant");
  assert.equal(await refusal(() => p.c.confirm(stepUp("third"), 1000)), "order", "after the grant");
});

test("what is asked at once is done one after the other", async () => {
  const p = await Phones.meet(await newRig(), "answer");
  const right = await p.c.number();
  const no = right === "000000" ? "000001" : "000000";
  const all = await Promise.allSettled([p.n.number(no), p.n.number(no), p.n.number(no), p.n.number(right)]);
  assert.deepEqual(all.map((r) => r.status === "rejected" ? (r.reason as { code: string }).code : "ok"), ["number", "number", "number", "erased"]);
});

test("erased, nothing is left that opens anything; a recall and the end of the window still work", async () => {
  const p = await Phones.meet(await newRig(), "ack");
  const share = p.share as Secret, bulk = await p.c.bulkKey();
  const hold = share.bytes(), commit = p.granted?.commitShare.bytes() ?? new Uint8Array(0), sealed = p.granted?.sealed as Bytes;
  await p.n.erase();
  await p.c.erase();
  for (let i = 0; i < 2; i++) {
    for (const [name, secret] of [["bulk key", bulk], ["hold share", hold], ["commit share", commit], ["sealed", sealed]] as const) {
      for (const half of [p.n, p.c]) {
        assert.ok(!hex(await half.marshal()).includes(hex(secret)), `${name} is still stored`);
      }
    }
    assert.equal(await refusal(() => p.n.bulkKey(Secret.of(hold))), "erased");
    assert.equal(await refusal(() => p.c.bulkKey()), "erased");
    assert.equal(await refusal(() => p.n.open(Secret.of(commit), sealed)), "erased");
    assert.equal(await refusal(() => p.c.number()), "erased");
    assert.equal(await refusal(() => p.c.grant(granting())), "erased");
    await p.make("recall");
    await p.take("recall");
    await p.restart();
  }
  assert.equal(await refusal(() => share.bytes()), "erased");
});

test("nothing that is printed has a secret", async () => {
  const p = await Phones.meet(await newRig(), "grant");
  const code = parseCode((await Receiver.create(p.rig.receiver)).code()?.uri() ?? "");
  const secret = code.secret.bytes();
  for (const thing of [p.n, p.c, code, code.secret, p.share, { deep: [p.granted?.commitShare] }]) {
    const printed = `${inspect(thing, { depth: 9, showHidden: true })} ${JSON.stringify(thing)} ${String(thing)}`;
    for (const bytes of [secret, p.share?.bytes() ?? secret, p.granted?.commitShare.bytes() ?? secret, await p.c.bulkKey()]) {
      assert.ok(!printed.includes(hex(bytes)) && !printed.includes([...bytes.subarray(0, 8)].join(", ")), printed.slice(0, 200));
    }
  }
  assert.equal(JSON.stringify({ a: p.n, b: p.c, c: code, d: p.share }), '{"a":"[redacted]","b":"[redacted]","c":"[redacted]","d":"[redacted]"}');
});

test("stored halves of another phone, or of none, are refused", async () => {
  const p = await Phones.meet(await newRig(), "confirm");
  const [n, c] = [await p.n.marshal(), await p.c.marshal()];
  const device = await newKey();
  assert.equal(await refusal(() => Receiver.restore(n, { ...p.rig.receiver, device })), "malformed");
  assert.equal(await refusal(() => Sender.restore(c, { ...p.rig.sender, device })), "malformed");
  assert.equal(await refusal(() => Receiver.restore(c, p.rig.receiver)), "malformed");
  assert.equal(await refusal(() => Sender.restore(n, p.rig.sender)), "malformed");
  assert.equal(await refusal(() => Sender.restore(c.subarray(1), p.rig.sender)), "malformed");
});
