import { sha256 } from "@noble/hashes/sha2.js";

import type { Bytes } from "../../bytes.js";
import { type Entry, headItem, type Head, type Totals } from "./entry.js";
import { SealedError } from "./errors.js";
import { Manifest } from "./manifest.js";

/** Source is a frozen plan of what is sent, and the way to the contents. */
export interface Source {
  /**
   * next gives the next entry in the order of the stream: records, then the rest, each by
   * comparePaths. After the last one it gives undefined.
   */
  next(): Promise<Entry | undefined>;
  /**
   * open gives the content of an entry from a byte on, in pieces of any length. It checks
   * that the content is still that of the plan, at its beginning and, once the last piece
   * is taken, at its end: it throws a SealedError "changed".
   */
  open(entry: Entry, from: number): AsyncIterable<Uint8Array>;
}

/**
 * StreamWriter makes the plaintext of a stream. To go on in the middle, make one over the
 * same plan and skip to the byte; the same plan gives the same bytes. After an error it
 * gives nothing more.
 */
export class StreamWriter {
  #source: Source;
  #manifest: Manifest;
  #pending: Bytes = new Uint8Array(0); // of an item's head, to be given
  #last: Entry | undefined;
  #left = 0; // bytes of the last entry's content, to be given after pending
  #body: AsyncIterator<Uint8Array> | undefined;
  #piece: Uint8Array = new Uint8Array(0); // of the content, taken and not given
  #at = 0;
  #error: unknown;
  #busy = false;

  /** A StreamWriter begins the stream of a source that comes to these totals. */
  constructor(totals: Totals, source: Source) {
    this.#source = source;
    const heads = sha256.create();
    this.#manifest = new Manifest({ update: (b) => heads.update(b), digest: () => heads.digest() as Bytes });
    this.#item({ item: "preamble", totals });
  }

  /** offset says how many bytes have been given or skipped. */
  get offset(): number {
    return this.#at;
  }

  /**
   * read fills into, and says how many bytes it has given: fewer than there is room for only
   * at the end of the stream, and 0 behind it. It throws a SealedError "changed" for a
   * content that is not what the plan says, and "item" for a plan that is none: its order,
   * a path, the totals.
   */
  read(into: Uint8Array): Promise<number> {
    return this.#alone(async () => {
      let n = 0;
      while (n < into.length) {
        if (this.#pending.length > 0) {
          const part = this.#pending.subarray(0, into.length - n);
          into.set(part, n);
          this.#pending = this.#pending.subarray(part.length);
          n += part.length;
          this.#at += part.length;
        } else if (this.#left > 0) {
          const part = await this.#content(into.length - n);
          into.set(part, n);
          n += part.length;
          if (this.#left === 0) {
            await this.#finish();
          }
        } else if (!await this.#next()) {
          break;
        }
      }
      return n;
    });
  }

  /**
   * skipTo leaves out what comes before a byte of the stream, without opening what lies
   * there. It goes forward only; a stream that ends before is a SealedError "item".
   */
  skipTo(offset: number): Promise<void> {
    return this.#alone(async () => {
      if (!await this.#skip(offset)) {
        throw new SealedError("item", `the stream ends with byte ${this.#at}, before byte ${offset}`);
      }
    });
  }

  /** skipRest leaves out all that is left, and says how many bytes the whole stream has. */
  skipRest(): Promise<number> {
    return this.#alone(async () => {
      await this.#skip(Infinity);
      return this.#at;
    });
  }

  /** close closes what is open. Call it when the stream is not read to its end. */
  async close(): Promise<void> {
    this.#error ??= new Error("sealed: the writer is closed");
    await this.#leave();
  }

  /** skip reports whether the stream goes as far as offset. */
  async #skip(offset: number): Promise<boolean> {
    if (offset < this.#at) {
      throw new RangeError(`sealed: byte ${offset} has passed, this is byte ${this.#at}`);
    }
    while (this.#at < offset) {
      if (this.#pending.length > 0) {
        const n = Math.min(offset - this.#at, this.#pending.length);
        this.#pending = this.#pending.subarray(n);
        this.#at += n;
      } else if (this.#left > 0) {
        await this.#leave(); // it is opened again where it is needed
        const n = Math.min(offset - this.#at, this.#left);
        this.#left -= n;
        this.#at += n;
      } else if (!await this.#next()) {
        return false;
      }
    }
    return true;
  }

  /** content gives the next bytes of the entry at hand, at most max and at least one. */
  async #content(max: number): Promise<Uint8Array> {
    const e = this.#last as Entry;
    this.#body ??= this.#source.open(e, e.size - this.#left)[Symbol.asyncIterator]();
    while (this.#piece.length === 0) {
      const next = await this.#body.next();
      if (next.done === true) {
        throw new SealedError("changed", `${JSON.stringify(e.path)} ends ${this.#left} bytes early`);
      }
      this.#piece = next.value;
    }
    const part = this.#piece.subarray(0, Math.min(max, this.#left));
    this.#piece = this.#piece.subarray(part.length);
    this.#left -= part.length;
    this.#at += part.length;
    return part;
  }

  /** finish lets the source check, at the end of a content, that nothing has changed and nothing follows. */
  async #finish(): Promise<void> {
    let more = this.#piece.length > 0;
    while (!more && this.#body !== undefined) {
      const next = await this.#body.next();
      if (next.done === true) {
        this.#body = undefined;
        return;
      }
      more = next.value.length > 0;
    }
    throw new SealedError("changed", `${JSON.stringify(this.#last?.path)} is longer than its ${this.#last?.size} bytes`);
  }

  /** leave lets go of a content in its middle. */
  async #leave(): Promise<void> {
    const body = this.#body;
    this.#body = undefined;
    this.#piece = new Uint8Array(0);
    await body?.return?.();
  }

  /** next takes the next entry of the plan, or makes the trailer. It reports whether there is anything more. */
  async #next(): Promise<boolean> {
    if (this.#manifest.progress.ended) {
      return false;
    }
    const entry = await this.#source.next();
    if (entry === undefined) {
      this.#item(this.#manifest.end());
      return true;
    }
    this.#item({ item: "entry", entry });
    this.#last = entry;
    this.#left = entry.size;
    return true;
  }

  #item(head: Head): void {
    const { item, raw } = headItem(head);
    this.#manifest.take(head, raw);
    this.#pending = item;
  }

  /** alone runs one thing at a time; after an error nothing more. */
  async #alone<T>(fn: () => Promise<T>): Promise<T> {
    if (this.#error !== undefined) {
      throw this.#error;
    }
    if (this.#busy) {
      throw new Error("sealed: the writer is in use: await the call before this one");
    }
    this.#busy = true;
    try {
      return await fn();
    } catch (e) {
      this.#error ??= e;
      await this.#leave().catch(() => {}); // the first error is the one to tell
      throw e;
    } finally {
      this.#busy = false;
    }
  }
}

/** measure says how many bytes the whole stream of a source has. It opens nothing. */
export function measure(totals: Totals, source: Pick<Source, "next">): Promise<number> {
  const open = (): never => {
    throw new Error("sealed: measuring opens nothing");
  };
  return new StreamWriter(totals, { next: () => source.next(), open }).skipRest();
}
