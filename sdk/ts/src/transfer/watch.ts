/**
 * Following a transfer as the server shows it. Nothing of it is believed: an envelope is checked by who takes it.
 */
import { TransferState, type View } from "../gen/staunch/transfer/v1/transfer_pb.js";
import { gone, reasonOf, unreached } from "../phone/errors.js";
import { linked, Door, pause, unless } from "./cancel.js";
import { checked, ended, failedCheck, type MoveError } from "./errors.js";
import { decodeEnvelope, type Envelope, type Step } from "./handover/index.js";

const watchFor = 25; // seconds that one Wait may last
export const firstPause = 100; // ms between two tries
export const mostPause = 2000;

const steps: readonly string[] = ["offer", "hello", "answer", "matched", "confirm", "grant", "receipt", "ack", "recall", "final"];

/** WatchOptions are of one transfer. */
export interface WatchOptions {
  readonly transfer: string;
  /** Asks the server once: what is newer than a version, after at most so many seconds. */
  readonly ask: (afterVersion: bigint, seconds: number, signal: AbortSignal) => Promise<View | undefined>;
  /** ms that the server may be away. */
  readonly patience: number;
  readonly now: () => number;
  /** Told when the server does not answer. */
  readonly lost: (error: unknown, afterMs: number) => void;
}

/** Watch follows one transfer. */
export class Watch {
  readonly #o: WatchOptions;
  readonly #envelopes = new Map<string, Uint8Array>();
  #view: View | undefined;
  #error: unknown;
  #news = new Door();

  constructor(o: WatchOptions) {
    this.#o = o;
  }

  /** run watches until the signal ends, the server is away for longer than the patience, or it knows no such transfer. */
  async run(signal: AbortSignal): Promise<void> {
    let wait = firstPause;
    let since = this.#o.now();
    while (!signal.aborted) {
      try {
        await this.ask(watchFor, signal);
        wait = firstPause;
        since = this.#o.now();
        continue;
      } catch (error) {
        if (signal.aborted) {
          return;
        }
        if (reasonOf(error) === "RATE_LIMITED") {
          wait = mostPause;
          since = this.#o.now();
        } else if (!gone(error)) {
          this.#end(error);
          return;
        } else if (this.#o.now() - since > this.#o.patience) {
          this.#end(unreached(error));
          return;
        }
        this.#o.lost(error, wait);
      }
      await pause(wait, signal).catch(() => undefined);
      wait = Math.min(2 * wait, mostPause);
    }
  }

  /** ask asks once. */
  async ask(seconds: number, signal: AbortSignal): Promise<void> {
    this.take(await this.#o.ask(this.#view?.version ?? 0n, seconds, signal));
  }

  /** take notes a view, from Wait or from another call's answer. */
  take(view: View | undefined): void {
    if (view === undefined || view.transfer !== this.#o.transfer || (this.#view !== undefined && view.version < this.#view.version)) {
      return; // an older answer, which came later
    }
    for (const e of view.envelopes) {
      if (steps.includes(e.step)) { // one of each, however many the server makes up
        this.#envelopes.set(e.step, e.bytes);
      }
    }
    this.#view = view;
    this.#ring();
  }

  /** view is the newest one, which may not be there. */
  get view(): View | undefined {
    return this.#view;
  }

  /** error is why the watching has ended. */
  get error(): unknown {
    return this.#error;
  }

  /** news resolves when there is something newer. */
  get news(): Promise<void> {
    return this.#news.opened;
  }

  /** until waits until fn is content with a view. A transfer that ends first throws a MoveError "ended". */
  async until(signal: AbortSignal, fn: (view: View) => boolean): Promise<View> {
    for (;;) {
      const view = this.#view;
      const news = this.news;
      if (view !== undefined && fn(view)) {
        return view;
      }
      const end = over(view);
      if (end !== undefined) {
        throw end;
      }
      if (this.#error !== undefined) {
        throw this.#error;
      }
      await unless(signal, news);
    }
  }

  /**
   * watched does fn while the transfer goes on as fn needs it: the signal that fn gets ends with what is thrown by stop, or
   * with the end that the server tells of.
   */
  async watched<T>(signal: AbortSignal, stop: (view: View) => unknown, fn: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const own = linked(signal);
    let why: unknown;
    const looking = this.until(own.signal, (v) => (why = stop(v)) !== undefined).then(() => own.end(why), (error: unknown) => own.end(error));
    try {
      return await fn(own.signal);
    } finally {
      own.end(undefined);
      await looking;
    }
  }

  /** has reports whether a message of the other phone is there. */
  has(step: Step): boolean {
    return this.#envelopes.has(step);
  }

  /** envelope waits for a message of the other phone. */
  async envelope(signal: AbortSignal, step: Step): Promise<Envelope> {
    await this.until(signal, () => this.has(step));
    return this.seen(step);
  }

  /** seen is a message that has come. */
  seen(step: Step): Envelope {
    const bytes = this.#envelopes.get(step);
    if (bytes === undefined) {
      throw failedCheck(`the server shows no ${step}`);
    }
    try {
      return decodeEnvelope(bytes);
    } catch (cause) {
      throw checked(cause);
    }
  }

  #end(error: unknown): void {
    this.#error = error;
    this.#ring();
  }

  #ring(): void {
    const old = this.#news;
    this.#news = new Door();
    old.open();
  }
}

/** over is the end without a move that a view tells of, or undefined. */
export function over(view: View | undefined): MoveError | undefined {
  return view?.state === TransferState.ABORTED || view?.state === TransferState.RECALLED ? ended(stateOf(view), view.reason) : undefined;
}

/** stateOf is the state's name: "offered" … "aborted". */
export function stateOf(view: View): string {
  return (TransferState[view.state] ?? "").toLowerCase();
}

/** reached reports whether a transfer is in a state or one that follows it without an end. */
export function reached(view: View | undefined, state: TransferState): boolean {
  return view !== undefined && view.state >= state && view.state <= TransferState.FINAL;
}
