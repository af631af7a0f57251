import assert from "node:assert/strict";
import { test } from "node:test";

import { type Bytes, concat, equal, utf8 } from "../src/bytes.js";
import { decodeEnvelope, decodeEvidence, decodeMessage, encodeEnvelope, encodeEvidence, encodeMessage, parseCode, Receiver, Sender, verifyProof } from "../src/transfer/handover/index.js";
import { steps } from "../src/transfer/handover/messages.js";
import { decodeSecrets, encodeSecrets } from "../src/transfer/handover/secrets.js";
import { Key, openSegment, sealSegment, Stream, StreamReader, StreamWriter } from "../src/transfer/sealed/index.js";
import { headItem, readHead } from "../src/transfer/sealed/entry.js";
import { altered } from "./transfer/altered.js";
import { granting, newRig, Phones } from "./transfer/rig.js";
import { counted, vectors } from "./transfer/vectors.js";

// What strangers send is read as what writes the same bytes, or refused by its code: it neither
// passes as something else nor ends in an error that nobody expects.

const codes = /^(malformed|version|commitment|mac|forged|untrusted|order|erased|segment|record|item|checkpoint|audience|beacon)$/;

async function read(what: string, bytes: Bytes, parse: (b: Bytes) => unknown): Promise<unknown> {
  try {
    return await parse(bytes);
  } catch (e) {
    const code = (e as { code?: unknown }).code;
    assert.ok(typeof code === "string" && codes.test(code), `${what}: ${e instanceof Error ? e.stack : String(e)}`);
    return undefined;
  }
}

test("envelopes, messages, evidence and secrets", async () => {
  const p = await Phones.meet(await newRig(), "ack");
  await p.make("recall");
  const envelopes = [...p.e.values()].map(encodeEnvelope);
  for (const b of altered(envelopes, 400)) {
    const e = await read("envelope", b, decodeEnvelope) as ReturnType<typeof decodeEnvelope> | undefined;
    assert.ok(e === undefined || equal(encodeEnvelope(e), b));
  }
  for (const step of steps.filter((s) => p.e.has(s))) {
    for (const b of altered([p.got(step).message], 80)) {
      const m = await read(step, b, (x) => decodeMessage(step, x)) as never;
      assert.ok(m === undefined || equal(encodeMessage(step, m), b), step);
    }
  }
  for (const b of altered([encodeEvidence(p.rig.receiver.evidence)], 100)) {
    const e = await read("evidence", b, decodeEvidence) as ReturnType<typeof decodeEvidence> | undefined;
    assert.ok(e === undefined || equal(encodeEvidence(e), b));
  }
  for (const b of altered([encodeSecrets(granting().secrets)], 100)) {
    const s = await read("secrets", b, decodeSecrets) as ReturnType<typeof decodeSecrets> | undefined;
    assert.ok(s === undefined || equal(encodeSecrets(s), b));
  }
});

test("codes", async () => {
  const { good } = vectors<{ good: { uri: string }[] }>("code.json");
  for (const b of altered(good.map((v) => utf8(v.uri)), 400)) {
    const uri = String.fromCharCode(...b);
    const code = await read("code", b, () => parseCode(uri)) as ReturnType<typeof parseCode> | undefined;
    assert.ok(code === undefined || code.uri() === uri.toUpperCase(), uri);
  }
});

test("proofs and keys", async () => {
  const p = await Phones.meet(await newRig(), "answer");
  const { proof } = p.got("answer"), { spki } = p.rig.receiver.device;
  for (const b of altered([proof, spki], 80)) {
    await read("proof", b, (x) => verifyProof(spki, p.n.value("answer"), x));
    await read("key", b, (x) => verifyProof(x, p.n.value("answer"), proof));
  }
});

test("stored halves", async () => {
  const p = await Phones.meet(await newRig(), "confirm");
  for (const b of altered([await p.n.marshal()], 60)) {
    const n = await read("receiver", b, (x) => Receiver.restore(x, p.rig.receiver)) as Receiver | undefined;
    assert.ok(n === undefined || equal(await n.marshal(), b));
  }
  for (const b of altered([await p.c.marshal()], 60)) {
    const c = await read("sender", b, (x) => Sender.restore(x, p.rig.sender)) as Sender | undefined;
    assert.ok(c === undefined || equal(await c.marshal(), b));
  }
});

test("segments, items, streams and checkpoints", async () => {
  const key = Key.of(counted(32));
  const segment = concat(...(await sealSegment(key, { revision: 1, first: 0 }, counted(200))).parts);
  for (const b of altered([segment], 200)) {
    assert.ok(equal(b, segment) || await read("segment", b, (x) => openSegment(key, x)) === undefined);
  }
  const entry = { kind: "file" as const, path: "a/b", size: 9, modified: -5 };
  const heads = [headItem({ item: "entry", entry }), headItem({ item: "preamble", totals: { schema: 4, objects: 1, bytes: 9 } })].map((h) => h.raw);
  for (const b of altered(heads, 400)) {
    const h = await read("head", b, readHead) as ReturnType<typeof readHead> | undefined;
    assert.ok(h === undefined || equal(headItem(h).raw, b) || Math.abs(h.item === "entry" ? h.entry.modified : 0) === Number.MAX_SAFE_INTEGER);
  }
  const all = [entry];
  const writer = new StreamWriter({ schema: 4, objects: 1, bytes: 9 }, { next: async () => all.shift(), async *open() { yield counted(9); } });
  const whole = new Uint8Array(500);
  const stream = whole.slice(0, await writer.read(whole));
  const sink = { start() {}, entry() {}, content() {}, finish() {} };
  for (const b of altered([stream], 100)) {
    await read("stream", b, async (x) => {
      const reader = await StreamReader.open(sink);
      await reader.write(x);
      reader.close();
    });
  }
  const reader = await StreamReader.open(sink);
  await reader.write(stream.subarray(0, 40));
  for (const b of altered([reader.marshal()], 100)) {
    const r = await read("checkpoint", b, (x) => StreamReader.resume(sink, x)) as StreamReader | undefined;
    assert.ok(r === undefined || equal(r.marshal(), b));
  }
  const s = new Stream(1);
  s.add({ revision: 1, first: 0, plain: 9 }, counted(32));
  for (const b of altered([s.marshal()], 100)) {
    const t = await read("stored stream", b, Stream.unmarshal) as Stream | undefined;
    assert.ok(t === undefined || equal(t.marshal(), b));
  }
});
