import assert from "node:assert/strict";
import { test } from "node:test";

import { stateName } from "../src/phone/state.js";
import { cancelMove, finalizeMove, MoveError, moveStatus, recallMove } from "../src/transfer/index.js";
import { Pair } from "./pair.js";

const hush = (): void => undefined;
const fault = (error: unknown): string => (error instanceof MoveError ? error.fault : String(error));
const failed = (call: Promise<unknown>): Promise<string> => call.then(() => "", fault);
const why = (error: unknown): string => (error instanceof MoveError ? error.why : String(error));

test("nothing is told to a phone before its person's yes", async () => {
  const p = await Pair.make();
  const { c, n } = await p.run({ send: { ask: () => Promise.resolve(false) } });
  assert.deepEqual([fault(c.error), why(n.error), p.relay.has("hello")], ["declined", "user_cancelled", undefined]);
});

test("the number may be typed three times, also over restarts", async () => {
  const p = await Pair.make();
  let typed = 0;
  const wrong = async (): Promise<string> => {
    const { number } = await p.c.event("number");
    if (++typed === 2) {
      throw new Error("killed");
    }
    return String((Number(number) + 1) % 1_000_000).padStart(6, "0");
  };
  const c = p.c.send.bind(p.c);
  const n = p.n.receive({ number: wrong });
  const sent = c({ uri: (await p.n.event("offer")).uri }).catch((error: unknown) => error);
  await assert.rejects(n, /killed/);
  const { number } = await p.c.event("number");
  await assert.rejects(p.n.receive({ number: wrong }), (e: unknown) => why(e) === "number_mismatch");
  assert.equal(typed, 4); // one of them was never typed
  assert.equal(why(await sent), "number_mismatch");
  const left = p.n.events.flatMap((e) => (e.event === "number_wrong" ? [e.triesLeft] : []));
  assert.deepEqual(left, [2, 1, 0]);
  assert.match(number, /^\d{6}$/);
});

test("either phone cancels, and both are told", async () => {
  for (const who of ["c", "n"] as const) {
    const p = await Pair.make({ f: Uint8Array.of(1) });
    const { c, n } = await p.run({ receive: { number: async () => {
      await p.c.event("number");
      const phone = await p[who].start();
      assert.equal((await cancelMove(phone, { home: p[who].home })).state, "aborted");
      return new Promise(hush);
    } } });
    assert.deepEqual([why(c.error), why(n.error)], ["user_cancelled", "user_cancelled"], who);
    assert.deepEqual([p.c.home.did, p.n.home.did], [[], []], who);
    assert.equal((await p.c.start()).state.session, "s_x", who);
  }
});

test("a code that nobody scans is forgotten by the phone's own clock, and another one comes", async () => {
  const p = await Pair.make();
  p.relay.ttl = 1;
  const n = p.n.receive({ number: async () => (await p.c.event("number")).number });
  const first = await p.n.event("offer");
  p.relay.ttl = 60;
  const uris = (): string[] => p.n.events.flatMap((e) => (e.event === "offer" ? [e.uri] : []));
  while (uris().length < 2) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const [, second] = uris() as [string, string];
  assert.notEqual(second, first.uri);
  await assert.rejects(p.c.send({ uri: first.uri }), /TRANSFER_NOT_FOUND/);
  await p.c.send({ uri: second });
  await n;
});

test("a held move is approved twice, and opened when the hold is over", async () => {
  const p = await Pair.make({ f: Uint8Array.of(1) });
  p.relay.held = 700;
  const began = Date.now();
  const { c, n } = await p.run();
  assert.equal(c.error ?? n.error, undefined);
  assert.equal(p.relay.calls.filter((call) => call === "ProposeAction").length, 2);
  assert.ok(p.c.said().includes("held") && p.n.said().includes("held"));
  assert.ok(Date.now() - began >= 700);
});

test("what is too early or too late, and what there is not", async () => {
  const p = await Pair.moved();
  const [c, n] = [await p.c.start(), await p.n.start()];
  const [atC, atN] = [{ home: p.c.home }, { home: p.n.home }];
  assert.equal(await failed(cancelMove(c, atC)), "too_late");
  assert.equal(await failed(recallMove(n, atN, "", hush)), "no_move");
  assert.equal(await failed(finalizeMove(n, atN, hush)), "too_early");
  assert.equal(await failed(p.n.receive()), ""); // its last line again
  assert.equal(await failed(p.c.send()), "");
  await finalizeMove(c, atC, hush);
  assert.equal(await failed(recallMove(c, atC, "", hush)), "too_late");
  const fresh = await Pair.make();
  assert.equal(await failed(cancelMove(await fresh.c.start(), { home: fresh.c.home })), "no_move");
  assert.equal(await failed(fresh.c.send()), "no_move");
  assert.equal(await failed(fresh.c.send({ uri: "https://example.org" })), "check");
  assert.equal((await moveStatus(await fresh.c.start(), { home: fresh.c.home })).role, "none");
  assert.equal(await failed(fresh.c.receive()), "enrolled");
});

test("another code or another history does not go on with a move", async () => {
  const p = await Pair.make({ f: Uint8Array.of(1) });
  const stop = new AbortController();
  const n = p.n.receive({ signal: stop.signal }).catch(hush);
  const { uri } = await p.n.event("offer");
  await assert.rejects(p.c.send({ uri, ask: () => Promise.reject(new Error("killed")) }), /killed/);
  const other = { ...p.c.history.source(), name: "another" };
  assert.equal(await failed(p.c.send({ source: other, signal: AbortSignal.timeout(3000) })), "other_move");
  const q = await Pair.make();
  const m = q.n.receive({ signal: stop.signal }).catch(hush);
  assert.equal(await failed(p.c.send({ uri: (await q.n.event("offer")).uri, signal: AbortSignal.timeout(3000) })), "other_move");
  stop.abort();
  await Promise.all([n, m]);
});

test("a history that changes while it is sent begins anew, when the server wants to hear of that", async () => {
  const p = await Pair.make({ a: new Uint8Array(17_000_000), b: Uint8Array.of(1) });
  p.relay.refuse.set("Revise", ["RATE_LIMITED"]);
  let changed = false;
  p.relay.segments.put = () => {
    if (!changed) {
      changed = true;
      void p.c.history.add("a", new Uint8Array(1_000_000).fill(1), 5);
      return 503;
    }
    return 0;
  };
  const { c, n } = await p.run();
  assert.equal(c.error ?? n.error, undefined);
  assert.ok(p.c.said().includes("restarted"));
  assert.deepEqual(p.c.events.flatMap((e) => (e.event === "retry" && e.reason === "rate_limited" ? [e.afterMs] : [])), [2000]);
  assert.equal((await p.n.history.read("a"))?.length, 1_000_000);
});

test("a file that was written meanwhile is not what was planned, whatever is in it", async () => {
  const p = await Pair.make({ a: new Uint8Array(13_000_000) });
  const source = p.c.history.source();
  let at = 1000;
  const changing = {
    ...source,
    async *walk() {
      for await (const e of source.walk()) {
        yield { ...e, modified: at };
      }
    },
    stat: async (path: string) => ({ size: (await source.stat(path))?.size ?? 0, modified: at }),
  };
  p.relay.segments.put = (first) => {
    at = first === 0 ? 2000 : at;
    return 0;
  };
  const { c, n } = await p.run({ send: { source: changing } });
  assert.equal(c.error ?? n.error, undefined);
  assert.ok(p.c.said().includes("restarted"));
  assert.equal((await p.n.history.entries())[0]?.modified, 2000);
});

test("links that break are tried again with smaller segments", async () => {
  const large = new Uint8Array(3_000_000).map((_, i) => i % 249);
  const p = await Pair.make({ large });
  p.relay.segments.put = (_, body) => (body.length > 700_000 ? 503 : 0);
  let broken = 0;
  p.relay.segments.get = (_, body) => (++broken % 2 === 1 ? body.subarray(0, 100 + body.length / 2) : body);
  const { c, n } = await p.run();
  assert.equal(c.error ?? n.error, undefined);
  assert.ok(p.relay.segments.puts.length >= 5);
  assert.deepEqual(Buffer.from(await p.n.history.read("large") ?? []), Buffer.from(large));
});

test("a server that is away is waited for, and then nothing is lost", async () => {
  const p = await Pair.make({ f: Uint8Array.of(1) });
  p.relay.segments.put = () => 503;
  p.c.patience = 500;
  const { c } = await p.run();
  p.c.patience = 20_000;
  assert.match(String(c.error), /cannot be reached/);
  p.relay.segments.put = undefined;
  const n = p.n.receive({ number: () => Promise.reject(new Error("typed already")) });
  assert.equal(await failed(p.c.send()), "");
  await n;
});

test("a phone that was recalled from may receive again", async () => {
  const p = await Pair.moved();
  await recallMove(await p.c.start(), { home: p.c.home }, "", hush);
  await moveStatus(await p.n.start(), { home: p.n.home });
  assert.equal(((await p.n.store.read(stateName)) as { account: string }).account, "");
  p.n.events.length = p.c.events.length = 0;
  const { c, n } = await p.run();
  assert.equal(c.error ?? n.error, undefined);
});
