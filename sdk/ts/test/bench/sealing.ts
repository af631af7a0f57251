/**
 * What it costs to seal and open a history, beside the bare AES-GCM of Web Cryptography over
 * the same bytes in records of the same size: both in memory, both with as much at once.
 */
import { concat, equal } from "../../src/bytes.js";
import { type Entry, Key, maxRecords, measure, openSegment, recordSize, type Sealed, sealSegment, type Sink, type Source, Stream, StreamReader, StreamWriter, type Totals } from "../../src/transfer/sealed/index.js";

const fileSize = 8 << 20;
const segmentSize = maxRecords * recordSize;

/** ahead is how many segments are on their way at once. */
const ahead = 2;

/** content is what every file has: random, made once. */
const content = new Uint8Array(fileSize);
for (let at = 0; at < fileSize; at += 65536) {
  crypto.getRandomValues(content.subarray(at, at + 65536));
}

/** history is a source of so many bytes in files. */
function history(bytes: number): { readonly totals: Totals; readonly source: () => Source } {
  const entries: Entry[] = [];
  for (let left = bytes; left > 0; left -= fileSize) {
    entries.push({ kind: "file", path: String(entries.length).padStart(6, "0"), size: Math.min(left, fileSize), modified: 0 });
  }
  const source = (): Source => {
    let next = 0;
    return {
      next: async () => entries[next++],
      async *open(e, from) {
        for (; from < e.size; from += 1 << 20) {
          yield content.subarray(from, Math.min(e.size, from + (1 << 20)));
        }
      },
    };
  };
  return { totals: { schema: 1, objects: entries.length, bytes }, source };
}

/** Checking is a sink that wants every byte to be the source's. */
class Checking implements Sink {
  #at = 0;
  start(): void {}
  entry(): void {
    this.#at = 0;
  }
  content(bytes: Uint8Array): void {
    const want = content.subarray(this.#at, this.#at + 64);
    if (!equal(bytes.subarray(0, want.length), want.subarray(0, bytes.length))) {
      throw new Error("other bytes have come out than went in");
    }
    this.#at += bytes.length;
  }
  finish(): void {}
}

/** stretch is what is sealed, and then opened, before the next: as much as is in memory at once. */
const stretch = 8 * segmentSize;

/** pipe runs fn for each, some at once, and gives what comes of them in their order. */
async function* pipe<A, B>(all: AsyncIterable<A> | Iterable<A>, fn: (a: A) => Promise<B>): AsyncGenerator<B> {
  const going: Promise<B>[] = [];
  for await (const a of all) {
    going.push(fn(a));
    if (going.length > ahead) {
      yield await (going.shift() as Promise<B>);
    }
  }
  for (const g of going) {
    yield await g;
  }
}

/**
 * historyMoves seals a history of so many bytes and opens it again, a stretch after the other, and
 * gives the ms that it took. What would be the network between, putting the parts of a segment
 * together, is not counted.
 */
export async function historyMoves(bytes: number): Promise<number> {
  const { totals, source } = history(bytes);
  const length = await measure(totals, source());
  const key = Key.of(crypto.getRandomValues(new Uint8Array(32)));
  const writer = new StreamWriter(totals, source());
  const sent = new Stream(1), taken = new Stream(1);
  const reader = await StreamReader.open(new Checking());
  let ms = 0;
  for (let from = 0; from < length; from += stretch) {
    const end = Math.min(length, from + stretch);
    let begun = performance.now();
    const made: Sealed[] = [];
    for await (const s of pipe(pieces(writer, from, end), ({ at, plain }) => sealSegment(key, { revision: 1, first: at / recordSize }, plain))) {
      sent.add(s.header, s.leaf);
      made.push(s);
    }
    ms += performance.now() - begun;
    const segments = made.map((s) => concat(...s.parts));
    begun = performance.now();
    for await (const { header, leaf, records } of pipe(segments, (s) => openSegment(key, s))) {
      taken.add(header, leaf);
      for (const r of records) {
        await reader.write(r);
      }
    }
    ms += performance.now() - begun;
  }
  reader.close();
  if (!equal(sent.root(), taken.root()) || reader.bytes !== bytes) {
    throw new Error("another history has come out than went in");
  }
  return ms;
}

/** pieces reads what is sealed at once. */
async function* pieces(writer: StreamWriter, from: number, end: number): AsyncGenerator<{ at: number; plain: Uint8Array }> {
  for (let at = from; at < end; at += segmentSize) {
    const plain = new Uint8Array(Math.min(segmentSize, end - at));
    if (await writer.read(plain) !== plain.length) {
      throw new Error("the stream is shorter than was measured");
    }
    yield { at, plain };
  }
}

/** bareAES encrypts so many bytes in records and decrypts them again, a stretch after the other, and gives the ms that it took. */
export async function bareAES(bytes: number): Promise<number> {
  const key = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  const how = (at: number, j: number): AesGcmParams => ({ name: "AES-GCM", iv: new Uint8Array(new Uint32Array([at / recordSize, j, 0]).buffer) });
  const begun = performance.now();
  for (let from = 0; from < bytes; from += stretch) {
    const end = Math.min(bytes, from + stretch);
    const starts = Array.from({ length: Math.ceil((end - from) / segmentSize) }, (_, i) => from + i * segmentSize);
    const sealed: (readonly [number, ArrayBuffer[]])[] = [];
    for await (const s of pipe(starts, async (at) => [at, await Promise.all(Array.from({ length: Math.ceil(Math.min(segmentSize, end - at) / recordSize) }, (_, j) => {
      const start = at + j * recordSize, place = start % fileSize;
      return crypto.subtle.encrypt(how(at, j), key, content.subarray(place, place + Math.min(recordSize, end - start)));
    }))] as const)) {
      sealed.push(s);
    }
    for await (const _ of pipe(sealed, ([at, records]) => Promise.all(records.map((r, j) => crypto.subtle.decrypt(how(at, j), key, r))))) {
      // it is open
    }
  }
  return performance.now() - begun;
}
