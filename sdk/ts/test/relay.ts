/**
 * A server of one move after the other that believes everything and checks nothing: so whatever a phone refuses, it refuses
 * by itself. lie alters what it shows, which makes it the adversary.
 */
import { create, toJson } from "@bufbuild/protobuf";

import { base64, base64url, equal, utf8 } from "../src/bytes.js";
import { TransferState, type View, ViewSchema } from "../src/gen/staunch/transfer/v1/transfer_pb.js";
import { challengeOf } from "../src/phone/approve.js";
import { decodeEnvelope, decodeMessage } from "../src/transfer/handover/index.js";
import { recordSize } from "../src/transfer/sealed/index.js";
import { aDevice, anAccount, aToken, FakeServer, type Handler, options, Refusal, signed } from "./fake.js";
import { Bell, Segments } from "./relaysegments.js";

export const newDevice = "d_cccccccccccccccccccccccccc";

/** Shown is a view that may be altered. */
export type Shown = { -readonly [K in keyof View]: View[K] };

type Body = Record<string, unknown>;
const bytesOf = (v: unknown): Uint8Array => new Uint8Array(Buffer.from(String(v ?? ""), "base64"));
const stamp = (ms: number) => ({ $typeName: "google.protobuf.Timestamp" as const, seconds: BigInt(Math.floor(ms / 1000)), nanos: (ms % 1000) * 1_000_000 });

/** Relay has one move, and altering it is a test's affair. */
export class Relay {
  held = 0; // ms
  ttl = 120; // seconds of an offer
  recall = 3600; // seconds
  audience = "demo@accounts.example.org"; // where the handsets ask
  sealing: Uint8Array = new Uint8Array(); // the sealing key that the current phone was enrolled with
  lie: ((v: Shown, receiver: boolean) => void) | undefined;
  commits: ((signed: Body) => void) | undefined;
  signsIn: ((signed: Body) => void) | undefined;
  claims: ((answer: Body) => void) | undefined;
  /** Reasons with which the next calls of a name are refused. */
  readonly refuse = new Map<string, string[]>();
  readonly calls: string[] = [];

  state = TransferState.UNSPECIFIED;
  readonly #bell = new Bell();
  readonly segments = new Segments(this.#bell);
  #transfer = "";
  #version = 0n;
  #reason = "";
  #opens = 0;
  #recallUntil = 0;
  #acked = 0;
  #envelopes = new Map<string, { bytes: Uint8Array; version: bigint }>();
  #tokens: { n?: Uint8Array; c?: Uint8Array } = {};
  #shares: { hold?: Uint8Array; commit?: Uint8Array; sealed?: Uint8Array } = {};
  readonly #server: FakeServer;

  constructor() {
    const S = TransferState;
    const view = (token: unknown): object => ({ view: toJson(ViewSchema, this.#view(bytesOf(token), 0n) as View) as object });
    const says = (step: string, state: TransferState, more?: (b: Body) => object): Handler => ({ body }) => {
      const refused = this.#step(step, bytesOf(body["envelope"]), state);
      return refused ?? { ...more?.(body), ...view(body["token"]) };
    };
    const handlers: Record<string, Handler> = {
      Begin: () => ({ challenge: base64(new Uint8Array(32).fill(1)), offerSeconds: String(this.ttl), audience: this.audience }),
      Offer: ({ body }) => this.#offer(body) ?? view(body["token"]),
      Claim: ({ body }) => {
        if (body["transfer"] !== this.#transfer) {
          return new Refusal("TRANSFER_NOT_FOUND", "not_found");
        }
        if (this.#tokens.c === undefined) {
          this.#tokens.c = bytesOf(body["token"]);
          this.state = S.CLAIMED;
          this.#bump();
        }
        const answer = {
          ...view(body["token"]), offer: base64(this.#envelopes.get("offer")?.bytes ?? new Uint8Array()), verdict: "TRUSTED", place: "198.51.100.0/24",
          sameNetwork: true, audience: this.audience, recallSeconds: String(this.recall),
        };
        this.claims?.(answer);
        return answer;
      },
      Hello: says("hello", S.CLAIMED), Match: says("matched", S.CLAIMED), Recall: says("recall", S.RECALLED), Finalize: says("final", S.FINAL),
      Answer: says("answer", S.CLAIMED, () => ({ ceremony: "y_1", options: options() })),
      Confirm: ({ body, ...seen }) => {
        this.#shares.hold ??= bytesOf(body["holdShare"]);
        this.segments.revision ||= 1;
        this.#opens ||= Date.now() + this.held;
        return says("confirm", this.held > 0 ? S.HELD : S.STREAMING)({ body, ...seen });
      },
      Revise: ({ body }) => {
        if (body["revision"] !== this.segments.revision) {
          this.segments.begin(Number(body["revision"]));
          this.#acked = 0;
          this.#bump();
        }
        return view(body["token"]);
      },
      Seal: ({ body, ...seen }) => {
        this.#shares = { ...this.#shares, commit: bytesOf(body["commitShare"]), sealed: bytesOf(body["sealed"]) };
        return says("grant", S.SEALED)({ body, ...seen });
      },
      Received: ({ body }) => {
        this.#acked = Math.max(this.#acked, Number(body["record"] ?? 0));
        this.#bell.ring();
        return view(body["token"]);
      },
      Commit: says("receipt", S.COMMITTED, () => {
        const s: Body = { ...signed(), account: anAccount, device: newDevice, token: this.state === S.COMMITTED && this.#once("signed") ? aToken : "" };
        this.commits?.(s);
        return { signed: s };
      }),
      Acknowledge: ({ body, ...seen }) => {
        this.#recallUntil ||= Date.now() + this.recall * 1000;
        return says("ack", S.ACKED)({ body, ...seen });
      },
      Cancel: ({ body }) => {
        if (this.state >= S.COMMITTED && this.state !== S.ABORTED) {
          return new Refusal("TRANSFER_WRONG_STATE", "failed_precondition", { state: "committed" });
        }
        if (this.state !== S.ABORTED) {
          this.state = S.ABORTED;
          this.#reason = String(body["reason"]);
          this.#bump();
        }
        return view(body["token"]);
      },
      Wait: ({ body }) => this.#wait(body),
      ListDevices: () => ({ devices: [{ device: newDevice, sealingKey: base64(utf8("of another")) }, { device: aDevice, this: true, sealingKey: base64(this.sealing) }] }),
      ProposeAction: ({ body }) => this.#propose(body),
      BeginSignIn: () => ({ ceremony: "y_2", options: options() }), FinishSignIn: () => {
        const s: Body = { ...signed(), device: newDevice };
        this.signsIn?.(s);
        return { signed: s };
      },
    };
    this.#server = new FakeServer(Object.fromEntries(Object.entries(handlers).map(([name, handler]) => [name, (seen) => {
      this.calls.push(name);
      const reason = this.refuse.get(name)?.shift();
      return reason === undefined ? handler(seen) : new Refusal(reason);
    }])));
  }

  readonly fetch: typeof fetch = async (input, init) => {
    const url = new URL(String(input));
    init?.signal?.throwIfAborted();
    if (!url.pathname.startsWith("/transfer/v1/")) {
      return this.#server.fetch(url, init);
    }
    return this.state === TransferState.ABORTED ? new Response(null, { status: 410 }) : this.segments.answer(url, init);
  };

  /** shows adds an envelope to a view. */
  static shows(v: Shown, step: string, bytes: Uint8Array): void {
    v.envelopes = [...v.envelopes, { $typeName: "staunch.transfer.v1.Envelope", step, bytes }];
    v.version += 100n;
  }

  /** has is an envelope that has come. */
  has(step: string): Uint8Array | undefined {
    return this.#envelopes.get(step)?.bytes;
  }

  #offer(body: Body): Refusal | undefined {
    const token = bytesOf(body["token"]);
    if (this.#tokens.n === undefined || !equal(token, this.#tokens.n)) { // another phone, or another code
      const offer = decodeMessage("offer", decodeEnvelope(bytesOf(body["envelope"])).message);
      this.#transfer = `t_${base32(offer.public.subarray(3, 19))}`;
      this.state = TransferState.UNSPECIFIED;
      this.#tokens = { n: token };
      this.#envelopes = new Map();
      this.#shares = {};
      this.segments.begin(0);
      this.#opens = this.#acked = this.#recallUntil = 0;
    }
    return this.#step("offer", bytesOf(body["envelope"]), TransferState.OFFERED);
  }

  /** step notes an envelope, and the state that follows. */
  #step(step: string, bytes: Uint8Array, state: TransferState): Refusal | undefined {
    if (this.state === TransferState.ABORTED) {
      return new Refusal("TRANSFER_ENDED", "failed_precondition", { state: "aborted", reason: this.#reason });
    }
    const old = this.#envelopes.get(step);
    if (old !== undefined && equal(old.bytes, bytes)) {
      return undefined;
    }
    if (old !== undefined && !["matched", "confirm", "grant"].includes(step)) {
      return new Refusal("TRANSFER_CONFLICT", "aborted");
    }
    this.state = Math.max(this.state, state);
    this.#bump();
    this.#envelopes.set(step, { bytes, version: this.#version });
    return undefined;
  }

  #bump(): void {
    this.#version++;
    this.#bell.ring();
  }

  #once(name: string): boolean {
    return this.calls.filter((c) => c === name).length === 0 && this.calls.push(name) > 0;
  }

  /** view is what one phone is shown. */
  #view(token: Uint8Array, after: bigint): Shown {
    if (this.state === TransferState.HELD && Date.now() >= this.#opens) {
      this.state = TransferState.STREAMING;
      this.#bump();
    }
    const receiver = this.#tokens.n !== undefined && equal(token, this.#tokens.n);
    const s = this.state;
    const v = create(ViewSchema, {
      transfer: this.#transfer, state: s, version: this.#version, reason: this.#reason, revision: this.segments.revision, at: stamp(Date.now()),
      holdReasons: this.held > 0 ? ["class"] : [], recordAcked: BigInt(this.#acked), bytesAcked: BigInt(this.#acked * recordSize),
      envelopes: [...this.#envelopes].filter(([, e]) => e.version > after).map(([step, e]) => ({ step, bytes: e.bytes })),
      ...(this.#opens > 0 ? { opensAt: stamp(this.#opens) } : {}), ...(this.#recallUntil > 0 ? { recallUntil: stamp(this.#recallUntil) } : {}),
      ...(receiver && s >= TransferState.STREAMING && this.#shares.hold ? { holdShare: this.#shares.hold } : {}),
      ...(receiver && s >= TransferState.SEALED && this.#shares.sealed ? { sealed: this.#shares.sealed } : {}),
      ...(receiver && s >= TransferState.COMMITTED && this.#shares.commit ? { commitShare: this.#shares.commit } : {}),
    }) as Shown;
    this.lie?.(v, receiver);
    return v;
  }

  async #wait(body: Body): Promise<object> {
    const token = bytesOf(body["token"]);
    if (![this.#tokens.n, this.#tokens.c].some((t) => t !== undefined && equal(t, token))) {
      return new Refusal("TRANSFER_NOT_FOUND", "not_found");
    }
    const after = BigInt(String(body["afterVersion"] ?? 0));
    const news = this.#bell.heard(Math.min(Number(body["seconds"] ?? 0) * 1000, 100)); // not longer, so that a lie is told and a hold ends
    let v = this.#view(token, after);
    if (v.version <= after && Number(body["seconds"] ?? 0) > 0) {
      await news;
      v = this.#view(token, after);
    }
    return { view: toJson(ViewSchema, v as View) as object };
  }

  async #propose(body: Body): Promise<object> {
    const shown = { approval: "v_x", account: anAccount, action: String(body["action"]), params: String(body["params"]), text: "Move?" };
    const nonce = new Uint8Array(32).fill(7);
    const pre = { app: "demo", account: anAccount, approval: "v_x", action: shown.action, text: shown.text, nonce, expires: 1785585900n, params: utf8(shown.params) };
    return {
      approval: shown, preimage: { ...pre, params: base64(pre.params), nonce: base64(nonce), expires: String(pre.expires) }, ceremony: "y",
      options: options(base64url(await challengeOf(pre))),
    };
  }
}

function base32(bytes: Uint8Array): string {
  let bits = "";
  for (const b of bytes) {
    bits += b.toString(2).padStart(8, "0");
  }
  return (bits.match(/.{1,5}/g) ?? []).map((five) => "abcdefghijklmnopqrstuvwxyz234567"[parseInt(five.padEnd(5, "0"), 2)]).join("");
}

