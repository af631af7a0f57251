/** Getting segments in order, the next one while the one before is opened. */
import { concat } from "../bytes.js";
import { unreached } from "../phone/errors.js";
import { type Bulk, Lost, Refused } from "./bulk.js";
import { linked, pause } from "./cancel.js";
import { type Header, headerSize, parseHeader, recordsOf, SealedError, sizeOf } from "./sealed/index.js";
import { isLost } from "./upload.js";
import { firstPause, mostPause } from "./watch.js";

const waitFor = 25; // seconds that the server may wait for a segment

/** FetchOptions are of one revision. */
export interface FetchOptions {
  readonly bulk: Bulk;
  readonly revision: number;
  readonly patience: number;
  readonly now: () => number;
  readonly retry: (error: unknown, afterMs: number) => void;
}

/** Coming is a segment whose header is there; the rest is on its way. */
export interface Coming {
  readonly header: Header;
  readonly segment: Promise<Uint8Array>;
}

type Body = ReadableStreamDefaultReader<Uint8Array>;

/** Fetcher gets segments of one revision. */
export class Fetcher {
  readonly #o: FetchOptions;

  constructor(o: FetchOptions) {
    this.#o = o;
  }

  /** run gets segments from one on, until the signal ends or nobody takes them any more. */
  async *run(first: number, signal: AbortSignal): AsyncGenerator<Coming, void> {
    const own = linked(signal);
    let next = this.begin(first, own.signal);
    try {
      for (;;) {
        const s = await next;
        next = this.begin(s.header.first + recordsOf(s.header.plain), own.signal);
        next.catch(() => undefined);
        yield s;
      }
    } finally {
      own.end(new Lost("transfer: no more segments are wanted"));
      await next.then((s) => s.segment).catch(() => undefined); // nobody reads on who is not waited for
    }
  }

  /** begin waits for a segment and reads its header. */
  async begin(first: number, signal: AbortSignal): Promise<Coming> {
    let since = this.#o.now();
    for (let wait = firstPause; ; wait = Math.min(2 * wait, mostPause)) {
      try {
        const body = await this.#open(first, 0, waitFor, signal);
        if (body === undefined) { // not there yet
          since = this.#o.now();
          wait = firstPause / 2;
          continue;
        }
        const start = await readAtLeast(body, headerSize);
        const header = parseHeader(start);
        if (header.first !== first || header.revision !== this.#o.revision) {
          await body.cancel().catch(() => undefined);
          throw new SealedError("order", `it is of record ${header.first} in revision ${header.revision}, and ${first} in ${this.#o.revision} was asked for`);
        }
        const segment = this.#rest(header, body, start, signal);
        segment.catch(() => undefined);
        return { header, segment };
      } catch (error) {
        await this.#lost(error, since, wait, signal);
      }
    }
  }

  /** rest reads the rest, over as many connections as it takes. */
  async #rest(header: Header, body: Body | undefined, start: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    const size = sizeOf(header.plain);
    const data = new Uint8Array(size);
    data.set(start.subarray(0, size));
    let at = Math.min(start.length, size);
    let since = this.#o.now();
    for (let wait = firstPause; ; wait = Math.min(2 * wait, mostPause)) {
      try {
        body ??= await this.#open(header.first, at, 0, signal);
        while (body !== undefined && at < size) {
          const { done, value } = await body.read();
          if (done) {
            throw new Lost("transfer: the segment broke off");
          }
          const part = value.subarray(0, size - at);
          data.set(part, at);
          at += part.length;
          since = this.#o.now();
          wait = firstPause;
        }
        if (at === size) {
          await body?.cancel().catch(() => undefined);
          return data;
        }
        throw new Lost("transfer: the segment is not there any more");
      } catch (error) {
        body = undefined;
        await this.#lost(error, since, wait, signal);
      }
    }
  }

  async #open(first: number, from: number, wait: number, signal: AbortSignal): Promise<Body | undefined> {
    return (await this.#o.bulk.get(this.#o.revision, first, from, wait, signal))?.getReader();
  }

  /** lost waits after an answer that broke off, as long as the phone is patient. What is no lost answer it throws. */
  async #lost(error: unknown, since: number, wait: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (error instanceof Refused && error.status === 416) {
      throw new SealedError("segment", "the server has less of it than its header says", { cause: error });
    }
    if (error instanceof Refused && error.error.reason === "TRANSFER_INCOMPLETE") { // after the seal nobody sends it again
      throw new SealedError("segment", "the server has lost it", { cause: error });
    }
    const broke = error instanceof TypeError || error instanceof DOMException; // of the body's stream
    if (!broke && !isLost(error) && !(error instanceof Refused && error.status === 429)) {
      throw error;
    }
    if (this.#o.now() - since > this.#o.patience) {
      throw unreached(error);
    }
    this.#o.retry(error, wait);
    await pause(wait, signal);
  }
}

/** readAtLeast reads until so many bytes are there. */
async function readAtLeast(body: Body, size: number): Promise<Uint8Array> {
  let read: Uint8Array = new Uint8Array();
  while (read.length < size) {
    const { done, value } = await body.read();
    if (done) {
      throw new Lost("transfer: the segment broke off");
    }
    read = read.length === 0 ? value : concat(read, value);
  }
  return read;
}
