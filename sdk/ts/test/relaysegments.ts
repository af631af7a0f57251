/** What a Relay has of a history: segments by their first record, which it believes too. */
import { createHash } from "node:crypto";

import { hex } from "../src/bytes.js";
import { parseHeader, recordSize, recordsOf, tagSize } from "../src/transfer/sealed/index.js";

/** Bell wakes all who wait for news. */
export class Bell {
  #waiting: (() => void)[] = [];

  ring(): void {
    for (const fn of this.#waiting.splice(0)) {
      fn();
    }
  }

  /** heard waits for news, and not longer than so many ms. */
  heard(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      setTimeout(resolve, ms);
    });
  }
}

/** Segments are those of one revision. put and get make them an adversary's. */
export class Segments {
  put: ((first: number, body: Uint8Array) => number) | undefined; // a status; 0: store it
  get: ((first: number, body: Uint8Array) => Uint8Array) | undefined;
  /** The first records of what was sent, in the order in which it came. */
  readonly puts: number[] = [];
  stored = new Map<number, Uint8Array>();
  revision = 0;

  constructor(readonly bell: Bell) {}

  /** begin throws away what is there, for another revision. */
  begin(revision: number): void {
    this.revision = revision;
    this.stored = new Map();
  }

  /** answer answers a request of a transfer that has not ended. */
  async answer(url: URL, init?: RequestInit): Promise<Response> {
    const [revision, first] = url.pathname.split("/").slice(4);
    if (revision !== String(this.revision)) {
      return new Response(null, { status: 410 });
    }
    if (first === undefined) {
      const all = [...this.stored].sort(([a], [b]) => a - b).map(([at, b]) => ({ first: at, records: recordsOf(parseHeader(b).plain), leaf: leafOf(b) }));
      return Response.json({ segments: all });
    }
    return init?.method === "PUT" ? this.#take(Number(first), new Uint8Array(await new Response(init.body).arrayBuffer())) : this.#give(Number(first), init);
  }

  #take(first: number, body: Uint8Array): Response {
    const status = this.put?.(first, body) ?? 0;
    if (status === 0) {
      this.puts.push(first);
      this.stored.set(first, body);
      this.bell.ring();
    }
    return new Response(null, { status: status || 201 });
  }

  async #give(first: number, init?: RequestInit): Promise<Response> {
    if (!this.stored.has(first)) {
      await this.bell.heard(50);
    }
    const stored = this.stored.get(first);
    if (stored === undefined) {
      init?.signal?.throwIfAborted();
      return new Response(null, { status: 204 });
    }
    const from = Number(/^bytes=(\d+)-$/.exec(new Headers(init?.headers).get("Range") ?? "")?.[1] ?? 0);
    const body = (this.get?.(first, stored.slice()) ?? stored).slice(from);
    return new Response(body, { status: from > 0 ? 206 : 200 });
  }
}

/** leafOf is the leaf of a segment, from its ciphertext alone. */
function leafOf(segment: Uint8Array): string {
  const h = createHash("sha256").update(Uint8Array.of(0)).update(segment.subarray(0, 64));
  for (let at = 64; at < segment.length;) {
    const end = Math.min(at + recordSize + tagSize, segment.length);
    h.update(segment.subarray(end - tagSize, end));
    at = end;
  }
  return hex(h.digest());
}
