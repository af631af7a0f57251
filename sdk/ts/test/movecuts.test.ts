import assert from "node:assert/strict";
import { test } from "node:test";

import type { Store } from "../src/phone/ports.js";
import { moveStatus } from "../src/transfer/index.js";
import { anAccount } from "./fake.js";
import { type Handset, Pair } from "./pair.js";

/** Killed is the end of a phone's program. */
class Killed extends Error {}

/** Dying is a store whose program dies right behind its n-th write, or right before it has taken effect. */
class Dying implements Store {
  readonly holdsKeys = true;
  readonly signal: AbortSignal;
  readonly #of: Store;
  readonly #end = new AbortController();
  #left: number;

  constructor(of: Store, writes: number, readonly before: boolean) {
    this.#of = of;
    this.#left = writes;
    this.signal = this.#end.signal;
  }

  async read(name: string): Promise<unknown> {
    this.signal.throwIfAborted();
    return this.#of.read(name);
  }

  async write(changes: Readonly<Record<string, unknown>>): Promise<void> {
    this.signal.throwIfAborted();
    const last = --this.#left === 0;
    if (last && this.before) {
      this.#end.abort(new Killed());
      throw this.signal.reason;
    }
    await this.#of.write(changes);
    if (last) {
      this.#end.abort(new Killed());
    }
  }
}

/** survive runs a loop that is killed once, at one of its writes, and then goes on to its end. */
async function survive<T>(h: Handset, writes: number, before: boolean, loop: (store: Store, signal: AbortSignal) => Promise<T>): Promise<{ out: T; kills: number }> {
  const dying = new Dying(h.store, writes, before);
  try {
    return { out: await loop(dying, dying.signal), kills: 0 };
  } catch (error) {
    if (!dying.signal.aborted) {
      throw error;
    }
  }
  return { out: await loop(h.store, new AbortController().signal), kills: 1 };
}

const files = { "chat.jsonl": new Uint8Array(200_000).fill(0x31), large: new Uint8Array(5_000_000).map((_, i) => i % 241) };

for (const before of [false, true]) {
  test(`either phone may die ${before ? "before" : "behind"} any of its writes`, () => dies(before));
}

async function dies(before: boolean): Promise<void> {
  let kills = 0;
  for (let writes = 1, more = true; more; writes++) {
    const p = await Pair.make(files);
    const numberOf = async (): Promise<string> => {
      const shown = await p.c.event("number");
      return shown.number;
    };
    const uris = (): string[] => p.n.events.flatMap((e) => (e.event === "offer" ? [e.uri] : []));
    const n = survive(p.n, writes, before, (store, signal) => p.n.receive({ number: numberOf, importer: p.n.history.importer(), signal }, store));
    n.catch(() => undefined);
    await p.n.event("offer");
    const c = await survive(p.c, writes, before, (store, signal) => p.c.send({ uri: uris().at(-1) as string, signal }, store));
    const got = await n;
    kills += c.kills + got.kills;
    more = c.kills + got.kills > 0;
    const at = `at write ${writes}`;
    assert.deepEqual([c.out.account, got.out.account, p.relay.has("ack") !== undefined], [anAccount, anAccount, true], at);
    for (const [path, content] of Object.entries(files)) {
      assert.deepEqual(Buffer.from((await p.n.history.read(path)) ?? []), Buffer.from(content), at);
    }
    assert.deepEqual([(await p.n.start()).state.account, (await p.n.start()).state.began, (await p.c.start()).state.session], [anAccount, undefined, ""], at);
    assert.equal(await p.c.home.locked(), true, at);
    assert.deepEqual(await p.n.home.sealing(), await p.c.home.sealing(), at);
    assert.equal((await moveStatus(await p.c.start(), { home: p.c.home })).state, "acked", at);
    assert.equal(await p.n.store.read("move/receive/checkpoint"), undefined, at);
    assert.equal(await p.c.store.read("move/send/journal/0"), undefined, at);
  }
  assert.ok(kills >= 25, `${kills} kills`);
}
