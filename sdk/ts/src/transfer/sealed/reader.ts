import { createSHA256, type IHasher } from "hash-wasm";

import { type Bytes, concat, copy } from "../../bytes.js";
import { type Entry, maxHead, readHead, type Totals } from "./entry.js";
import { SealedError } from "./errors.js";
import { readCheckpoint, writeCheckpoint } from "./checkpoint.js";
import { Manifest, type Progress } from "./manifest.js";

/**
 * Sink takes what a StreamReader finds in a stream. What it throws ends the reading and
 * comes out of write.
 */
export interface Sink {
  /** start comes first, once: what the stream will come to. */
  start(totals: Totals): Promise<void> | void;
  /**
   * entry begins an entry. Its path has been checked and comes behind the one before it;
   * whether it can be created is for the sink to find out.
   */
  entry(entry: Entry): Promise<void> | void;
  /** content gives the next bytes of the entry. They are valid until it resolves. */
  content(bytes: Uint8Array): Promise<void> | void;
  /** finish ends the entry: all its bytes have come. */
  finish(): Promise<void> | void;
}

/**
 * StreamReader takes a stream apart: its plaintext is written to it in order, in pieces of
 * any length, and it may be stopped between any two of them (marshal) and go on in another
 * process (resume). It holds one head at the most.
 *
 * What it is given must have been opened and be in its place (openSegment, Stream). It is
 * complete only when close does not throw.
 */
export class StreamReader {
  #sink: Sink;
  #hash: IHasher;
  #manifest: Manifest;
  #pending: Bytes; // of an item's length and head, as far as it has come
  #left: number; // bytes of the last entry's content, still to come
  #inside: boolean; // an entry has begun and not ended
  #error: unknown;
  #busy = false;

  private constructor(sink: Sink, hash: IHasher, progress?: Progress, pending: Bytes = new Uint8Array(0), left = 0, inside = false) {
    this.#sink = sink;
    this.#hash = hash;
    this.#manifest = new Manifest({ update: (b) => hash.update(b), digest: () => copy(hash.digest("binary")) }, progress);
    this.#pending = pending;
    this.#left = left;
    this.#inside = inside;
  }

  /** open gives one that waits for the first byte. */
  static async open(sink: Sink): Promise<StreamReader> {
    return new StreamReader(sink, (await createSHA256()).init());
  }

  /**
   * resume goes on where marshal was called, with the byte after it. It calls neither start
   * nor entry again: a sink that writes files opens that of at() and cuts it back. It throws
   * a SealedError "checkpoint".
   */
  static async resume(sink: Sink, state: Uint8Array): Promise<StreamReader> {
    const s = readCheckpoint(state);
    const hash = (await createSHA256()).init();
    try {
      if (!s.progress.ended) {
        hash.load(s.heads);
      }
    } catch (cause) {
      throw new SealedError("checkpoint", "a checkpoint of another version of this software", { cause });
    }
    return new StreamReader(sink, hash, s.progress, s.pending, s.left, s.inside);
  }

  /**
   * marshal is the state between two writes, a few kilobytes at the most. It says nothing of
   * what the sink has done: store it when that is durable.
   */
  marshal(): Bytes {
    if (this.#error !== undefined || this.#busy) {
      throw new SealedError("checkpoint", "no checkpoint of a reader that has failed, or that is in use", { cause: this.#error });
    }
    const progress = this.#manifest.progress;
    // Behind the trailer the hash is done: its state is not needed any more.
    const heads = progress.ended ? new Uint8Array(0) : copy(this.#hash.save());
    return writeCheckpoint({ progress, heads, pending: this.#pending, left: this.#left, inside: this.#inside });
  }

  /** write takes the next bytes. After an error, which is a SealedError "item" or the sink's, it takes nothing more. */
  async write(bytes: Uint8Array): Promise<void> {
    if (this.#error !== undefined) {
      throw this.#error;
    }
    if (this.#busy) {
      throw new Error("sealed: the reader is in use: await the write before this one");
    }
    this.#busy = true;
    try {
      let rest = bytes;
      while (rest.length > 0) {
        rest = this.#inside ? await this.#content(rest) : await this.#gather(rest);
      }
    } catch (e) {
      this.#error ??= e;
      throw e;
    } finally {
      this.#busy = false;
    }
  }

  /** close throws a SealedError "item" if the stream has not ended with its trailer. */
  close(): void {
    if (this.#error !== undefined) {
      throw this.#error;
    }
    const { ended, objects, totals } = this.#manifest.progress;
    if (!ended) {
      throw new SealedError("item", `the stream is cut short after ${objects} of ${totals.objects} objects`);
    }
  }

  /** totals is the preamble, or zeros before it has come. */
  get totals(): Totals {
    return this.#manifest.progress.totals;
  }

  /** objects says how many entries have begun. */
  get objects(): number {
    return this.#manifest.progress.objects;
  }

  /** bytes says how many bytes of content have come. */
  get bytes(): number {
    return this.#manifest.progress.bytes - this.#left;
  }

  /** at gives the entry whose content is coming, and how many bytes of it have come; undefined between entries. */
  at(): { readonly entry: Entry; readonly done: number } | undefined {
    const { last } = this.#manifest.progress;
    return this.#inside && last !== undefined ? { entry: last, done: last.size - this.#left } : undefined;
  }

  async #content(bytes: Uint8Array): Promise<Uint8Array> {
    const part = bytes.subarray(0, Math.min(bytes.length, this.#left));
    const taken = this.#sink.content(part);
    if (taken !== undefined) {
      await taken;
    }
    this.#left -= part.length;
    await this.#finish();
    return bytes.subarray(part.length);
  }

  /** gather takes what still misses of the item's length and head. */
  async #gather(bytes: Uint8Array): Promise<Uint8Array> {
    if (this.#manifest.progress.ended) {
      throw new SealedError("item", "bytes behind the trailer");
    }
    let want = 4;
    if (this.#pending.length >= 4) {
      want += lengthOf(this.#pending);
    }
    const part = bytes.subarray(0, want - this.#pending.length);
    this.#pending = concat(this.#pending, part);
    if (this.#pending.length === 4) {
      lengthOf(this.#pending);
    } else if (this.#pending.length === want && want > 4) {
      const raw = this.#pending.subarray(4);
      this.#pending = new Uint8Array(0);
      await this.#item(raw);
    }
    return bytes.subarray(part.length);
  }

  async #item(raw: Uint8Array): Promise<void> {
    const head = readHead(raw);
    this.#manifest.take(head, raw);
    switch (head.item) {
      case "preamble":
        await this.#sink.start(head.totals);
        return;
      case "entry":
        this.#inside = true;
        this.#left = head.entry.size;
        await this.#sink.entry(head.entry);
        await this.#finish();
        return;
      case "trailer":
    }
  }

  /** finish ends the entry at hand if all of it has come. */
  async #finish(): Promise<void> {
    if (this.#left === 0) {
      this.#inside = false;
      await this.#sink.finish();
    }
  }
}

/** lengthOf is how long a head says it is. */
function lengthOf(pending: Uint8Array): number {
  const n = new DataView(pending.buffer, pending.byteOffset).getUint32(0);
  if (n === 0 || n > maxHead) {
    throw new SealedError("item", `a head of ${n} bytes, and it has 1 to ${maxHead}`);
  }
  return n;
}
