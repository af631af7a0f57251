// What the page asks the demo's own endpoints. JSON; bytes are base64url without
// padding. None of it exists outside `staunch dev`.

/** Settings are what the phones on the page have built in. */
export interface Settings {
  readonly app: string;
  readonly name: string;
  readonly origin: string;
  readonly rpId: string;
  readonly recovery: null | {
    readonly limit: number;
    readonly pinMin: number;
    readonly setVersion: number;
    readonly release: { readonly k: number; readonly keys: readonly string[] };
    readonly vaults: readonly { readonly id: string; readonly operator: string }[];
  };
}

/** Holdings are what the vaults hold for an account. */
export interface Holdings {
  readonly limit: number;
  readonly remaining: number;
  readonly vaults: readonly Holding[];
}

export interface Holding {
  readonly id: string;
  readonly operator: string;
  readonly platform: string;
  readonly answers: boolean;
  readonly has: boolean;
  readonly state: string; // "active", "locked" …; empty: nothing there
  readonly used: number;
  readonly limit: number;
  readonly at: string; // RFC 3339, of the last receipt; empty: none
}

/** Entry is something that the server has recorded, or has refused. */
export interface Entry {
  readonly seq: number;
  readonly id: string;
  readonly kind: "audit" | "call";
  readonly time: string;
  readonly account: string; // empty: nobody's
  readonly actor: string;
  readonly action: string;
  readonly code: string;
  readonly subject: string;
  readonly words: string;
  readonly refused: boolean;
}

/** Entries are those after a number, by number; run tells a restarted server from the one before. */
export interface Entries {
  readonly run: string;
  readonly next: number;
  readonly records: readonly Entry[];
}

/** ask gets what is at path. It throws if the server does not answer, or not with JSON. */
export async function ask<T>(path: string, body?: object): Promise<T> {
  const answer = await fetch(path, {
    ...(body === undefined ? {} : { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }),
    credentials: "omit", redirect: "error", signal: AbortSignal.timeout(10_000),
  });
  const data = (await answer.json()) as T & { message?: string };
  if (!answer.ok) {
    throw new Error(data.message ?? `demo: ${path}: status ${answer.status}`);
  }
  return data;
}

/** settings asks once for what the phones have built in. */
export const settings = (): Promise<Settings> => ask("/demo/settings");

/** holdings asks what the vaults hold. */
export const holdings = (account: string): Promise<Holdings> => ask(`/demo/vaults?account=${encodeURIComponent(account)}`);

/** entries asks for what was recorded after a number. */
export const entries = (after: number, run: string): Promise<Entries> => ask(`/demo/records?after=${after}&run=${encodeURIComponent(run)}`);
