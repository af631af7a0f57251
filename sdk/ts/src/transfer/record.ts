/** What a phone writes down of a move before it tells anybody, and after each step. */
import type { Bytes } from "../bytes.js";
import type { Store } from "../phone/ports.js";
import { ended, MoveError } from "./errors.js";
import type { Moved, Peer } from "./types.js";

/** Role is which phone this is. */
export type Role = "sender" | "receiver";

/** StepUp is an approval of the owner's, and his passkey's answer to it as JSON. */
export interface StepUp {
  readonly approval: string;
  readonly assertion: Bytes;
}

/** Plan is one frozen list of what is sent, whose entries are in pages of their own. */
export interface Plan {
  readonly revision: number;
  readonly schema: number;
  readonly objects: number;
  /** Of all contents. */
  readonly content: number;
  /** Of the whole stream. */
  readonly bytes: number;
  readonly pages: number;
}

/** Result is what is known of a finished move. */
export type Result = { -readonly [K in keyof Moved]: Moved[K] };

/**
 * MoveRecord is the move of one role. It holds keys. With it a phone that was killed sends the same bytes again. It is a
 * value of structured clone.
 */
export interface MoveRecord {
  v: 1;
  transfer: string;
  app: string;
  /** C: until its half is there. N: while it is shown. */
  uri?: string;
  token: Bytes;
  /** Of folder handover. */
  half?: Bytes;
  audience?: string;

  // N.
  /** Of the code, in ms by N's clock. */
  until?: number;
  /** Of its passkey. */
  ceremony?: string;
  /** The number was. */
  typed?: boolean;
  /** The answer to that ceremony. */
  passkey?: Bytes;
  receipt?: { root: Bytes; bytes: number; objects: number; quarantined: number };
  /** Public key that was opened. */
  sealing?: Bytes;
  /** That the current phone has named. */
  account?: string;
  /** Until then a recall wipes, in ms by N's clock; one that comes later does not. */
  recallBy?: number;

  // C.
  /** Which history. */
  source?: string;
  /** Of Confirm. */
  stepUp?: StepUp;
  plan?: Plan;
  /** ms. */
  recallWindow?: number;
  class?: string;
  /** That was granted. */
  root?: Bytes;
  peer?: Peer;

  // How far it is, beside what half says. Each is set when it has been done.
  /** C has signed itself out. */
  left?: boolean;
  /** N has stored keys and history. */
  placed?: boolean;
  /** ms, by C's clock. */
  ackedAt?: number;
  /** Nothing is left to do but for what ends the window. */
  closed?: boolean;
  /** C after final, N after a recall. */
  wiped?: boolean;
  /** As the server has said last. */
  state?: string;
  /** Of "aborted". */
  reason?: string;
  result?: Result;
  done: number;
  total: number;
}

const version = 1;

/** Notes is where the move of one role is written down: its record, and what hangs on it. */
export class Notes {
  readonly role: Role;
  readonly #store: Store;

  constructor(store: Store, role: Role) {
    this.#store = store;
    this.role = role;
  }

  /** name is the name of something of this move. */
  name(what: string): string {
    return `move/${this.role === "sender" ? "send" : "receive"}/${what}`;
  }

  /** load reads the move; without one it gives undefined. */
  async load(): Promise<MoveRecord | undefined> {
    const read = (await this.read("move")) as MoveRecord | undefined;
    if (read !== undefined && read.v !== version) {
      throw new MoveError("other_move", `a move of version ${String(read.v)}; this app reads version ${version}: use the app that began it`);
    }
    return read;
  }

  /** read reads something of the move. */
  read(what: string): Promise<unknown> {
    return this.#store.read(this.name(what));
  }

  /** save writes the move down, and with it, whole or not at all, something of it. undefined deletes. */
  save(record: MoveRecord, more: Readonly<Record<string, unknown>> = {}): Promise<void> {
    return this.write({ ...more, move: record });
  }

  /** write writes something of the move down. */
  write(changes: Readonly<Record<string, unknown>>): Promise<void> {
    return this.#store.write(this.named(changes));
  }

  /** named are changes under the names that they have in the Store. */
  named(changes: Readonly<Record<string, unknown>>): Record<string, unknown> {
    return Object.fromEntries(Object.entries(changes).map(([what, value]) => [this.name(what), value]));
  }
}

/** isOver reports whether nothing can follow any more, so that another move may take its place. */
export function isOver(record: MoveRecord): boolean {
  return record.state === "aborted" || record.state === "recalled" || record.state === "final";
}

/** endOf is how a move without a result has ended, or undefined. */
export function endOf(record: MoveRecord): MoveError | undefined {
  return record.state === "aborted" || record.state === "recalled" ? ended(record.state, record.reason ?? "") : undefined;
}

/** newToken is one side's secret for the calls of a transfer. */
export function newToken(): Bytes {
  return crypto.getRandomValues(new Uint8Array(32));
}
