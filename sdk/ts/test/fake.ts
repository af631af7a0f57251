/** A server that answers as a test wants, and a phone in front of it. */
import { base64url, utf8 } from "../src/bytes.js";
import { type PhoneOptions, Phone } from "../src/index.js";
import { stateName } from "../src/phone/state.js";
import type { Passkeys } from "../src/phone/ports.js";
import { MemoryStore, SoftwareHardware } from "../src/software/index.js";

export const anAccount = "a_bbbbbbbbbbbbbbbbbbbbbbbbbb";
export const aDevice = "d_bbbbbbbbbbbbbbbbbbbbbbbbbb";
export const aToken = "A".repeat(43);

/** Seen is a request as the server has it. */
export interface Seen {
  readonly call: string; // "GetStatus", or a path
  readonly url: URL;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

/** Refusal is an error of the server's, as Connect writes it. */
export class Refusal {
  constructor(readonly reason: string, readonly code = "failed_precondition", readonly metadata: Record<string, string> = {}) {}

  response(): Response {
    const details = this.reason === "" ? [] : [{ type: "google.rpc.ErrorInfo", value: base64url(this.#info()) }];
    return Response.json({ code: this.code, message: "no", details }, { status: 400 });
  }

  #info(): Uint8Array {
    const field = (n: number, bytes: Uint8Array) => Uint8Array.of(n << 3 | 2, bytes.length, ...bytes);
    const entries = Object.entries(this.metadata).flatMap(([k, v]) => [...field(3, Uint8Array.of(...field(1, utf8(k)), ...field(2, utf8(v))))]);
    return Uint8Array.of(...field(1, utf8(this.reason)), ...field(2, utf8("staunch")), ...entries);
  }
}

/** Handler answers a call: with a message in JSON, a refusal or a whole response. What it throws is a lost connection. */
export type Handler = (seen: Seen) => object | Promise<object>;

/** FakeServer answers by the names of calls, and remembers what it has seen. */
export class FakeServer {
  readonly seen: Seen[] = [];
  constructor(readonly handlers: Record<string, Handler>) {}

  readonly fetch = async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    const url = new URL(String(input));
    const raw = init?.body as Uint8Array | undefined;
    const name = url.pathname.split("/").at(-1) as string;
    const body = raw === undefined || raw.length === 0 || raw[0] === 0 ? {} : JSON.parse(new TextDecoder().decode(raw)) as Record<string, unknown>;
    const seen = { call: name, url, headers: new Headers(init?.headers), body };
    this.seen.push(seen);
    const handler = this.handlers[name];
    if (handler === undefined) {
      throw new TypeError(`nobody answers ${name}`);
    }
    const answer = await handler(seen);
    return answer instanceof Refusal ? answer.response() : answer instanceof Response ? answer : Response.json(answer);
  };

  calls(): string[] { return this.seen.map((s) => s.call); }
}

/** A passkey's answer that no server has looked at. */
export const answers: Passkeys = {
  create: () => Promise.resolve({ id: "AA", rawId: "AA", type: "public-key", clientExtensionResults: {}, response: {} } as RegistrationResponseJSON),
  get: () => Promise.resolve({ id: "AA", rawId: "AA", type: "public-key", clientExtensionResults: {}, response: {} } as AuthenticationResponseJSON),
};

/** Rig is a phone, its server and its store. */
export interface Rig {
  readonly phone: Phone;
  readonly server: FakeServer;
  readonly store: MemoryStore;
}

/** newPhone is a phone that has done nothing yet. */
export async function newPhone(handlers: Record<string, Handler>, options: Partial<PhoneOptions> = {}): Promise<Rig> {
  const store = new MemoryStore();
  return { ...await open(store, handlers, options), store };
}

/** enrolledPhone is a phone of anAccount, with a session. */
export async function enrolledPhone(handlers: Record<string, Handler>, options: Partial<PhoneOptions> = {}, state: object = {}): Promise<Rig> {
  const store = new MemoryStore();
  const { key } = await hardware(store).newKey(new Uint8Array(32));
  await store.write({ [stateName]: { v: 1, app: "demo", account: anAccount, device: aDevice, passkey: "c_x", session: "s_x", key: key.id, token: aToken, ...state } });
  return { ...await open(store, handlers, options), store };
}

function hardware(store: MemoryStore): SoftwareHardware {
  return new SoftwareHardware(store, () => Promise.resolve({ platform: "android", certificateChain: [Uint8Array.of(1)] }));
}

async function open(store: MemoryStore, handlers: Record<string, Handler>, options: Partial<PhoneOptions>): Promise<{ phone: Phone; server: FakeServer }> {
  const server = new FakeServer(handlers);
  const phone = await Phone.open({
    url: "https://accounts.example.org", hardware: hardware(store), passkeys: answers, store, fetch: server.fetch, patience: 300, ...options,
  });
  return { phone, server };
}

/** signed is what the server leaves of a flow. */
export const signed = (account = anAccount) => ({ account, accountState: "STATE_ACTIVE", device: aDevice, deviceState: "STATE_ACTIVE", passkey: "c_x", session: "s_y", token: "B".repeat(43) });

/** options are those of a ceremony, with a challenge. */
export const options = (challenge = "AA") => JSON.stringify({ publicKey: { challenge, rpId: "example.org" } });

/** stream is an answer of several messages, as Connect writes it. end: it is whole. */
export function stream(messages: readonly object[], end: boolean | Refusal = true): Response {
  const envelope = (flag: number, value: object) => {
    const text = utf8(JSON.stringify(value));
    return [flag, ...new Uint8Array(new Uint32Array([text.length]).buffer).reverse(), ...text];
  };
  const last = end === true ? [envelope(2, {})] : end === false ? [] : [envelope(2, { error: { code: end.code, message: end.reason } })];
  return new Response(new Uint8Array([...messages.map((m) => envelope(0, m)), ...last].flat()), { headers: { "content-type": "application/connect+json" } });
}
