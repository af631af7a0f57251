/** The new phone's stream: opening segments and handing what is in them to the importer. */
import type { Bytes } from "../bytes.js";
import { TransferState } from "../gen/staunch/transfer/v1/transfer_pb.js";
import { checked, isFault, MoveError } from "./errors.js";
import { type Coming, Fetcher } from "./fetch.js";
import { HandoverError, type Receiver, Secret } from "./handover/index.js";
import type { Importer } from "./history.js";
import { type Run, unsigned } from "./run.js";
import { Key, type Opened, openSegment, recordSize, SealedError, Stream, StreamReader } from "./sealed/index.js";
import { reached } from "./watch.js";

const toldBytes = 64 << 20; // so many bytes, or
const toldTime = 2000; // so many ms, may pass until the server is told what is durable

/** Mark is a checkpoint: all before it is durable in staging. */
interface Mark {
  readonly revision: number;
  readonly stream: Bytes;
  readonly reader: Bytes;
  readonly importer: unknown;
}

/** Taken is a whole stream. */
export interface Taken {
  readonly stream: Stream;
  readonly reader: StreamReader;
}

/** Revised says that the current phone has begun anew. */
class Revised extends Error {}

/** take gets the history, until its end has come. */
export async function take(run: Run, importer: Importer, half: Receiver): Promise<Taken> {
  const held = await run.watch.until(run.signal, (v) => reached(v, TransferState.HELD));
  if (held.state === TransferState.HELD) {
    run.tell.tell({ event: "held", until: new Date(Number(held.opensAt?.seconds ?? 0n) * 1000), reasons: held.holdReasons });
    run.tell.phase("hold");
  }
  const view = await run.watch.until(run.signal, (v) => reached(v, TransferState.STREAMING) && v.holdShare.length > 0);
  let key: Key;
  try {
    key = Key.of(await half.bulkKey(Secret.of(view.holdShare)));
  } catch (cause) {
    return run.cancel("integrity", checked(cause));
  }
  try {
    for (;;) {
      try {
        return await new Taking(run, importer, key).run();
      } catch (error) {
        if (error instanceof Revised) {
          restarted(run);
        } else if (isBroken(error)) { // never quarantined: this is not what the old phone has sealed
          await run.cancel("integrity", checked(error));
        } else if (isFault(error, "no_space")) {
          await run.cancel("no_space", error);
        } else {
          throw error;
        }
      }
    }
  } finally {
    key.wipe();
  }
}

/** restarted tells that the current phone has begun anew. */
export function restarted(run: Run): void {
  run.tell.tell({ event: "restarted", revision: run.watch.view?.revision ?? 0, reason: "the history has changed on the old phone" });
}

/** isBroken reports whether a stream cannot be what the current phone has sealed. */
function isBroken(error: unknown): boolean {
  return (error instanceof SealedError && ["record", "item", "order", "segment"].includes(error.code)) || error instanceof HandoverError;
}

/** Taking takes one revision, from where it was. */
class Taking {
  readonly #run: Run;
  readonly #importer: Importer;
  readonly #key: Key;
  #stream!: Stream;
  #reader!: StreamReader;
  #told = 0; // records of which the server knows that they are durable
  #toldAt = 0;

  constructor(run: Run, importer: Importer, key: Key) {
    this.#run = run;
    this.#importer = importer;
    this.#key = key;
  }

  async run(): Promise<Taken> {
    const run = this.#run;
    const revision = run.watch.view?.revision ?? 0;
    const stop = (v: { revision: number }): unknown => (v.revision === revision ? undefined : new Revised());
    return run.watch.watched(run.signal, stop, async (signal) => {
      await this.#resume(revision, signal);
      const fetcher = new Fetcher({
        bulk: run.bulk(), revision, patience: run.core.patience, now: run.core.now, retry: (error, after) => run.retry(error, after),
      });
      if (!this.#complete()) {
        try {
          for await (const s of fetcher.run(this.#stream.records, signal)) {
            await this.#segment(fetcher, s, signal);
            if (this.#complete()) {
              break;
            }
            if ((this.#stream.records - this.#told) * recordSize >= toldBytes || run.core.now() - this.#toldAt >= toldTime) {
              await this.#received(signal);
            }
          }
        } catch (error) {
          throw await run.better(signal, error);
        }
      }
      await this.#received(signal);
      return { stream: this.#stream, reader: this.#reader };
    });
  }

  #complete(): boolean {
    try {
      this.#reader.close();
      return true;
    } catch {
      return false;
    }
  }

  /** segment opens one and takes it apart. What does not open is fetched once more: it may have come in pieces of two sealings. */
  async #segment(fetcher: Fetcher, s: Coming, signal: AbortSignal): Promise<void> {
    const data = await s.segment;
    let opened: Opened;
    try {
      opened = await openSegment(this.#key, data);
    } catch (error) {
      if (!(error instanceof SealedError)) {
        throw error;
      }
      opened = await openSegment(this.#key, await (await fetcher.begin(s.header.first, signal)).segment);
    }
    this.#stream.add(opened.header, opened.leaf);
    for (const record of opened.records) {
      await this.#reader.write(record);
    }
    const mark: Mark = {
      revision: this.#stream.revision, importer: await this.#importer.checkpoint(), stream: this.#stream.marshal(), reader: this.#reader.marshal(),
    };
    await this.#run.notes.write({ checkpoint: mark });
    this.#show();
  }

  /** resume goes on from the last checkpoint of this revision. */
  async #resume(revision: number, signal: AbortSignal): Promise<void> {
    const mark = (await this.#run.notes.read("checkpoint")) as Mark | undefined;
    if (mark === undefined || mark.revision !== revision) {
      this.#stream = new Stream(revision);
      this.#reader = await StreamReader.open(this.#importer);
      await this.#importer.resume(undefined);
      await this.#run.notes.write({ checkpoint: undefined });
      this.#show();
      return;
    }
    this.#stream = Stream.unmarshal(mark.stream);
    this.#reader = await StreamReader.resume(this.#importer, mark.reader);
    await this.#importer.resume(mark.importer);
    this.#show();
    await this.#received(signal);
  }

  /** received tells what is durable: the server may delete it then. */
  async #received(signal: AbortSignal): Promise<void> {
    const { record, core, watch } = this.#run;
    this.#told = this.#stream.records;
    this.#toldAt = core.now();
    try {
      const res = await core.calls.transfers.received(
        { transfer: record.transfer, token: record.token, revision: this.#stream.revision, record: BigInt(this.#told) }, unsigned(signal));
      watch.take(res.view);
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    }
  }

  #show(): void {
    const { record, watch, tell } = this.#run;
    record.done = this.#stream.bytes;
    record.total = Math.max(Number(watch.view?.bytesExpected ?? 0n), record.done);
    tell.update({
      phase: "copy", revision: this.#stream.revision, done: record.done, total: record.total, objects: this.#reader.objects,
      objectsTotal: this.#reader.totals.objects,
    });
  }
}

/** noSpace is a full disk as a MoveError, for importers. */
export function noSpace(cause: unknown): unknown {
  return cause instanceof DOMException && cause.name === "QuotaExceededError"
    ? new MoveError("no_space", "there is no room on this phone: make room and do the same again", { cause }) : cause;
}
