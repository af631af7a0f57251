/** What recovery brings back: the app's keys. */
import { type Bytes, copy, equal } from "../bytes.js";
import { Hidden } from "./hidden.js";
import { encode } from "./shape.js";
import { payload, type WirePayload } from "./wire.js";

/** Key is a key of the app's end-to-end encryption. */
export interface Key {
  readonly kid: Bytes; // 1 to 64 bytes
  readonly secret: Bytes; // 1 to 256
  readonly created: Date;
}

/** Payload is what an app has kept: at most 64 KiB in all. */
export interface Payload {
  readonly keys: readonly Key[]; // at most 512
  readonly app?: ReadonlyMap<string, Bytes>; // at most 64
  readonly recovery?: readonly Bytes[]; // Ed25519 seeds of the directory's RECOVERY links, newest first; one or two
}

/** RecoveredPayload is a Payload that came back. It prints as [redacted]. */
export class RecoveredPayload extends Hidden implements Payload {
  readonly #p: WirePayload;

  /** @internal */
  constructor(p: WirePayload) {
    super();
    this.#p = p;
  }

  get keys(): readonly Key[] {
    return this.#p.keys.map((k) => ({ kid: copy(k.kid), secret: copy(k.secret), created: dateOf(k.created) }));
  }

  get app(): ReadonlyMap<string, Bytes> { return new Map(this.#p.app); }

  get recovery(): readonly Bytes[] { return (this.#p.recovery ?? []).map(copy); }

  /** 1, and one more with each update. */
  get seq(): number { return Number(this.#p.seq); }

  get saved(): Date { return dateOf(this.#p.saved); }
}

/** sealedForm is a payload with what the client adds. now: ms. */
export function sealedForm(p: Payload, manageSeed: Bytes, seq: bigint, now: number): WirePayload {
  return {
    keys: p.keys.map((k) => ({ kid: copy(k.kid), secret: copy(k.secret), created: seconds(k.created.getTime()) })),
    manageSeed, seq, saved: seconds(now),
    ...(p.app !== undefined && p.app.size > 0 && { app: new Map(p.app) }),
    ...(p.recovery !== undefined && p.recovery.length > 0 && { recovery: [...p.recovery] }),
  };
}

/** opened is a payload as the app sees it. */
export function opened(p: WirePayload): RecoveredPayload {
  return new RecoveredPayload(p);
}

/** same compares what the app has put in. */
export function same(a: Payload, b: Payload): boolean {
  const bare = (p: Payload): Bytes => encode(payload, sealedForm(p, new Uint8Array(32), 0n, 0));
  return equal(bare(a), bare(b));
}

function seconds(ms: number): bigint {
  return BigInt(Math.max(0, Math.floor(ms / 1_000)));
}

function dateOf(s: bigint): Date {
  return new Date(Number(s < 8_640_000_000_000n ? s : 8_640_000_000_000n) * 1_000); // the last day that a Date has
}
