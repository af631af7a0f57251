/**
 * One half of a transfer, and the stream of a history, for a test that plays the other part in
 * Go: a line of JSON for each call, {"do": NAME, …}, and a line for what came of it. Bytes are
 * base64 with padding.
 */
import { createInterface } from "node:readline";

import { base64, type Bytes, concat, equal, utf8 } from "../../src/bytes.js";
import { sha256 } from "../../src/transfer/derive.js";
import { type Class, decodeEnvelope, encodeEnvelope, type EvidenceVerifier, parseCode, Receiver, Secret, Sender } from "../../src/transfer/handover/index.js";
import { type Entry, Key, maxRecords, measure, openSegment, recordSize, sealSegment, type Source, Stream, StreamReader, StreamWriter } from "../../src/transfer/sealed/index.js";
import { newKey, stepUp } from "../transfer/rig.js";
import { counted } from "../transfer/vectors.js";

type Line = Readonly<Record<string, string>>;

/** bytes reads base64 with padding. */
function bytes(line: Line, name: string): Bytes {
  return new Uint8Array(Buffer.from(line[name] ?? "", "base64"));
}

const device = await newKey();
const audience = "demo@accounts.example.org";
// Go has judged the evidence that it makes: here the handshake is looked at.
const trust: EvidenceVerifier = { verify: async (_e, _c, spki) => ({ accepted: true, key: spki, findings: [] }) };
const info = { model: "In TypeScript", os: "1", app: "2" };
let n: Receiver | undefined, c: Sender | undefined;
let commit = { share: "", sealed: "" };

function receiver(): Receiver {
  if (n === undefined) {
    throw new Error("no receiver yet");
  }
  return n;
}

function sender(): Sender {
  if (c === undefined) {
    throw new Error("no sender yet");
  }
  return c;
}

const calls: Readonly<Record<string, (line: Line) => Promise<object>>> = {
  key: async () => ({ spki: base64(device.spki) }),
  receive: async (l) => {
    n = await Receiver.create({
      device, audience, trust, evidence: { platform: "android", chain: (l.chain ?? "").split(",").map((der) => new Uint8Array(Buffer.from(der, "base64"))) },
      challenge: bytes(l, "challenge"), info, schema: { low: 1, high: 3 }, freeBytes: 2 ** 30, beacons: Number(l.beacons), lan: l.lan === "" ? [] : [l.lan as string],
    });
    return { uri: n.code()?.uri(), envelope: base64(encodeEnvelope(n.offer())), beacon: base64(await n.beacon()) };
  },
  hello: async (l) => {
    const { label } = await receiver().handleHello(decodeEnvelope(bytes(l, "envelope")));
    return { label, envelope: base64(encodeEnvelope(await receiver().answer())) };
  },
  number: async (l) => {
    await receiver().number(l.number as string);
    return { envelope: base64(encodeEnvelope(await receiver().matched(utf8('{"passkey":1}')))) };
  },
  confirm: async (l) => {
    await receiver().handleConfirm(decodeEnvelope(bytes(l, "envelope")));
    return { bulk: base64(await receiver().bulkKey(Secret.of(bytes(l, "share")))) };
  },
  grant: async (l) => {
    const g = await receiver().handleGrant(decodeEnvelope(bytes(l, "envelope")));
    return { envelope: base64(encodeEnvelope(await receiver().receipt({ root: g.root, bytes: g.bytes, objects: g.objects, quarantined: 0 }))) };
  },
  open: async (l) => {
    const secrets = await receiver().open(Secret.of(bytes(l, "share")), bytes(l, "sealed"));
    return { secret: base64(secrets.get("sealing") ?? new Uint8Array(0)), envelope: base64(encodeEnvelope(await receiver().ack(bytes(l, "public")))) };
  },
  recalled: async (l) => ({ reason: (await receiver().handleRecall(decodeEnvelope(bytes(l, "envelope")))).reason }),

  send: async (l) => {
    c = await Sender.create(parseCode(l.uri as string), decodeEnvelope(bytes(l, "envelope")), {
      device, audience, trust, schema: 2, bytes: 1000, account: "u_alice", deviceId: "d_current", info, label: "Alice",
    });
    const how = l.class as Class;
    return { envelope: base64(encodeEnvelope(await c.hello(how, how === "none" ? undefined : bytes(l, "beacon")))) };
  },
  answer: async (l) => {
    await sender().handleAnswer(decodeEnvelope(bytes(l, "envelope")));
    return { number: await sender().number() };
  },
  matched: async (l) => {
    await sender().handleMatched(decodeEnvelope(bytes(l, "envelope")));
    const { envelope, share } = await sender().confirm(stepUp("approve"), 1000);
    return { envelope: base64(encodeEnvelope(envelope)), share: base64(share.bytes()), bulk: base64(await sender().bulkKey()) };
  },
  seal: async (l) => {
    const g = await sender().grant({
      revision: 1, records: 3, bytes: 150_000, objects: 2, root: bytes(l, "root"), sealingKeyHash: sha256(bytes(l, "public")), expires: 1_800_000_000,
      secrets: new Map([["sealing", utf8("private")]]),
    });
    commit = { share: base64(g.commitShare.bytes()), sealed: base64(g.sealed) };
    return { envelope: base64(encodeEnvelope(g.envelope)), ...commit };
  },
  receipt: async (l) => ({ objects: (await sender().handleReceipt(decodeEnvelope(bytes(l, "envelope")))).objects }),
  ack: async (l) => {
    await sender().handleAck(decodeEnvelope(bytes(l, "envelope")));
    return { envelope: base64(encodeEnvelope(await sender().recall("changed my mind", stepUp("recall")))) };
  },

  write: async (l) => write(bytes(l, "bulk")),
  read: async (l) => read(bytes(l, "bulk"), (l.segments ?? "").split(",").map((s) => new Uint8Array(Buffer.from(s, "base64")))),
};

const things: readonly Entry[] = [
  { kind: "records", path: "chats/1.jsonl", size: 70_000, modified: 1_760_000_000_123 }, { kind: "folder", path: "chats", size: 0, modified: -1 },
  { kind: "file", path: "media/a/b", size: 0, modified: 0 }, { kind: "file", path: "media/a.bin", size: (4 << 20) + 99, modified: 5 }, { kind: "file", path: "media/日本.txt", size: 1, modified: 6 },
];

/** write seals the history that both sides know: byte i of every content is i mod 251. */
async function write(bulk: Bytes): Promise<object> {
  const source = (): Source => {
    let at = 0;
    return {
      next: async () => things[at++],
      async *open(e, from) {
        yield counted(e.size).subarray(from);
      },
    };
  };
  const totals = { schema: 4, objects: things.length, bytes: things.reduce((sum, e) => sum + e.size, 0) };
  const length = await measure(totals, source());
  const writer = new StreamWriter(totals, source());
  const stream = new Stream(7);
  const segments: string[] = [];
  for (let at = 0; at < length;) {
    const plain = new Uint8Array(Math.min(3 * recordSize, maxRecords * recordSize, length - at));
    await writer.read(plain);
    const { header, leaf, parts } = await sealSegment(Key.of(bulk), { revision: 7, first: at / recordSize }, plain);
    stream.add(header, leaf);
    segments.push(base64(concat(...parts)));
    at += plain.length;
  }
  return { segments, root: base64(stream.root()) };
}

/** read opens one, and wants the same contents. */
async function read(bulk: Bytes, segments: readonly Bytes[]): Promise<object> {
  const stream = new Stream(7);
  const found: Entry[] = [];
  let got: Bytes[] = [];
  const reader = await StreamReader.open({
    start() {},
    entry(e) {
      found.push(e);
      got = [];
    },
    content(b) {
      got.push(b.slice() as Bytes);
    },
    finish() {
      if (!equal(concat(...got), counted(found.at(-1)?.size ?? -1))) {
        throw new Error(`another content in ${found.at(-1)?.path}`);
      }
    },
  });
  for (const s of segments) {
    const { header, leaf, records } = await openSegment(Key.of(bulk), s);
    stream.add(header, leaf);
    for (const r of records) {
      await reader.write(r);
    }
  }
  reader.close();
  if (JSON.stringify(found) !== JSON.stringify(things)) {
    throw new Error(`other entries: ${JSON.stringify(found)}`);
  }
  return { root: base64(stream.root()), objects: reader.objects };
}

for await (const text of createInterface({ input: process.stdin })) {
  const line = JSON.parse(text) as Line;
  const call = calls[line.do ?? ""];
  try {
    if (call === undefined) {
      throw new Error(`no call ${line.do}`);
    }
    process.stdout.write(`${JSON.stringify(await call(line))}\n`);
  } catch (e) {
    process.stdout.write(`${JSON.stringify({ error: e instanceof Error ? e.stack : String(e), code: (e as { code?: string }).code })}\n`);
  }
}
