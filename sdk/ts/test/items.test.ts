import assert from "node:assert/strict";
import { test } from "node:test";

import { type Bytes, concat, fromHex, hex } from "../src/bytes.js";
import { checkPath, comparePaths, type Entry, type Kind, measure, type Sink, type Source, StreamReader, StreamWriter, type Totals } from "../src/transfer/sealed/index.js";
import { SealedError } from "../src/transfer/sealed/errors.js";
import { counted, refusal, vectors } from "./transfer/vectors.js";

interface Thing extends Entry { readonly content: Bytes }

interface File {
  schema: number; objects: number; bytes: number; stream: string;
  entries: { kind: number; path: string; size: number; mtime: number; content: string }[];
  refused: { name: string; data: string }[];
}

const kinds: readonly Kind[] = ["file", "folder", "records"];
const file = vectors<File>("stream.json");
const things: readonly Thing[] = file.entries.map((e) => ({
  kind: kinds[e.kind - 1] as Kind, path: e.path, size: e.size, modified: e.mtime, content: fromHex(e.content),
}));
const totals: Totals = { schema: file.schema, objects: file.objects, bytes: file.bytes };
const stream = fromHex(file.stream);

/** from is a source of things, whose contents come in pieces. */
function from(all: readonly Thing[], piece = 7): Source {
  const left = [...all];
  return {
    next: async () => left.shift(),
    async *open(e, at) {
      const { content } = all.find((t) => t.kind === e.kind && t.path === e.path) as Thing;
      for (; at < content.length; at += piece) {
        yield content.subarray(at, at + piece);
      }
    },
  };
}

/** Staging keeps what a reader finds. */
class Staging implements Sink {
  totals: Totals | undefined;
  open = false;
  found: { entry: Entry; content: number[] }[] = [];
  start(t: Totals): void {
    assert.equal(this.totals, undefined);
    this.totals = t;
  }
  entry(entry: Entry): void {
    assert.ok(!this.open);
    this.open = true;
    this.found.push({ entry, content: [] });
  }
  content(bytes: Uint8Array): void {
    this.found.at(-1)?.content.push(...bytes);
  }
  finish(): void {
    assert.ok(this.open);
    this.open = false;
  }
}

/** all reads a writer to its end, in pieces. */
async function all(writer: StreamWriter, piece: number): Promise<Bytes> {
  const parts: Bytes[] = [];
  for (;;) {
    const part = new Uint8Array(piece);
    const n = await writer.read(part);
    parts.push(part.subarray(0, n));
    if (n < piece) {
      return concat(...parts);
    }
  }
}

test("a stream is written as the vectors say, from any byte on", async () => {
  for (const piece of [1, 3, 64, 100_000]) {
    assert.equal(hex(await all(new StreamWriter(totals, from(things)), piece)), file.stream);
  }
  assert.equal(await measure(totals, from(things)), stream.length);
  for (let at = 0; at <= stream.length; at += 5) {
    const w = new StreamWriter(totals, from(things));
    await w.skipTo(at);
    assert.equal(w.offset, at);
    assert.equal(hex(await all(w, 50)), hex(stream.subarray(at)), `from byte ${at}`);
  }
  assert.equal(await refusal(() => new StreamWriter(totals, from(things)).skipTo(stream.length + 1)), "item");
});

test("a stream is read in pieces, with a restart at every byte", async () => {
  for (const piece of [1, 2, 64, stream.length]) {
    const sink = new Staging();
    let reader = await StreamReader.open(sink);
    for (let at = 0; at < stream.length; at += piece) {
      await reader.write(stream.subarray(at, at + piece));
      reader = await StreamReader.resume(sink, reader.marshal());
    }
    reader.close();
    assert.deepEqual(sink.totals, totals);
    assert.deepEqual([reader.objects, reader.bytes], [totals.objects, totals.bytes]);
    assert.deepEqual(sink.found, things.map(({ content, ...entry }) => ({ entry, content: [...content] })));
    assert.equal(await refusal(() => reader.write(Uint8Array.of(0))), "item", "behind the trailer");
  }
});

test("what is no stream of items is refused", async () => {
  for (const v of file.refused) {
    for (const piece of [1, 5, 4096]) {
      const data = fromHex(v.data);
      const reader = await StreamReader.open(new Staging());
      assert.equal(await refusal(async () => {
        for (let at = 0; at < data.length; at += piece) {
          await reader.write(data.subarray(at, at + piece));
        }
        reader.close();
      }), "item", v.name);
    }
  }
});

test("no stream is written that would be refused", async () => {
  const thing = (kind: Kind, path: string, content = 0): Thing => ({ kind, path, size: content, modified: 0, content: counted(content) });
  const write = (list: readonly Thing[], change: Partial<Totals> = {}): Promise<string | undefined> =>
    refusal(() => all(new StreamWriter({ schema: 1, objects: list.length, bytes: list.reduce((n, t) => n + t.size, 0), ...change }, from(list)), 100));
  for (const [what, list] of [
    ["a path twice", [thing("file", "a", 1), thing("file", "a", 1)]],
    ["out of order", [thing("file", "b"), thing("file", "a")]],
    ["records behind files", [thing("file", "a"), thing("records", "b")]],
    ["within a file", [thing("file", "a"), thing("file", "a/b")]],
    ["a folder with content", [thing("folder", "a", 3)]],
    ["a path that climbs", [thing("file", "../a")]],
    ["half a surrogate pair", [thing("file", "a\ud800")]],
  ] as const) {
    assert.equal(await write(list), "item", what);
  }
  const good = [thing("records", "b", 2), thing("folder", "a"), thing("file", "a/b", 9), thing("file", "a-b", 1)];
  assert.equal(await write(good), undefined);
  assert.equal(await write(good, { objects: 3 }), "item", "more objects than announced");
  assert.equal(await write(good, { bytes: 13 }), "item", "fewer bytes than announced");
});

test("a content that is not what the plan says is told", async () => {
  const one = (open: Source["open"]): StreamWriter => {
    const plan: Entry[] = [{ kind: "file", path: "a", size: 10, modified: 0 }];
    return new StreamWriter({ schema: 1, objects: 1, bytes: 10 }, { next: async () => plan.shift(), open });
  };
  let closed = 0;
  for (const [what, pieces] of [["shorter", [4, 5]], ["longer", [4, 7]], ["longer, in a piece of its own", [10, 0, 1]]] as const) {
    const w = one(async function* () {
      try {
        for (const n of pieces) {
          yield counted(n);
        }
      } finally {
        closed++;
      }
    });
    assert.equal(await refusal(() => all(w, 4096)), "changed", what);
    assert.equal(await refusal(() => all(w, 4096)), "changed", `${what}, again`);
  }
  assert.equal(closed, 3, "each content is let go of");
  assert.equal(await refusal(() => all(one(async function* () {
    yield counted(10);
    throw new SealedError("changed", "written to meanwhile");
  }), 4096)), "changed", "what the source finds at the end");
});

test("what a sink throws ends the reading", async () => {
  const reader = await StreamReader.open({ start() {}, entry() {}, content() { throw new Error("no room"); }, finish() {} });
  assert.match(await refusal(() => reader.write(stream)) ?? "", /no room/);
  assert.match(await refusal(() => reader.write(stream)) ?? "", /no room/);
  assert.match(await refusal(() => reader.close()) ?? "", /no room/);
  assert.equal(await refusal(() => reader.marshal()), "checkpoint");
});

test("checkpoints that no reader has been in are refused", async () => {
  const reader = await StreamReader.open(new Staging());
  await reader.write(stream.subarray(0, 70));
  const good = reader.marshal();
  await StreamReader.resume(new Staging(), good);
  assert.equal(await refusal(() => StreamReader.resume(new Staging(), good.subarray(1))), "checkpoint", "cut");
  let refused = 0;
  for (let at = 0; at < good.length; at++) {
    const bad = good.slice();
    bad[at]! ^= 0x40;
    refused += await refusal(() => StreamReader.resume(new Staging(), bad)) === "checkpoint" ? 1 : 0;
  }
  assert.ok(refused > 20, `${refused} of ${good.length}`);
});

test("paths: what may be one, and their order", async () => {
  for (const bad of ["", "/", "a/", "/a", "a//b", ".", "..", "a/../b", "a/.", "a\0", "a\\b", "\udc00", "x".repeat(1025)]) {
    assert.equal(await refusal(() => checkPath(bad)), "item", JSON.stringify(bad));
  }
  const sorted = ["a", "a/b", "a/b/c", "a/b-c", "a-b", "a.b", "ab", "b", "\u{ffff}", "\u{10000}"];
  for (const [i, x] of sorted.entries()) {
    checkPath(x);
    for (const [j, y] of sorted.entries()) {
      assert.equal(Math.sign(comparePaths(x, y)), Math.sign(i - j), `${x} and ${y}`);
    }
  }
});
