/** What a phone keeps between two runs beside its keys. */
import { StaunchError } from "./errors.js";

/** Began is a flow that brings a new key and has not ended. The key is kept before the server hears of it, so that a phone that dies in between finds out what has become of it. */
export interface Began {
  readonly flow: "enrol" | "join" | "recover" | "move";
  readonly account?: string;
  readonly join?: string;
  readonly code?: string;
  readonly number?: string;
  readonly expiresAt?: Date;
}

/** PhoneState is what can be shown of it. Texts are empty where there is none. */
export interface PhoneState {
  readonly app: string;
  readonly account: string;
  readonly device: string;
  readonly passkey: string;
  readonly session: string;
  /** The id of the attested key. */
  readonly key: string;
  /** The key that a reattest brings and has not ended with. Until then the server may still hear of it. */
  readonly next?: { readonly key: string; readonly until: Date };
  readonly began?: Began;
}

/** Token is a session's secret. It prints as [redacted]. */
export class Token {
  readonly #secret: string;

  constructor(secret: string) {
    if (!/^[\x21-\x7e]+$/.test(secret)) {
      throw new StaunchError("ANSWER", "client: the server's answer has no session token");
    }
    this.#secret = secret;
  }

  /** The secret itself: for the header field and the store, and nothing else. */
  reveal(): string { return this.#secret; }
  toString(): string { return "[redacted]"; }
  toJSON(): string { return "[redacted]"; }
  [Symbol.for("nodejs.util.inspect.custom")](): string { return "[redacted]"; }
}

/** Kept is the state with its secret. */
export interface Kept extends PhoneState {
  readonly token?: Token;
}

/** stateName is the state's name in the store. */
export const stateName = "phone/state";

/** none is the state of a phone that has done nothing yet. */
export const none: Kept = { app: "", account: "", device: "", passkey: "", session: "", key: "" };

/** stored is the value that the store has of a state. */
export function stored(s: Kept): unknown {
  const { token, ...rest } = s;
  return { v: 1, ...rest, token: token?.reveal() ?? "" };
}

/** parseState reads what stored gave. It throws for anything else: a state that is half read would be another phone. */
export function parseState(value: unknown): Kept {
  if (value === undefined) {
    return none;
  }
  const v = value as Record<string, unknown>;
  if (v["v"] !== 1) {
    throw new StaunchError("STORE", `client: the store has a state of version ${String(v["v"])}; this program reads version 1`);
  }
  const text = (name: string): string => {
    const t = v[name];
    if (typeof t !== "string") {
      throw new StaunchError("STORE", `client: the store's state has no ${name}: it was written by something else`);
    }
    return t;
  };
  const token = text("token");
  return {
    app: text("app"), account: text("account"), device: text("device"), passkey: text("passkey"), session: text("session"), key: text("key"),
    ...(v["next"] === undefined ? {} : { next: parseNext(v["next"]) }),
    ...(v["began"] === undefined ? {} : { began: parseBegan(v["began"]) }),
    ...(token === "" ? {} : { token: new Token(token) }),
  };
}

function parseNext(value: unknown): NonNullable<PhoneState["next"]> {
  const n = value as NonNullable<PhoneState["next"]>;
  if (typeof n !== "object" || n === null || typeof n.key !== "string" || !(n.until instanceof Date)) {
    throw new StaunchError("STORE", "client: the store's state has a next key that this program does not know");
  }
  return { key: n.key, until: n.until };
}

const flows: readonly string[] = ["enrol", "join", "recover", "move"];

function parseBegan(value: unknown): Began {
  const b = value as Began;
  if (typeof b !== "object" || b === null || !flows.includes(b.flow) || (b.expiresAt !== undefined && !(b.expiresAt instanceof Date))) {
    throw new StaunchError("STORE", "client: the store's state has begun a flow that this program does not know");
  }
  return b;
}
