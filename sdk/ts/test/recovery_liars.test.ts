import assert from "node:assert/strict";
import { test } from "node:test";

import { type Bytes, concat, equal, hex, utf8 } from "../src/bytes.js";
import { derivePRS, sum } from "../src/recovery/derive.js";
import { RecoveryError } from "../src/recovery/errors.js";
import { groupOf } from "../src/recovery/group.js";
import { blind, combine } from "../src/recovery/oprf.js";
import { decode, encode } from "../src/recovery/shape.js";
import type { BlobView } from "../src/recovery/transport.js";
import { type Answer, blob as blobShape, header as headerShape, type Header, State, Verdict } from "../src/recovery/wire.js";
import { fails, of, Op, pin as typed, World } from "./recovery_world.js";

const pin = "482915";
const g = groupOf(1);
const other = g.sum([[g.randomScalar(), null]]);

/** What a broken vault can answer. found: it is named. Those that are not cannot be told from an honest refusal, and do no harm beyond it. */
const lies: readonly (readonly [name: string, lie: (op: number, a: Answer) => void, found: boolean])[] = [
  ["another evaluation", of(Op.evaluate, (a) => { a.e = other; }), true],
  ["no evaluation", of(Op.evaluate, (a) => { a.e = undefined; }), true],
  ["no half", of(Op.evaluate, (a) => { a.ya = undefined; }), true],
  ["a half of zeros", of(Op.evaluate, (a) => { a.ya = new Uint8Array(32); }), true], // the identity
  ["half an element", of(Op.evaluate, (a) => { a.ya = new Uint8Array(32).fill(0xff); }), true],
  ["another half", of(Op.evaluate, (a) => { a.ya = other; }), false], // the honest one says that it was not its own
  ["the identity", of(Op.evaluate, (a) => { a.e = new Uint8Array(32); }), true],
  ["another share", of(Op.release, (a) => { a.s = g.scalarBytes(5n); }), true],
  ["no share", of(Op.release, (a) => { a.s = undefined; }), true],
  ["a zero share", of(Op.release, (a) => { a.s = new Uint8Array(32); }), true],
  ["another blob", of(Op.release, (a) => { a.blobHash = new Uint8Array(32).fill(1); }), false],
  ["wrong PIN", of(Op.release, (a) => { Object.assign(a, { verdict: Verdict.wrongPIN, s: undefined, blobHash: undefined }); }), false],
  ["locked", of(Op.evaluate, (a) => { Object.assign(a, { verdict: Verdict.locked, state: State.locked }); }), false],
  ["deleted", of(Op.evaluate, (a) => { Object.assign(a, { verdict: Verdict.deleted, state: State.deleted }); }), false],
  ["malformed", of(Op.evaluate, (a) => { a.verdict = Verdict.malformed; }), false],
];

test("one of three lies: the two others are enough, and it is named", async () => {
  for (const [i, [name, lie, found]] of lies.entries()) {
    const w = await World.make();
    await w.register(pin, "secret");
    const liar = w.vaults[i % 3]!;
    liar.lie = lie;
    const { outcome, payload } = await w.recover(pin);
    assert.equal(hex(payload.keys[0]!.secret), hex(utf8("secret")), name);
    assert.deepEqual(outcome.liars, found ? [liar.id] : [], name);
  }
});

test("a false evaluation without a proof is found before any vault sees a release", async () => {
  const w = await World.make();
  await w.register(pin, "secret");
  w.script = (c) => (c.vault === "v3" ? "drop" : undefined);
  for (const [name, lie] of [
    ["no proof", (a: Answer) => { a.proof = undefined; }],
    ["another proof", (a: Answer) => { a.proof = concat(g.scalarBytes(1n), g.scalarBytes(1n)); }],
    ["a false evaluation", (a: Answer) => { a.e = other; }],
  ] as const) {
    w.vaults[0]!.lie = of(Op.evaluate, lie);
    w.calls.length = 0;
    assert.deepEqual((await fails(w.recover(pin), "UNAVAILABLE", name)).outcome?.liars, ["v1"], name);
    assert.equal(w.count(Op.release), 0, name);
  }
  w.vaults[0]!.lie = undefined;
  w.script = () => undefined;
  await w.recovers(pin, "secret");
});

test("the service shows other blobs, or none", async () => {
  const w = await World.make();
  await w.register(pin, "secret");
  const good = w.blobs[0]!;
  const forge = (edit: (h: Header) => Partial<Header>): BlobView => {
    const b = decode(blobShape, good.blob);
    const h = decode(headerShape, b.header);
    const blob = encode(blobShape, { ...b, header: encode(headerShape, { ...h, ...edit(h) }) });
    return { reg: good.reg, hash: sum(blob), blob };
  };
  const damaged = { ...good, blob: good.blob.slice() };
  damaged.blob[damaged.blob.length - 1]! ^= 1;
  const garbage = { ...good, blob: utf8("x") };
  for (const [name, blobs, want] of [
    ["none", [], "NOT_FOUND"],
    ["garbage", [garbage], "NOT_FOUND"],
    ["of another registration", [{ ...good, reg: new Uint8Array(16) }], "NOT_FOUND"],
    ["whose header names another", [forge((h) => ({ reg: h.reg.map((b) => b ^ 1) }))], "NOT_FOUND"],
    ["for one vault", [forge((h) => ({ n: 1, t: 1, vaults: h.vaults.slice(0, 1) }))], "NOT_FOUND"],
    ["for one of three", [forge(() => ({ t: 1 }))], "NOT_FOUND"],
    ["damaged", [damaged], "SHARES"],
    ["garbage first", [garbage, good], ""],
    ["damaged first", [damaged, good], ""],
  ] as const) {
    w.session = (s) => ({ ...s, blobs });
    w.calls.length = 0;
    if (want === "") {
      await w.recovers(pin, "secret");
      continue;
    }
    await fails(w.recover(pin), want, name);
    assert.equal(w.count(Op.evaluate) > 0, want === "SHARES", name);
  }
});

test("a session of another account is not gone on with", async () => {
  const w = await World.make();
  await w.register(pin, "secret");
  w.session = (s) => ({ ...s, account: "a_insider" });
  await fails(w.recover(pin), "EVIDENCE");
  assert.equal(w.count(Op.evaluate), 0);
});

/** rwdOf is what a PIN comes to for who has all the shares. */
async function rwdOf(w: World, header: Header, text: string): Promise<Bytes> {
  const b = blind(g, await typed(text).stretch(header.reg, header.argon2), new Uint8Array(32).fill(3), header.reg);
  return b.finalize(combine(g, 2, [0, 1].map((i) => ({ index: i + 1, e: g.sum([[g.scalar(w.vaults[i]!.current!.k), b.element]]) }))));
}

/** An insider has dealt a registration of his own, has a vault's keys, and bets on a PIN (spec/kr1.md, section 7). */
test("to a second half of a vault's the phone says nothing in the same attempt", async () => {
  const w = await World.make();
  await w.register(pin, "secret");
  const v1 = w.vaults[0]!;
  const header = decode(headerShape, w.pointer!.header);
  const wrong = "739164";
  const prs = new Map(await Promise.all([pin, wrong, "000000"].map(async (text) => [text, derivePRS(1, header.reg, await rwdOf(w, header, text), "v1")] as const)));
  const half = (bet: string, b: Bytes, e: Bytes): ReturnType<typeof v1.half> => v1.half(prs.get(bet)!, header.reg, b, e);
  let bet = wrong;
  v1.lie = of(Op.evaluate, (a) => { // B is E divided by the share that he has
    a.ya = half(bet, g.sum([[g.inverse(g.scalar(v1.current!.k)), a.e!]]), a.e!).ya;
  });
  w.script = (c) => (c.op === Op.release && c.vault !== "v1" ? "drop" : undefined);
  const found = (): string[] => [...prs.keys()].filter((text) => v1.heard.some((q) => {
    const { ya, tag } = half(text, q.b, q.e);
    return equal(ya, q.ya) && equal(tag(q.yb), q.tag);
  }));
  const run = async (as: string, told: number, what: string): Promise<void> => {
    bet = as;
    await fails(w.recover(pin), "UNAVAILABLE", what);
    assert.equal(v1.heard.length, told, what);
  };
  await run(wrong, 1, "the first half");
  await run(wrong, 2, "the same half: nothing new is learnt from it");
  assert.notEqual(hex(v1.heard[0]!.tag), hex(v1.heard[1]!.tag), "the phone's half is the same again");
  await run(pin, 2, "another half gets no answer, and the attempt is over");
  assert.deepEqual(found(), []);
  await run(pin, 3, "another attempt, another guess");
  assert.deepEqual(found(), [pin]);
});

test("what was answered for one PIN does not keep the owner from trying another", async () => {
  const w = await World.make();
  await w.register(pin, "secret");
  w.script = (c) => (c.op === Op.release ? "drop" : undefined);
  await fails(w.recover("739164"), "UNAVAILABLE");
  w.script = () => undefined;
  await w.recovers(pin, "secret");
});

test("an error tells its owner what remains, and no secret", async () => {
  const w = await World.make();
  await w.register(pin, "secret");
  const err = await fails(w.recover("000000"), "WRONG_PIN");
  assert.ok(err instanceof RecoveryError && err.message.includes("9 of 10"));
  const { payload } = await w.recovers(pin, "secret");
  assert.equal(String(payload), "[redacted]");
  assert.ok(!JSON.stringify({ payload }).includes("73"));
  assert.deepEqual(structuredClone(payload), {});
});
