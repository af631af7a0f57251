/** Phones in one process, for tests of moves against a server of `staunch dev`: its address is in STAUNCH_WORLD. */
import assert from "node:assert/strict";

import { utf8 } from "../../src/bytes.js";
import { Phone } from "../../src/index.js";
import type { Store } from "../../src/phone/ports.js";
import { devAttest, devTrust, MemoryStore, SoftwareHardware, SoftwarePasskeys } from "../../src/software/index.js";
import {
  type MoveEvent, type Moved, receiveMove, type ReceiveOptions, sendMove, type SendOptions, SoftwareHome, StoreHistory,
} from "../../src/transfer/index.js";

/** World is where the phones meet. */
export interface World {
  readonly url: string;
  readonly origin: string;
}

export const world = JSON.parse(process.env["STAUNCH_WORLD"] ?? "null") as World;

/** Handset is a phone with its home, over any number of starts. */
export class Handset {
  readonly store: Store;
  readonly passkeys: SoftwarePasskeys;
  readonly history: StoreHistory;
  readonly home: SoftwareHome;
  readonly name: string;
  readonly events: MoveEvent[] = [];
  phone!: Phone;
  #heard: (() => void)[] = [];

  private constructor(name: string, store: Store) {
    this.name = name;
    this.store = store;
    this.passkeys = new SoftwarePasskeys({ store, origin: world.origin });
    this.history = new StoreHistory(store);
    this.home = new SoftwareHome(store, this.history);
  }

  static async start(name: string, store: Store = new MemoryStore(), fetchOf?: typeof fetch): Promise<Handset> {
    const h = new Handset(name, store);
    const hardware = new SoftwareHardware(store, devAttest(world.origin));
    h.phone = await Phone.open({ url: world.url, hardware, passkeys: h.passkeys, store, patience: 8000, ...(fetchOf === undefined ? {} : { fetch: fetchOf }) });
    return h;
  }

  /** enrolled is a phone with an account and a history. */
  static async enrolled(name: string, store?: Store): Promise<Handset> {
    const h = await Handset.start(name, store);
    await h.phone.enroll({ name, sealing: await h.home.sealing() });
    return h;
  }

  /** again is the same phone after a restart. */
  again(fetchOf?: typeof fetch): Promise<Handset> {
    return Handset.start(this.name, this.store, fetchOf);
  }

  hear(e: MoveEvent): void {
    this.events.push(e);
    for (const fn of this.#heard.splice(0)) {
      fn();
    }
  }

  /** event waits for one. */
  async event<N extends MoveEvent["event"]>(name: N, ms = 20_000): Promise<Extract<MoveEvent, { event: N }>> {
    const end = Date.now() + ms;
    for (;;) {
      const e = this.events.find((found) => found.event === name);
      if (e !== undefined) {
        return e as Extract<MoveEvent, { event: N }>;
      }
      assert.ok(Date.now() < end, `${this.name} has heard no ${name} in ${ms} ms: ${this.events.map((o) => o.event).join(" ")}`);
      await Promise.race([new Promise<void>((resolve) => this.#heard.push(resolve)), new Promise((resolve) => setTimeout(resolve, 500))]);
    }
  }

  send(o: Partial<SendOptions> = {}): Promise<Moved> {
    return sendMove(this.phone, {
      home: this.home, trust: devTrust(world.origin), source: this.history.source(), name: this.name, info: { model: this.name, os: "node", app: "test" }, leastRecall: 0,
      ask: () => Promise.resolve(true), show: () => undefined, events: (e) => this.hear(e), ...o,
    });
  }

  receive(o: Partial<ReceiveOptions> = {}): Promise<Moved> {
    return receiveMove(this.phone, {
      home: this.home, info: { model: this.name, os: "node", app: "test" }, importer: this.history.importer(), trust: devTrust(world.origin),
      number: () => Promise.reject(new Error("no number")), events: (e) => this.hear(e), ...o,
    });
  }
}

/** move has the new phone take the current one's account, with the number that is shown. */
export async function move(from: Handset, to: Handset, o: { send?: Partial<SendOptions>; receive?: Partial<ReceiveOptions> } = {}): Promise<[Moved, Moved]> {
  const received = to.receive({ number: async () => (await from.event("number")).number, ...o.receive });
  received.catch(() => undefined);
  const { uri } = await to.event("offer");
  const sent = from.send({ uri, ...o.send });
  return await Promise.all([sent, received]);
}

/** fill gives a phone some history. */
export async function fill(h: Handset, extra = 0): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>([
    ["chat/messages.jsonl", utf8('{"text":"hello"}\n{"text":"there"}\nno json\n')], ["empty.txt", new Uint8Array()], ["ä/ü.txt", utf8("umlaut")],
  ]);
  if (extra > 0) {
    files.set("pictures/large.bin", random(extra));
  }
  for (const [path, content] of files) {
    await h.history.add(path, content);
  }
  return files;
}

/** random is so many bytes. */
export function random(size: number): Uint8Array {
  const out = new Uint8Array(size);
  for (let at = 0; at < size; at += 65_536) {
    crypto.getRandomValues(out.subarray(at, Math.min(at + 65_536, size)));
  }
  return out;
}

/** same asserts that a history came along. */
export async function same(h: Handset, files: Map<string, Uint8Array>): Promise<void> {
  assert.deepEqual((await h.history.entries()).map((e) => e.path).sort(), [...files.keys()].sort());
  for (const [path, content] of files) {
    assert.deepEqual(Buffer.from((await h.history.read(path)) ?? []), Buffer.from(content), path);
  }
}
