/** Two phones in front of a Relay. */
import assert from "node:assert/strict";

import { Phone } from "../src/index.js";
import type { Store } from "../src/phone/ports.js";
import { stateName } from "../src/phone/state.js";
import { MemoryStore, SoftwareHardware } from "../src/software/index.js";
import {
  type EvidenceVerifier, type Moved, type MoveEvent, receiveMove, type ReceiveOptions, sendMove, type SendOptions, SoftwareHome, StoreHistory,
} from "../src/transfer/index.js";
import { anAccount, aDevice, answers, aToken } from "./fake.js";
import { Relay } from "./relay.js";

/** believing takes all evidence for good. */
export const believing: EvidenceVerifier = { verify: (_e, _c, spki) => Promise.resolve({ accepted: true, key: new Uint8Array(spki), findings: [] }) };

/** Home notes what is done to it. */
export class Home extends SoftwareHome {
  readonly did: string[] = [];
  override lock(): Promise<void> { this.did.push("lock"); return super.lock(); }
  override unlock(): Promise<void> { this.did.push("unlock"); return super.unlock(); }
  override wipe(): Promise<void> { this.did.push("wipe"); return super.wipe(); }
}

/** Handset is a phone, over any number of starts. */
export class Handset {
  readonly history: StoreHistory;
  readonly home: Home;
  readonly events: MoveEvent[] = [];
  /** ms; long, for the machine may be busy. */
  patience = 20_000;
  /** PhoneOptions.hosts. */
  hosts: readonly string[] = [];
  #heard: (() => void)[] = [];

  constructor(readonly relay: Relay, readonly store: Store, readonly now: () => number = Date.now) {
    this.history = new StoreHistory(store);
    this.home = new Home(store, this.history);
  }

  /** start is the phone's program. */
  start(store: Store = this.store): Promise<Phone> {
    const hardware = new SoftwareHardware(store, () => Promise.resolve({ platform: "android", certificateChain: [Uint8Array.of(1)] }));
    return Phone.open({ url: "https://accounts.example.org", hardware, passkeys: answers, store, fetch: this.relay.fetch, hosts: this.hosts, patience: this.patience, now: this.now });
  }

  readonly hear = (e: MoveEvent): void => {
    this.events.push(e);
    this.#heard.splice(0).forEach((fn) => fn());
  };

  said(): string[] { return this.events.filter((e) => e.event !== "progress").map((e) => e.event); }

  /** event waits for one that comes from now on, or has come. */
  async event<N extends MoveEvent["event"]>(name: N, ms = 10_000): Promise<Extract<MoveEvent, { event: N }>> {
    for (const end = Date.now() + ms; ;) {
      const e = this.events.find((found) => found.event === name);
      if (e !== undefined) {
        return e as Extract<MoveEvent, { event: N }>;
      }
      assert.ok(Date.now() < end, `no ${name} in ${ms} ms: ${this.said().join(" ")}`);
      await Promise.race([new Promise<void>((resolve) => this.#heard.push(resolve)), new Promise((resolve) => setTimeout(resolve, 200))]);
    }
  }

  async send(o: Partial<SendOptions> = {}, store?: Store): Promise<Moved> {
    return sendMove(await this.start(store), {
      home: this.home, trust: believing, source: this.history.source(), name: "old", info: { model: "old", os: "node", app: "test" }, leastRecall: 0,
      ask: () => Promise.resolve(true), show: () => undefined, events: this.hear, ...o,
    });
  }

  async receive(o: Partial<ReceiveOptions> = {}, store?: Store): Promise<Moved> {
    return receiveMove(await this.start(store), {
      home: this.home, info: { model: "new", os: "node", app: "test" }, importer: this.history.importer(), events: this.hear, trust: believing,
      number: () => Promise.reject(new Error("nobody types")), ...o,
    });
  }
}

/** Outcome is how a loop has ended. */
export interface Outcome {
  readonly moved?: Moved;
  readonly error?: unknown;
}

const outcome = (loop: Promise<Moved>): Promise<Outcome> => loop.then((moved) => ({ moved }), (error: unknown) => ({ error }));

/** Pair is the current phone c and the new phone n. */
export class Pair {
  private constructor(readonly relay: Relay, readonly c: Handset, readonly n: Handset) {}

  static async make(files: Readonly<Record<string, Uint8Array>> = {}, now?: () => number): Promise<Pair> {
    const relay = new Relay();
    const store = new MemoryStore();
    const c = new Handset(relay, store, now);
    relay.sealing = (await c.home.sealing()).key;
    const { key } = await new SoftwareHardware(store, () => Promise.resolve({ platform: "android" })).newKey(new Uint8Array(32));
    await store.write({ [stateName]: { v: 1, app: "demo", account: anAccount, device: aDevice, passkey: "c_x", session: "s_x", key: key.id, token: aToken } });
    for (const [path, content] of Object.entries(files)) {
      await c.history.add(path, content);
    }
    return new Pair(relay, c, new Handset(relay, new MemoryStore()));
  }

  /** run lets both loops run. When one fails, the other has a second to hear of it. */
  async run(o: { send?: Partial<SendOptions>; receive?: Partial<ReceiveOptions> } = {}): Promise<{ c: Outcome; n: Outcome }> {
    const stop = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ends = async (loop: Promise<Moved>): Promise<Outcome> => {
      const out = await outcome(loop);
      if (out.error !== undefined) {
        timer ??= setTimeout(() => stop.abort(new Error("the other phone has failed")), 1000);
      }
      return out;
    };
    const n = ends(this.n.receive({ number: async () => (await this.c.event("number")).number, signal: stop.signal, ...o.receive }));
    const { uri } = await this.n.event("offer");
    const c = ends(this.c.send({ uri, signal: stop.signal, ...o.send }));
    const out = { c: await c, n: await n };
    clearTimeout(timer);
    return out;
  }

  /** moved is a pair whose account has moved. */
  static async moved(now?: () => number): Promise<Pair> {
    const p = await Pair.make({ f: Uint8Array.of(1) }, now);
    const { c, n } = await p.run();
    assert.ok(c.moved && n.moved, `${String(c.error)} / ${String(n.error)}`);
    return p;
  }
}
