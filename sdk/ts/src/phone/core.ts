/**
 * Core is the half of a phone that its flows share: what it knows, how it calls,
 * how it asks the person. Apps use Phone; the flows of this package use this.
 */
import type { CallOptions } from "@connectrpc/connect";

import type { Bytes } from "../bytes.js";
import { base64url } from "../bytes.js";
import { type Signed } from "../gen/staunch/account/v1/nouns_pb.js";
import { addressOf, Names } from "./address.js";
import { gone, neverSent, StaunchError, typed, unreached } from "./errors.js";
import type { DeviceKey, Hardware, NewKey, Passkeys, Store } from "./ports.js";
import { sign } from "./request.js";
import { type Kept, none, parseState, type PhoneState, stateName, stored, Token } from "./state.js";
import { stripped } from "./strip.js";
import { type Calling, type Calls, makeCalls, type Send, sendBy } from "./transport.js";
import { aborted, firstPause, mostPause, wait } from "./tries.js";

/** PhoneOptions are what Phone.open takes. */
export interface PhoneOptions {
  /** Of the server: "https://accounts.example.org". http is for this machine alone. */
  readonly url: string;
  /** The id of the app; absent: that of the state, or the only one that the server has. */
  readonly app?: string;
  /**
   * Names of the server besides that in url, without port. A move names the first of the app's
   * hosts in the server's configuration; where url has another one, it has to be here.
   * Compiled in, like url.
   */
  readonly hosts?: readonly string[];
  readonly hardware: Hardware;
  readonly passkeys: Passkeys;
  readonly store: Store;
  /** How long a call is tried again while the server cannot be reached, in milliseconds; absent: 30,000. */
  readonly patience?: number;
  /** Makes the connections; absent: the platform's. */
  readonly fetch?: typeof fetch;
  /** The clock, in milliseconds since 1970; absent: the platform's. */
  readonly now?: () => number;
}

const clockSlack = 5_000; // how far our clock may be off before it is corrected

/** Calls that a lost answer makes uncertain: their flow finds out what has become of them. */
const finishes: ReadonlySet<string> = new Set([
  "FinishEnrol", "FinishSignIn", "FinishStepUp", "FinishAdd", "FinishJoin", "RequestJoin", "ConfirmAction", "Veto",
  "Reattest", "LeaveDevice", "StartRecovery", "FinishRecovery",
]);

export class Core {
  readonly url: string;
  readonly #names: Names;
  readonly store: Store;
  readonly hardware: Hardware;
  readonly passkeys: Passkeys;
  /** Milliseconds. */
  readonly patience: number;
  /** Neither signed nor bounded: for what has credentials of its own. */
  readonly fetch: typeof fetch;
  readonly now: () => number;
  readonly calls: Calls;
  /** signed sends a request with key, session and app; plain with the app alone. */
  readonly signed: Send;
  readonly plain: Send;

  readonly #send: Send;
  #state: Kept;
  #key: DeviceKey | undefined;
  #clock = 0; // what to add to our clock to get the server's, ms
  #turn: Promise<unknown> = Promise.resolve(); // the last call with a key that counts

  private constructor(o: PhoneOptions, state: Kept, key: DeviceKey | undefined) {
    this.url = addressOf(o.url);
    this.#names = new Names(this.url, o.hosts);
    this.store = o.store;
    this.hardware = o.hardware;
    this.passkeys = o.passkeys;
    this.patience = o.patience ?? 30_000;
    this.fetch = o.fetch ?? ((input, init) => fetch(input, init));
    this.now = o.now ?? Date.now;
    this.#state = o.app === undefined ? state : { ...state, app: o.app };
    this.#key = key;
    const send = this.#send = sendBy(this.fetch);
    this.plain = (url, init) => {
      this.#identify(init.headers);
      return send(url, init);
    };
    this.signed = (url, init) => this.#signed(this.#key, url, init);
    this.calls = this.#calls(this.signed);
  }

  #calls(signed: Send): Calls {
    return makeCalls(this.url, signed, this.plain, (method, options, call) => this.#patiently(method, options, call));
  }

  /** callsBy are calls that another key signs than the phone's own. */
  callsBy(key: DeviceKey): Calls { return this.#calls((url, init) => this.#signed(key, url, init)); }

  /** open reads the state of a store and opens its key. */
  static async open(o: PhoneOptions): Promise<Core> {
    if (o.patience !== undefined && !(o.patience >= 0)) {
      throw new StaunchError("OPTIONS", "client: options: patience is a number of milliseconds");
    }
    const state = parseState(await o.store.read(stateName));
    if (o.app !== undefined && state.app !== "" && state.app !== o.app) {
      throw new StaunchError("OPTIONS", `client: options: app is ${o.app}, and the store is of app ${state.app}`);
    }
    const key = state.key === "" ? undefined : await o.hardware.open(state.key);
    if (key !== undefined && key.id !== state.key) {
      throw new StaunchError("STORE", `client: the store is of key ${state.key}, and the hardware opens ${key.id}`);
    }
    return new Core(o, state, key);
  }

  get state(): PhoneState {
    const { token: _, ...shown } = this.#state;
    return shown;
  }

  get signedOut(): boolean { return this.#state.token === undefined; }

  /** The key that calls are signed with; undefined: there is none yet. */
  get key(): DeviceKey | undefined { return this.#key; }

  /** change alters the state and writes it down, together with more. */
  async change(changes: Partial<Kept>, more: Readonly<Record<string, unknown>> = {}): Promise<void> {
    this.#state = { ...this.#state, ...changes };
    await this.store.write({ [stateName]: stored(this.#state), ...more });
  }

  /** forget ends this phone: account, session and key. App and clock stay. */
  async forget(more: Readonly<Record<string, unknown>> = {}): Promise<void> {
    this.#key = undefined;
    await this.change({ ...none, app: this.#state.app, began: undefined, next: undefined, token: undefined }, more);
  }

  /** serverNow is the time by the server's clock, as far as we know it. */
  serverNow(): Date { return new Date(this.now() + this.#clock); }

  /** named says whether a host is a name that this phone has for its server. */
  named(host: string): boolean { return this.#names.has(host); }

  /** newKey has the hardware make a key over the challenge, and signs with it from now on. The next change writes its id down. */
  async newKey(app: string, challenge: Uint8Array): Promise<NewKey> {
    if (app === "" || (this.#state.app !== "" && this.#state.app !== app)) {
      throw new StaunchError("MISMATCH", `client: asked for app ${JSON.stringify(this.#state.app)}, and the server answers for app ${JSON.stringify(app)}`);
    }
    const made = await this.hardware.newKey(challenge as Bytes);
    this.#key = made.key;
    this.#state = { ...this.#state, app, key: made.key.id };
    return made;
  }

  /** adopt makes a key the phone's, in the place of the one before. */
  async adopt(key: DeviceKey): Promise<void> {
    this.#key = key;
    await this.change({ key: key.id, next: undefined });
  }

  /** keepSession writes down what a flow has left. changes are for the rest of the state. Whose phone this is no server changes. */
  async keepSession(m: Signed | undefined, changes: Partial<Kept> = {}, more: Readonly<Record<string, unknown>> = {}): Promise<void> {
    if (m === undefined) {
      throw new StaunchError("ANSWER", "client: the server's answer has no session");
    }
    const token = new Token(m.token);
    const { began, account } = this.#state;
    const mine = began === undefined ? account : began.account ?? "";
    if (mine !== "" && m.account !== mine) {
      throw new StaunchError("MISMATCH", `client: this phone is of account ${mine}, and the server signs it in to ${JSON.stringify(m.account.slice(0, 40))}`);
    }
    await this.change({ account: m.account, device: m.device, passkey: m.passkey, session: m.session, token, ...changes }, more);
  }

  /** dropSession forgets the session, for one that has ended fails every call. */
  async dropSession(): Promise<void> {
    if (!this.signedOut) {
      await this.change({ session: "", token: undefined });
    }
  }

  /** create asks the person for a new passkey. Secrets are taken out of the answer. Both are JSON. */
  async create(options: string): Promise<string> {
    return stripped(await this.#ask("new passkey", () => this.passkeys.create(optionsOf(options))));
  }

  /** get asks the person for a passkey. Secrets are taken out of the answer. Both are JSON. */
  async get(options: string): Promise<string> {
    return stripped(await this.#ask("passkey", () => this.passkeys.get(optionsOf(options))));
  }

  async #ask<T>(what: string, fn: () => Promise<T>): Promise<T> {
    try {
      return await fn();
    } catch (cause) {
      throw cause instanceof StaunchError ? cause : new StaunchError("PASSKEY", `client: ${what}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    }
  }

  /** correct takes the server's time from a refusal of our proof, if our clock is off by more than the network may take. */
  correct(err: unknown): boolean {
    if (!(err instanceof StaunchError) || err.reason !== "PROOF_INVALID" || err.serverTime === undefined) {
      return false;
    }
    const off = err.serverTime.getTime() - this.serverNow().getTime();
    this.#clock += Math.abs(off) < clockSlack ? 0 : off;
    return Math.abs(off) >= clockSlack;
  }

  #identify(headers: Headers): void {
    if (this.#state.app !== "") {
      headers.set("staunch-app", this.#state.app);
    }
  }

  /** Session and app are put in first, so that the signature covers them. */
  async #signed(key: DeviceKey | undefined, url: URL, init: Parameters<Send>[1]): Promise<Response> {
    if (key === undefined) {
      throw new StaunchError("NOT_ENROLLED", "client: this phone has no account: enrol or join first");
    }
    this.#identify(init.headers);
    if (this.#state.token !== undefined) {
      init.headers.set("authorization", `Staunch ${this.#state.token.reveal()}`);
    }
    return this.inTurn(key, async () => {
      await this.signWith(key, url, init);
      return this.#send(url, init);
    });
  }

  /** signWith signs a request that is about to be sent. */
  async signWith(key: DeviceKey, url: URL, init: Parameters<Send>[1]): Promise<void> {
    try {
      const { body, headers, method = "GET" } = init;
      await sign({ method, url, headers, ...(body === undefined ? {} : { body }) }, { keyId: key.id, sign: (base) => key.sign(base), created: this.serverNow() });
    } catch (cause) {
      throw cause instanceof StaunchError ? cause : new StaunchError("SIGNING", `client: the call cannot be signed: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    }
  }

  /** inTurn runs fn when the call before it has been answered, if the key counts: the server refuses a number that is not higher than the last one. */
  inTurn<T>(key: DeviceKey, fn: () => Promise<T>): Promise<T> {
    if (!key.counts) {
      return fn();
    }
    const mine = this.#turn.then(fn);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  /** Each try is signed anew. What may have been done although no answer came is not repeated here: its flow knows better. */
  async #patiently<T>(method: string, { impatient, unsigned: _, ...o }: Calling, call: (o: CallOptions) => Promise<T>): Promise<T> {
    if (impatient) {
      return call(o).catch((err: unknown) => { throw typed(err); });
    }
    const end = this.now() + this.patience;
    for (let pause = firstPause, corrected = false; ; pause = Math.min(2 * pause, mostPause)) {
      try {
        return await call({ ...o, timeoutMs: Math.max(end - this.now(), 1) });
      } catch (cause) {
        const err = typed(cause);
        if (o.signal?.aborted) {
          throw aborted(o.signal);
        }
        if (!corrected && this.correct(err)) {
          corrected = true;
          continue;
        }
        if (!gone(err)) {
          throw err;
        }
        if ((!neverSent(err) && err.reason !== "STORE_AWAY" && finishes.has(method)) || this.now() + pause >= end) {
          throw unreached(err);
        }
      }
      await wait(pause, o.signal);
    }
  }
}

function optionsOf<T>(json: string): T {
  const v = JSON.parse(json) as { publicKey?: T };
  return v.publicKey ?? (v as T);
}

/** lower is the name of an enumeration's value as this package gives it: "active" for State.ACTIVE; empty for the value without a meaning. */
export function lower<E extends Record<string, string | number>>(names: E, value: number): string {
  const name = names[value];
  return typeof name !== "string" || name === "UNSPECIFIED" ? "" : name.toLowerCase();
}

/** id is the id that the server has for a key of Android's: SHA-256 of its SubjectPublicKeyInfo in base64url. */
export async function keyId(spki: Bytes): Promise<string> {
  return base64url(new Uint8Array(await crypto.subtle.digest("SHA-256", spki)));
}
