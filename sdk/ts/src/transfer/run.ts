/** One run of a loop, of either phone: what both share. */
import { type Bytes, hex, utf8 } from "../bytes.js";
import type { View } from "../gen/staunch/transfer/v1/transfer_pb.js";
import { proof } from "../phone/approve.js";
import type { Core } from "../phone/core.js";
import { reasonOf, StaunchError } from "../phone/errors.js";
import { asNeeded } from "../phone/session.js";
import type { Calling } from "../phone/transport.js";
import { Bulk, Refused } from "./bulk.js";
import { linked, pause } from "./cancel.js";
import { ended, failedCheck, isFault, MoveError } from "./errors.js";
import { tellEvery, Teller } from "./events.js";
import { backAgain, givenBack, wasAborted } from "./ends.js";
import { type MoveRecord, Notes, type Role, type StepUp } from "./record.js";
import type { Moving } from "./types.js";
import { over, stateOf, Watch } from "./watch.js";

/** Run is one call of an app's about the move of this phone in one role. */
export class Run {
  readonly core: Core;
  readonly moving: Moving;
  readonly role: Role;
  readonly notes: Notes;
  readonly tell: Teller;
  readonly signal: AbortSignal;
  /** Set by who loads it. */
  record!: MoveRecord;
  /** Set by follow, or by ask. */
  watch!: Watch;
  #following: Promise<void> | undefined;
  readonly #end: (reason: unknown) => void;
  readonly #own: AbortSignal;

  constructor(core: Core, moving: Moving, role: Role) {
    this.core = core;
    this.moving = moving;
    this.role = role;
    this.notes = new Notes(core.store, role);
    this.tell = new Teller(moving.events, core.now);
    this.signal = moving.signal ?? new AbortController().signal;
    const own = linked(this.signal);
    this.#own = own.signal;
    this.#end = own.end;
  }

  /** begun reports whether there is a move. */
  get begun(): boolean {
    return (this.record as MoveRecord | undefined) !== undefined;
  }

  /** look makes what follows the transfer at the server; it asks nothing yet. */
  look(): void {
    this.tell.transfer = this.record.transfer;
    this.watch = new Watch({
      transfer: this.record.transfer, patience: this.core.patience, now: this.core.now, lost: (error, after) => this.retry(error, after),
      ask: async (afterVersion, seconds, signal) => {
        const how: Calling = { ...unsigned(signal), impatient: true, timeoutMs: (seconds + 45) * 1000 };
        return (await this.core.calls.transfers.wait({ transfer: this.record.transfer, token: this.record.token, afterVersion, seconds }, how)).view;
      },
    });
  }

  /** ask asks the server once how the transfer stands. */
  async ask(): Promise<View> {
    this.look();
    const { transfer, token } = this.record;
    this.watch.take((await this.core.calls.transfers.wait({ transfer, token }, unsigned(this.signal))).view);
    if (this.watch.view === undefined) {
      throw failedCheck("the server answers for another move");
    }
    return this.watch.view;
  }

  /** follow watches the transfer at the server, until close. */
  follow(): void {
    this.look();
    this.#following = this.watch.run(this.#own);
  }

  /** close ends the watching. */
  async close(): Promise<void> {
    this.#end(undefined);
    await this.#following;
  }

  /** resumed tells that the move goes on, and where it is. */
  async resumed(): Promise<void> {
    const view = await this.watch.until(this.signal, () => true);
    this.tell.tell({ event: "resumed", state: stateOf(view), done: Number(view.bytesAcked) });
  }

  /** retry tells that a call is made again. */
  retry(error: unknown, afterMs: number): void {
    this.tell.tell({ event: "retry", reason: reasonOf(error instanceof Refused ? error.error : error).toLowerCase() || "unreachable", afterMs });
  }

  /** bulk carries this transfer's segments. */
  bulk(): Bulk {
    return new Bulk({ url: this.core.url, app: this.core.state.app, transfer: this.record.transfer, token: this.record.token, fetch: this.core.fetch });
  }

  /** save writes half and record down, with what hangs on them. */
  async save(half: { marshal(): Bytes | Promise<Bytes> }, more: Readonly<Record<string, unknown>> = {}): Promise<void> {
    this.record.half = await half.marshal();
    await this.notes.save(this.record, more);
  }

  /** signed makes a call that needs the session, which is renewed as the server wants it. An end that it tells of is a MoveError. */
  async signed<T extends { view?: View | undefined }>(fn: (how: Calling) => Promise<T>): Promise<T> {
    return this.#took(asNeeded(this.core, () => fn({ signal: this.signal })));
  }

  /** plain makes a call that bears the token of this side alone. */
  async plain<T extends { view?: View | undefined }>(fn: (how: Calling) => Promise<T>): Promise<T> {
    return this.#took(fn(unsigned(this.signal)));
  }

  async #took<T extends { view?: View | undefined }>(call: Promise<T>): Promise<T> {
    try {
      const res = await call;
      (this.watch as Watch | undefined)?.take(res.view);
      return res;
    } catch (cause) {
      this.signal.throwIfAborted();
      throw refusal(cause);
    }
  }

  /**
   * better says why a segment is not to be had, or not wanted, where the server says no more than that: the signal ends with
   * what the watching hears.
   */
  async better(signal: AbortSignal, error: unknown): Promise<unknown> {
    if (!(error instanceof Refused) || error.status !== 410) {
      return error;
    }
    await this.watch.ask(0, signal).catch(() => undefined);
    const end = over(this.watch.view);
    if (end !== undefined) {
      return end;
    }
    await pause(2 * tellEvery, signal).catch(() => undefined);
    return signal.aborted ? signal.reason : error;
  }

  /**
   * audienceFits refuses a server that speaks for another app than this phone's, or under
   * another name than those that this phone has for it: whoever runs the server of one phone
   * could name the other's, and be what stands between two (spec/transfer.md, section 7).
   */
  audienceFits(audience: string): void {
    const { core } = this;
    const own = core.state.app;
    if (!/^[^@]+@.+$/.test(audience) || (own !== "" && appOf(audience) !== own)) {
      throw failedCheck(`the server speaks for ${JSON.stringify(audience.slice(0, 80))}, and this phone's app is ${JSON.stringify(own)}`);
    }
    const host = audience.slice(audience.indexOf("@") + 1);
    if (!core.named(host)) {
      throw failedCheck(`the server calls itself ${JSON.stringify(host.slice(0, 80))}, and this phone asked ${core.url}: if both are one, name the first in the phone's option hosts`);
    }
  }

  /** stepUp has the person approve one of the actions of a move, over a value of its transcript. */
  async stepUp(action: "move.approve" | "move.recall" | "move.finish", value: Uint8Array, show: (text: string) => void | Promise<void>): Promise<StepUp> {
    try {
      const p = await proof(this.core, action, { transfer: this.record.transfer, value: hex(value) }, show);
      return { approval: p.approval, assertion: utf8(p.response) };
    } catch (cause) {
      throw refusal(cause);
    }
  }

  /** cancel ends the transfer for both phones, and throws why: it may have ended otherwise in the meantime. */
  async cancel(why: string, cause: unknown): Promise<never> {
    let told = why;
    try { // the person's interruption is no reason not to tell the other phone
      const res = await this.core.calls.transfers.cancel({ transfer: this.record.transfer, token: this.record.token, reason: why }, { unsigned: true });
      told = res.view?.reason || why;
    } catch (error) {
      if (reasonOf(error) === "TRANSFER_ENDED") {
        told = (error as StaunchError).ended || why;
      }
    }
    await this.settleEnd("aborted", told);
    throw cause instanceof MoveError ? cause : ended("aborted", told, cause);
  }

  /** settleEnd does what an end that the server tells of asks of this phone: nothing that cannot be undone. */
  async settleEnd(state: string, why: string): Promise<void> {
    if (state === "recalled") {
      await (this.role === "sender" ? backAgain(this) : givenBack(this));
    } else {
      await wasAborted(this, why);
    }
  }

  /** ended does what an error asks of this phone that says how the move has ended, and gives what to throw. */
  async ended(error: unknown): Promise<unknown> {
    if (isFault(error, "ended") && this.record.state !== error.state) {
      await this.settleEnd(error.state, error.why);
    }
    return error;
  }
}

/** unsigned is how a call is made that bears a token of its own. */
export function unsigned(signal: AbortSignal): Calling {
  return { unsigned: true, signal };
}

/** refusal is a call's error; an end that it tells of is a MoveError. */
export function refusal(error: unknown): unknown {
  const e = error instanceof Refused ? error.error : error;
  return e instanceof StaunchError && e.reason === "TRANSFER_ENDED" ? ended(e.state || "aborted", e.ended, e) : error;
}

/** appOf is the app that an audience names: app ID "@" host. */
export function appOf(audience: string): string {
  return audience.slice(0, Math.max(audience.indexOf("@"), 0));
}

/** isStale reports whether an approval, which was confirmed before a crash, came too late: it counts for minutes, and once. */
export function isStale(error: unknown): boolean {
  return ["APPROVAL_EXPIRED", "APPROVAL_NOT_FOUND", "APPROVAL_USED", "PASSKEY_CEREMONY_EXPIRED", "PASSKEY_CEREMONY_USED"].includes(reasonOf(error));
}
