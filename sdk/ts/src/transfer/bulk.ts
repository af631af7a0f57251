/**
 * Segments by plain HTTP (spec/transfer.md, "Over HTTP"): PUT, GET and a list, in paths and bodies alone, for headers are
 * what proxies change.
 */
import { ConnectError, Code } from "@connectrpc/connect";
import { errorFromJson } from "@connectrpc/connect/protocol-connect";

import { type Bytes, base64url, fromHex, text } from "../bytes.js";
import { StaunchError, typed } from "../phone/errors.js";
import { bounded } from "../phone/transport.js";
import { failedCheck } from "./errors.js";
import { maxRecords } from "./sealed/header.js";

const silence = 35_000; // ms until an answer has to begin: the server waits 25 s at most
const maxList = 4 << 20; // bytes

/** Lost is no answer of the server's, or one that broke off: the same again may help. */
export class Lost extends Error {
  override readonly name = "Lost";
}

/** Refused is an answer that is neither what was asked for nor a lost one. */
export class Refused extends Error {
  override readonly name = "Refused";
  readonly status: number;
  /** ms until the same may be tried again; 0: the server does not say. */
  readonly afterMs: number;
  readonly error: StaunchError;

  constructor(status: number, afterMs: number, error: StaunchError) {
    super(error.message, { cause: error });
    this.status = status;
    this.afterMs = afterMs;
    this.error = error;
  }
}

/** Stored is a segment as the server's list has it. */
export interface Stored {
  readonly first: number;
  readonly records: number;
  readonly leaf: Bytes;
}

/** BulkOptions are of one transfer, and of one of its phones. */
export interface BulkOptions {
  readonly url: string;
  readonly app: string;
  readonly transfer: string;
  readonly token: Bytes;
  readonly fetch: typeof fetch;
}

/** Bulk carries ciphertext. */
export class Bulk {
  readonly #o: BulkOptions;

  constructor(o: BulkOptions) {
    this.#o = o;
  }

  /** put sends a segment. To send it again changes nothing. */
  async put(revision: number, first: number, segment: Bytes, signal: AbortSignal): Promise<void> {
    const res = await this.#call(`${revision}/${first}`, { method: "PUT", body: segment, headers: { "Content-Type": "application/octet-stream" } }, 0, signal);
    await res.body?.cancel().catch(() => undefined);
  }

  /** get asks for a segment from a byte on. undefined: it is not there yet, also after the wait in seconds. */
  async get(revision: number, first: number, from: number, wait: number, signal: AbortSignal): Promise<ReadableStream<Uint8Array> | undefined> {
    const headers: Record<string, string> = from > 0 ? { Range: `bytes=${from}-` } : {};
    const res = await this.#call(`${revision}/${first}?wait=${wait}`, { headers }, wait, signal);
    if (res.status === 204) {
      return undefined;
    }
    if ((res.status === 206) !== from > 0 || res.body === null) {
      await res.body?.cancel().catch(() => undefined);
      throw new Lost(`transfer: the server's answer to a segment has status ${res.status}`);
    }
    return res.body;
  }

  /** list gives what the server has of a revision, in order. */
  async *list(revision: number, signal: AbortSignal): AsyncGenerator<Stored> {
    for (let after = 0; ;) {
      const res = await this.#call(`${revision}?after=${after}&limit=1000`, {}, 0, signal);
      const page = pageOf(await textOf(res, signal));
      yield* page.segments;
      if (page.next <= after) {
        return;
      }
      after = page.next;
    }
  }

  async #call(path: string, init: Omit<RequestInit, "headers"> & { readonly headers?: Record<string, string> }, wait: number, signal: AbortSignal): Promise<Response> {
    signal.throwIfAborted();
    const headers: Record<string, string> = { ...init.headers, Authorization: `Bearer ${base64url(this.#o.token)}` };
    if (this.#o.app !== "") {
      headers["Staunch-App"] = this.#o.app;
    }
    const quiet = new AbortController();
    const timer = setTimeout(() => quiet.abort(new Lost("transfer: the server does not answer")), silence + wait * 1000);
    let res: Response;
    try {
      res = await this.#o.fetch(`${this.#o.url}/transfer/v1/${encodeURIComponent(this.#o.transfer)}/${path}`, {
        ...init, headers, redirect: "manual", cache: "no-store", credentials: "omit", signal: AbortSignal.any([signal, quiet.signal]),
      });
    } catch (cause) {
      signal.throwIfAborted();
      throw new Lost("transfer: the server cannot be reached", { cause });
    } finally {
      clearTimeout(timer);
    }
    if (res.ok) {
      return res;
    }
    throw await refusalOf(res, signal);
  }
}

/** refusalOf reads an error of the server's: JSON as Connect writes it. */
async function refusalOf(res: Response, signal: AbortSignal): Promise<Error> {
  const after = Number(res.headers.get("Retry-After") ?? "");
  const fallback = new ConnectError(`HTTP status ${res.status}`, res.status >= 500 || res.status === 0 ? Code.Unavailable : Code.Unknown);
  let error = fallback;
  try {
    error = errorFromJson(JSON.parse(await textOf(res, signal)), undefined, fallback);
  } catch {
    signal.throwIfAborted(); // an answer of a proxy: the status says it
  }
  return new Refused(res.status, Number.isFinite(after) && after > 0 ? after * 1000 : 0, typed(error));
}

async function textOf(res: Response, signal: AbortSignal): Promise<string> {
  try {
    return text(await bounded(res, maxList));
  } catch (cause) {
    signal.throwIfAborted();
    throw cause instanceof StaunchError ? cause : new Lost("transfer: the answer broke off", { cause });
  }
}

/** pageOf reads a page of the list, in which nothing stands that cannot be. */
function pageOf(written: string): { segments: Stored[]; next: number } {
  let page: { segments?: unknown; next?: unknown };
  try {
    page = JSON.parse(written) as typeof page;
  } catch (cause) {
    throw new Lost("transfer: the list of segments is no JSON", { cause });
  }
  const lines: unknown[] = Array.isArray(page.segments) ? page.segments : [];
  const segments = lines.map((line): Stored => {
    const { first, records, leaf } = (line ?? {}) as { first?: unknown; records?: unknown; leaf?: unknown };
    if (!Number.isSafeInteger(first) || (first as number) < 0 || !Number.isSafeInteger(records) || (records as number) < 1 ||
      (records as number) > maxRecords || typeof leaf !== "string" || !/^[0-9a-f]{64}$/.test(leaf)) {
      throw failedCheck("the server's list of segments has one that cannot be");
    }
    return { first: first as number, records: records as number, leaf: fromHex(leaf) };
  });
  return { segments, next: Number.isSafeInteger(page.next) ? (page.next as number) : 0 };
}
