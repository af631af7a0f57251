/** Sending one revision: what the server does not have, until it has all. */
import { type Bytes, concat } from "../bytes.js";
import { gone, unreached } from "../phone/errors.js";
import { type Bulk, Lost, Refused } from "./bulk.js";
import { linked, pause, unless } from "./cancel.js";
import { failedCheck } from "./errors.js";
import type { Source } from "./history.js";
import type { Journal } from "./journal.js";
import { entriesOf } from "./plan.js";
import type { Notes, Plan } from "./record.js";
import { type Key, maxRecords, recordSize, SealedError, sealSegment, Stream, StreamWriter } from "./sealed/index.js";
import { type Span, Spans } from "./spans.js";
import { firstPause, mostPause } from "./watch.js";

const streams = 2; // of PUT at once: a phone has little memory

/** UploadOptions are of one revision. */
export interface UploadOptions {
  readonly plan: Plan;
  readonly source: Source | undefined;
  readonly notes: Notes;
  readonly key: Key;
  readonly bulk: Bulk;
  readonly journal: Journal;
  /** What the server has had. */
  readonly stored: Spans;
  readonly patience: number;
  readonly now: () => number;
  readonly retry: (error: unknown, afterMs: number) => void;
  /** Resolves when the server has something new to say. */
  readonly news: () => Promise<void>;
}

/** Elsewhere says that the server has something else at a place than was sent: what it has is looked at anew. */
class Elsewhere extends Error {}

/** Block is a range of records on its way. */
interface Block {
  readonly first: number;
  readonly plain: Bytes;
}

/** Upload sends one revision. */
export class Upload {
  readonly #o: UploadOptions;
  #limit = maxRecords; // records a segment: fewer after a failure, more after a success
  #since = 0; // when the server was last heard of

  constructor(o: UploadOptions) {
    this.#o = o;
  }

  /** run sends what the server does not have, until it has all, and gives the stream. A SealedError "changed": another plan is needed. */
  async run(signal: AbortSignal): Promise<Stream> {
    for (;;) {
      this.#since = this.#o.now();
      const { gaps, stream } = await this.#missing(signal);
      if (gaps.length === 0) {
        return stream;
      }
      await this.#fill(gaps, signal).catch((error: unknown) => {
        if (!(error instanceof Elsewhere)) {
          throw error;
        }
      });
    }
  }

  /** missing asks what the server has, as long as the phone is patient. */
  async #missing(signal: AbortSignal): Promise<{ gaps: Span[]; stream: Stream }> {
    for (let wait = firstPause; ; wait = Math.min(2 * wait, mostPause)) {
      try {
        return await this.#list(signal);
      } catch (error) {
        await this.#lost(error, wait, signal);
      }
    }
  }

  /** list is what the server has. All of it must be this phone's: a leaf that the journal does not know was sealed by nobody who may. */
  async #list(signal: AbortSignal): Promise<{ gaps: Span[]; stream: Stream }> {
    const { plan, journal, stored } = this.#o;
    const stream = new Stream(plan.revision);
    const end = Math.ceil(plan.bytes / recordSize);
    const gaps: Span[] = [];
    let at = 0;
    for await (const s of this.#o.bulk.list(plan.revision, signal)) {
      const next = s.first + s.records;
      if (!journal.knows({ revision: plan.revision, ...s })) {
        throw new SealedError("changed", `the server has a segment at record ${s.first} that this phone has not sealed`);
      }
      if (s.first < at || next > end) {
        throw failedCheck(`the server's segments overlap at record ${s.first}`);
      }
      if (s.first > at) {
        gaps.push({ first: at, end: s.first });
      }
      stored.add({ first: s.first, end: next });
      at = next;
      if (gaps.length === 0) {
        stream.add({ revision: plan.revision, first: s.first, plain: this.#plain(s.first, s.records) }, s.leaf);
      }
    }
    if (at < end) {
      gaps.push({ first: at, end });
    }
    const again = gaps.find((g) => stored.meets(g));
    if (again !== undefined) { // the new phone may have that sealing, and another one has another leaf
      throw new SealedError("changed", `the server has lost records from ${again.first} on`);
    }
    return { gaps, stream };
  }

  /** plain is how many bytes a range of records has. */
  #plain(first: number, records: number): number {
    return Math.min(records * recordSize, this.#o.plan.bytes - first * recordSize);
  }

  /** fill reads the gaps in order and sends them over some streams at once. */
  async #fill(gaps: readonly Span[], signal: AbortSignal): Promise<void> {
    const own = linked(signal);
    const blocks = this.#read(gaps, own.signal);
    const sends = Array.from({ length: streams }, async () => {
      try {
        for (let next = await blocks.next(); !next.done; next = await blocks.next()) {
          await this.#send(next.value, own.signal);
        }
      } catch (error) {
        own.end(error); // the first one counts
      }
    });
    await Promise.all(sends);
    if (own.signal.aborted) {
      throw own.signal.reason;
    }
    own.end(undefined);
  }

  /** read gives what is in the gaps. */
  async *#read(gaps: readonly Span[], signal: AbortSignal): AsyncGenerator<Block, void> {
    const { plan, notes, source } = this.#o;
    const totals = { schema: plan.schema, objects: plan.objects, bytes: plan.content };
    const writer = new StreamWriter(totals, entriesOf(notes, plan, source));
    try {
      for (const g of gaps) {
        await writer.skipTo(g.first * recordSize);
        for (let first = g.first; first < g.end; first += maxRecords) {
          signal.throwIfAborted();
          const plain = new Uint8Array(this.#plain(first, Math.min(maxRecords, g.end - first)));
          if (await writer.read(plain) !== plain.length) {
            throw new SealedError("changed", "there is less of it than was planned");
          }
          yield { first, plain };
        }
      }
      const last = gaps[gaps.length - 1];
      if (last !== undefined && last.end * recordSize >= plan.bytes && await writer.read(new Uint8Array(1)) !== 0) {
        throw new SealedError("changed", "there is more of it than was planned");
      }
    } finally {
      await writer.close();
    }
  }

  /** send seals a block, as one segment or as several, and sends it. */
  async #send(b: Block, signal: AbortSignal): Promise<void> {
    const { plan, key, journal, stored } = this.#o;
    let wait = firstPause;
    for (let at = 0; at < b.plain.length;) {
      const first = b.first + at / recordSize;
      const part = b.plain.subarray(at, Math.min(at + this.#limit * recordSize, b.plain.length));
      const { parts, leaf } = await sealSegment(key, { revision: plan.revision, first }, part);
      const records = Math.ceil(part.length / recordSize);
      // First the journal: a segment at the server that is not in it is a stranger's.
      await journal.note({ revision: plan.revision, first, records, leaf });
      if (await this.#put(first, concat(...parts), wait, signal)) {
        stored.add({ first, end: first + records });
        this.#limit = Math.min(2 * this.#limit, maxRecords);
        wait = firstPause;
        at += part.length;
        continue;
      }
      // Smaller ones get through where a link breaks every few seconds.
      this.#limit = Math.max(1, Math.floor(records / 2));
      wait = Math.min(2 * wait, mostPause);
    }
  }

  /** put sends a segment until there is an answer that counts. false: the connection broke. */
  async #put(first: number, segment: Bytes, wait: number, signal: AbortSignal): Promise<boolean> {
    for (;;) {
      const news = this.#o.news();
      try {
        await this.#o.bulk.put(this.#o.plan.revision, first, segment, signal);
        this.#since = this.#o.now();
        return true;
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof Refused && error.status === 409) {
          throw new Elsewhere(error.message, { cause: error });
        }
        if (error instanceof Refused && error.status === 429 && !isWaitless(error)) { // the new phone has to fetch some first
          this.#since = this.#o.now();
          const after = Math.max(error.afterMs, mostPause);
          this.#o.retry(error, after);
          const own = linked(signal);
          await unless(signal, Promise.race([news, pause(after, own.signal).catch(() => undefined)])).finally(() => own.end(undefined));
          continue;
        }
        await this.#lost(error, wait, signal);
        return false;
      }
    }
  }

  /** lost waits after a call without an answer, as long as the phone is patient. What is no lost answer it throws. */
  async #lost(error: unknown, wait: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (!isLost(error)) {
      throw error;
    }
    if (this.#o.now() - this.#since > this.#o.patience) {
      throw unreached(error);
    }
    this.#o.retry(error, wait);
    await pause(wait, signal);
  }
}

/** isLost reports whether an error says that there was no answer, or one that says that the server's store is away. */
export function isLost(error: unknown): boolean {
  return error instanceof Lost || (error instanceof Refused && gone(error.error));
}

/** isWaitless reports whether waiting makes no room. */
function isWaitless(error: Refused): boolean {
  return error.error.reason === "TRANSFER_QUOTA" && error.error.retryAt === undefined;
}
