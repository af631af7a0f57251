/** Calls as they go over the network: signed, bounded, typed. */
import type { DescService } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient, type CallOptions, type Client, type Transport } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";

import type { Bytes } from "../bytes.js";
import { AccountService } from "../gen/staunch/account/v1/account_pb.js";
import { JoinService } from "../gen/staunch/account/v1/join_pb.js";
import { AttestService } from "../gen/staunch/attest/v1/attest_pb.js";
import { PasskeyService } from "../gen/staunch/passkey/v1/passkey_pb.js";
import { RecoveryService } from "../gen/staunch/recovery/v1/recovery_pb.js";
import { TransferService } from "../gen/staunch/transfer/v1/transfer_pb.js";
import { StaunchError, typed } from "./errors.js";

/** Calling is how one call is made. */
export interface Calling extends CallOptions {
  /** Before there is a key: neither signature nor session go along. */
  readonly unsigned?: boolean;
  /** The flow tries again by itself. */
  readonly impatient?: boolean;
}

type Method<F> = F extends (request: infer Req, options?: CallOptions) => infer Res ? (request: Req, options?: Calling) => Res : never;

/** CallsOf is Connect's client of a service. Errors are StaunchErrors, and a call is tried again while the server is away. */
export type CallsOf<S extends DescService> = { readonly [M in keyof Client<S>]: Method<Client<S>[M]> };

/** Calls are all services that a phone may call. */
export interface Calls {
  readonly accounts: CallsOf<typeof AccountService>;
  readonly joins: CallsOf<typeof JoinService>;
  readonly passkeys: CallsOf<typeof PasskeyService>;
  readonly recovery: CallsOf<typeof RecoveryService>;
  readonly transfers: CallsOf<typeof TransferService>;
  readonly attest: CallsOf<typeof AttestService>;
}

/** maxAnswer bounds an answer of the server, in bytes. */
const maxAnswer = 1 << 20;

/** Send sends one request whose body is in memory. */
export type Send = (url: URL, init: RequestInit & { readonly headers: Headers; readonly body?: Bytes }) => Promise<Response>;

/** Patiently makes a call again while the server cannot be reached. */
export type Patiently = <T>(method: string, options: Calling, call: (o: CallOptions) => Promise<T>) => Promise<T>;

/** makeCalls makes the calls of a phone: signed and plain are how each request is sent. */
export function makeCalls(url: string, signed: Send, plain: Send, patiently: Patiently): Calls {
  const transports = [transportOf(url, signed), transportOf(url, plain)] as const;
  const of = <S extends DescService>(service: S) => callsOf(service, transports, patiently);
  return {
    accounts: of(AccountService), joins: of(JoinService), passkeys: of(PasskeyService),
    recovery: of(RecoveryService), transfers: of(TransferService), attest: of(AttestService),
  };
}

function transportOf(baseUrl: string, send: Send): Transport {
  return createConnectTransport({
    baseUrl,
    fetch: async (input, init) => {
      const headers = new Headers(init?.headers);
      const stream = headers.get("content-type")?.startsWith("application/connect+") === true;
      const body = init?.body as Bytes | undefined;
      const res = await send(new URL(String(input)), { ...init, headers, body: body ?? new Uint8Array() });
      return stream ? streaming(res) : whole(res);
    },
  });
}

type AnyCall = (request: unknown, options?: CallOptions) => unknown;

function callsOf<S extends DescService>(service: S, [signed, plain]: readonly [Transport, Transport], patiently: Patiently): CallsOf<S> {
  const clients = [createClient(service, signed), createClient(service, plain)] as unknown as Record<string, AnyCall>[];
  const out: Record<string, unknown> = {};
  for (const m of service.methods) {
    out[m.localName] = (request: unknown, { unsigned, impatient, ...o }: Calling = {}) => {
      const call = clients[unsigned ? 1 : 0]?.[m.localName] as AnyCall;
      return m.methodKind === "unary"
        ? patiently(m.name, { ...o, unsigned, impatient }, (p) => call(request, p) as Promise<unknown>)
        : told(call(request, o) as AsyncIterable<unknown>);
    };
  }
  return out as CallsOf<S>;
}

/** told is a stream whose errors are StaunchErrors. What is none of the server's own is a stream that broke off. */
async function* told<T>(stream: AsyncIterable<T>): AsyncIterable<T> {
  try {
    yield* stream;
  } catch (cause) {
    const err = typed(cause);
    throw err.reason === "" && err.code === "unknown" ? typed(new ConnectError("the stream broke off", Code.Unavailable, undefined, undefined, cause)) : err;
  }
}

/** sendBy is Send over a fetch: no cookie, no cache, no redirect, which would carry the session to whoever is named in it. */
export function sendBy(fetchOf: typeof fetch): Send {
  return async (url, init) => {
    let res: Response;
    try {
      res = await fetchOf(url.href, { ...init, redirect: "manual", credentials: "omit", cache: "no-store", referrerPolicy: "no-referrer" });
    } catch (cause) {
      throw lost(cause);
    }
    if (res.type === "opaqueredirect" || (res.status >= 300 && res.status < 400)) {
      throw new StaunchError("ANSWER", `client: ${url.host} answers with a redirect, which is not followed; give the address of the server itself`);
    }
    return res;
  };
}

function lost(cause: unknown): ConnectError {
  return new ConnectError(cause instanceof Error ? cause.message : String(cause), Code.Unavailable, undefined, undefined, cause);
}

/** whole reads an answer to its end, so that one that breaks off is known as such. */
async function whole(res: Response): Promise<Response> {
  const body = await bounded(res);
  return new Response(res.status === 204 || res.status === 304 ? null : body, { status: res.status, headers: res.headers });
}

/** bounded reads the body of an answer, of at most so many bytes: what has more is not read on. */
export async function bounded(res: Response, most = maxAnswer): Promise<Bytes> {
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    for (const r = res.body?.getReader(); r !== undefined;) {
      const { done, value } = await r.read();
      if (done) {
        break;
      }
      parts.push(value);
      if ((size += value.length) > most) {
        await r.cancel();
        break;
      }
    }
  } catch (cause) {
    throw lost(cause);
  }
  if (size > most) {
    throw new StaunchError("ANSWER", `client: the server's answer has more than ${most} bytes`);
  }
  return new Uint8Array(await new Blob(parts as Bytes[]).arrayBuffer());
}

function streaming(res: Response): Response {
  const from = res.body?.getReader();
  if (from === undefined) {
    return res;
  }
  const body = new ReadableStream<Uint8Array>({
    pull: async (to) => {
      try {
        const { done, value } = await from.read();
        if (done) {
          to.close();
        } else {
          to.enqueue(value);
        }
      } catch (cause) {
        to.error(lost(cause));
      }
    },
    cancel: (reason) => from.cancel(reason),
  });
  return new Response(body, { status: res.status, headers: res.headers });
}
