import assert from "node:assert/strict";
import { test } from "node:test";

import { type Bytes, concat, equal, fromHex, hex } from "../src/bytes.js";
import { key as deriveKey, sha256 } from "../src/transfer/derive.js";
import { headerSize, Key, maxRecords, openSegment, parseHeader, recordSize, sealSegment, sizeOf, Stream, streamRoot, tagSize, Tree } from "../src/transfer/sealed/index.js";
import { sealSalted } from "../src/transfer/sealed/segment.js";
import { counted, refusal, vectors } from "./transfer/vectors.js";

interface Good {
  name: string; bulk: string; revision: number; first: number; salt: string; length: number;
  header: string; key: string; nonces: string[]; tags: string[]; segment?: string; segment_sha256: string; leaf: string;
}

const file = vectors<{ good: Good[]; refused: { name: string; bulk: string; data: string }[] }>("segment.json");

test("segments are sealed and opened as the vectors say", async () => {
  for (const v of file.good) {
    const key = Key.of(fromHex(v.bulk));
    const plain = counted(v.length);
    const made = await sealSalted(key, v, plain, fromHex(v.salt));
    const segment = concat(...made.parts);
    assert.equal(hex(segment.subarray(0, headerSize)), v.header, v.name);
    assert.equal(hex(deriveKey(fromHex(v.bulk), "segment", fromHex(v.header), 32)), v.key, v.name);
    assert.equal(hex(sha256(segment)), v.segment_sha256, v.name);
    assert.equal(hex(made.leaf), v.leaf, v.name);
    v.tags.forEach((tag, j) => {
      const end = Math.min(segment.length, headerSize + (j + 1) * (recordSize + tagSize));
      assert.equal(hex(segment.subarray(end - tagSize, end)), tag, `${v.name}: tag ${j}`);
    });
    const opened = await openSegment(key, v.segment === undefined ? segment : fromHex(v.segment));
    assert.ok(equal(concat(...opened.records), plain), v.name);
    assert.equal(hex(opened.leaf), v.leaf, v.name);
    assert.deepEqual(opened.header, { revision: v.revision, first: v.first, plain: v.length, salt: fromHex(v.salt) });
  }
});

test("what is no segment does not open", async () => {
  for (const v of file.refused) {
    assert.match(await refusal(() => openSegment(Key.of(fromHex(v.bulk)), fromHex(v.data))) ?? "it opens", /^(segment|record)$/, v.name);
  }
});

test("one bit of any record, and all of them stay shut", async () => {
  const key = Key.of(counted(32));
  const segment = concat(...(await sealSegment(key, { revision: 1, first: 0 }, counted(2 * recordSize + 5))).parts);
  for (const at of [headerSize, headerSize + recordSize + tagSize + 7, segment.length - 1]) {
    const bad = segment.slice();
    bad[at]! ^= 1;
    assert.equal(await refusal(() => openSegment(key, bad)), "record");
  }
  const size = recordSize + tagSize;
  const swapped = concat(segment.subarray(0, headerSize), segment.subarray(headerSize + size, headerSize + 2 * size),
    segment.subarray(headerSize, headerSize + size), segment.subarray(headerSize + 2 * size));
  assert.equal(await refusal(() => openSegment(key, swapped)), "record", "two records change places");
});

test("no segment is sealed that cannot be, and none twice under one key", async () => {
  const key = Key.of(counted(32));
  for (const [what, at, length] of [
    ["nothing", { revision: 1, first: 0 }, 0],
    ["65 records", { revision: 1, first: 0 }, maxRecords * recordSize + 1],
    ["beyond what is counted", { revision: 1, first: 2 ** 47 }, 1],
    ["a revision of 33 bits", { revision: 2 ** 32, first: 0 }, 1],
  ] as const) {
    assert.equal(await refusal(() => sealSegment(key, at, new Uint8Array(length))), "segment", what);
  }
  const once = await sealSegment(key, { revision: 1, first: 0 }, counted(9));
  const again = await sealSegment(key, { revision: 1, first: 0 }, counted(9));
  assert.notDeepEqual(once.header.salt, again.header.salt);
  assert.equal(concat(...once.parts).length, sizeOf(9));
  key.wipe();
  assert.equal(await refusal(() => sealSegment(key, { revision: 1, first: 0 }, counted(9))), "key");
  assert.equal(await refusal(() => Key.of(counted(31))), "key");
  assert.equal(JSON.stringify({ key }), '{"key":"[redacted]"}');
});

test("trees and roots are those of the vectors", () => {
  const v = vectors<{
    trees: { leaves: number; hash: string }[];
    roots: { revision: number; records: number; bytes: number; segments: number; tree: string; root: string }[];
  }>("tree.json");
  let tree = new Tree();
  for (const t of v.trees) {
    assert.equal(tree.leaves, t.leaves);
    assert.equal(hex(tree.hash()), t.hash, `${t.leaves} leaves`);
    tree = Tree.unmarshal(tree.marshal());
    tree.append(sha256(Uint8Array.of(t.leaves)));
  }
  for (const r of v.roots) {
    assert.equal(hex(streamRoot(r.revision, r.records, r.bytes, r.segments, fromHex(r.tree))), r.root);
  }
});

test("a stream takes its segments in order, and nothing else", async () => {
  const leaf = sha256(counted(1));
  let s = new Stream(7);
  const add = (revision: number, first: number, plain: number): Promise<string | undefined> =>
    refusal(() => s.add({ revision, first, plain }, leaf));
  assert.equal(await add(7, 1, recordSize), "order", "a gap");
  assert.equal(await add(6, 0, recordSize), "order", "another revision");
  assert.equal(await add(7, 0, 2 * recordSize), undefined);
  assert.equal(await add(7, 0, 2 * recordSize), "order", "twice");
  assert.equal(await add(7, 1, recordSize), "order", "an overlap");
  assert.equal(await add(7, 2, 0), "segment", "an empty one");
  const before = hex(s.root());
  s = Stream.unmarshal(s.marshal());
  assert.equal(hex(s.root()), before, "after a restart");
  assert.equal(await add(7, 2, recordSize + 1), undefined);
  assert.equal(await add(7, 4, recordSize), "order", "behind the short record");
  assert.deepEqual([s.records, s.bytes, s.segments], [4, 3 * recordSize + 1, 2]);
  assert.equal(hex(s.root()), hex(streamRoot(7, 4, 3 * recordSize + 1, 2, sha256(concat(Uint8Array.of(1), leaf, leaf)))));
});

test("stored streams that no stream has been are refused", async () => {
  const s = new Stream(1);
  s.add({ revision: 1, first: 0, plain: 9 }, sha256(counted(1)));
  const good = s.marshal();
  for (const [what, change] of [
    ["another version", (b: Bytes) => { b[0] = 2; return b; }],
    ["cut short", (b: Bytes) => b.subarray(0, b.length - 1)],
    ["more bytes than records have", (b: Bytes) => { b[16] = 1; b[18] = 1; return b; }],
    ["more leaves", (b: Bytes) => { b[28] = 2; return b; }],
    ["nothing", () => new Uint8Array(0)],
  ] as const) {
    assert.equal(await refusal(() => Stream.unmarshal(change(good.slice()))), "checkpoint", what);
  }
  assert.equal(Stream.unmarshal(good).bytes, 9);
});

test("a header that no segment has is refused", async () => {
  const segment = concat(...(await sealSegment(Key.of(counted(32)), { revision: 1, first: 0 }, counted(9))).parts);
  assert.equal(await refusal(() => parseHeader(segment.subarray(0, 63))), "segment", "63 bytes");
  for (const [what, at] of [["the magic", 3], ["zero bytes", 31], ["a first record of 2^56", 8], ["a length of 2^24", 16]] as const) {
    const bad = segment.slice();
    bad[at]! ^= 1;
    assert.equal(await refusal(() => parseHeader(bad)), "segment", what);
  }
});
