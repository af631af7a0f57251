import assert from "node:assert/strict";
import { test } from "node:test";

import { utf8 } from "../src/bytes.js";
import { TransferState } from "../src/gen/staunch/transfer/v1/transfer_pb.js";
import { reasonOf } from "../src/phone/errors.js";
import type { DeviceKey } from "../src/phone/ports.js";
import { Bulk } from "../src/transfer/bulk.js";
import { encodeEnvelope, encodeMessage, type Messages, Receiver, Secret, Sender, type Step } from "../src/transfer/handover/index.js";
import { finalizeMove, MoveError, type MoveFault, moveStatus, recallMove } from "../src/transfer/index.js";
import type { Handset } from "./pair.js";
import { believing, Pair } from "./pair.js";
import { Relay, type Shown } from "./relay.js";

const hush = (): void => undefined;
const stepUp = { approval: "v", assertion: utf8("{}") };
const zeros = new Uint8Array(32);

/** forged is an envelope that nobody has signed. */
function forged<S extends Step>(step: S, message: Messages[S]): Uint8Array {
  return encodeEnvelope({ message: encodeMessage(step, message), mac: new Uint8Array(), proof: new Uint8Array(64) });
}

const fault = (error: unknown): MoveFault | string => (error instanceof MoveError ? error.fault : reasonOf(error) || String(error));
const status = async (h: Handset) => moveStatus(await h.start(), { home: h.home });

test("the old phone signs itself out for the new one's receipt alone", async () => {
  for (const [name, lie, want] of [
    ["no receipt", (v: Shown) => { v.version += 100n; }, "stopped"],
    ["nobody's receipt", (v: Shown) => Relay.shows(v, "receipt", forged("receipt", { root: zeros, bytes: 0, objects: 0, quarantined: 0 })), "check"],
    ["no envelope", (v: Shown) => Relay.shows(v, "receipt", utf8("receipt")), "check"],
  ] as const) {
    const p = await Pair.make({ f: Uint8Array.of(1) });
    p.relay.lie = (v, receiver) => {
      if (v.state === TransferState.SEALED && receiver) { // who would receive it does not hear of it
        v.state = TransferState.STREAMING;
        v.envelopes = [];
      } else if (v.state === TransferState.SEALED) {
        v.state = TransferState.COMMITTED;
        lie(v);
      }
    };
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort("stopped"), 2000);
    const { c } = await p.run(want === "stopped" ? { send: { signal: stop.signal } } : {});
    clearTimeout(timer);
    assert.equal(fault(c.error), want, name);
    assert.deepEqual(p.c.home.did, [], name);
    assert.notEqual((await p.c.start()).state.session, "", name);
    assert.ok(!p.c.said().includes("signed_out"), name);
  }
});

test("the old phone wipes itself for a signature alone, or by its own clock", async () => {
  let now = Date.now();
  const p = await Pair.moved(() => now);
  for (const [name, more, want] of [
    ["the server's word", hush, ""],
    ["nobody's final", (v: Shown) => Relay.shows(v, "final", forged("final", { stepUp })), "check"],
    ["no envelope", (v: Shown) => Relay.shows(v, "final", utf8("final")), "check"],
  ] as const) {
    p.relay.lie = (v) => {
      v.state = TransferState.FINAL;
      more(v);
    };
    assert.equal(await status(p.c).then((s) => (s.state === "acked" ? "" : s.state), fault), want, name);
    assert.deepEqual(p.c.home.did, ["lock"], name);
  }
  p.relay.lie = (v) => { v.state = TransferState.FINAL; };
  now += 3_590_000;
  assert.equal((await status(p.c)).state, "acked");
  now += 20_000;
  assert.equal((await status(p.c)).state, "final");
  assert.deepEqual(p.c.home.did, ["lock", "wipe"]);
  assert.equal((await p.c.start()).state.account, "");
});

test("the old phone wipes itself when its owner ends the window", async () => {
  const p = await Pair.moved();
  assert.equal((await finalizeMove(await p.c.start(), { home: p.c.home }, hush)).state, "final");
  assert.deepEqual(p.c.home.did, ["lock", "wipe"]);
});

test("a server does not cut the time for a recall short", async () => {
  for (const [least, days] of [[undefined, 3], [86_400_000, 1]] as const) {
    let now = Date.now();
    const p = await Pair.make({}, () => now);
    p.relay.recall = 0;
    const { c } = await p.run({ send: { leastRecall: least } });
    assert.equal(c.error, undefined);
    p.relay.lie = (v) => { v.state = TransferState.FINAL; };
    now += days * 86_400_000 - 60_000;
    assert.equal((await status(p.c)).state, "acked");
    now += 120_000;
    assert.equal((await status(p.c)).state, "final");
  }
});

test("the new phone wipes itself for the old one's signature alone, and else locks", async () => {
  for (const [name, more] of [
    ["the server's word", hush], ["nobody's recall", (v: Shown) => Relay.shows(v, "recall", forged("recall", { reason: "", stepUp }))],
  ] as const) {
    const p = await Pair.moved();
    p.relay.lie = (v) => {
      v.state = TransferState.RECALLED;
      more(v);
    };
    assert.equal((await status(p.n)).state, "recalled", name);
    assert.deepEqual(p.n.home.did, ["lock"], name);
    assert.equal((await p.n.start()).state.session, "", name);
    assert.ok(await p.n.history.read("f"), name);
  }
  const p = await Pair.moved();
  for (let i = 0; i < 2; i++) {
    assert.equal((await recallMove(await p.c.start(), { home: p.c.home }, "mine", hush)).state, "recalled");
    assert.deepEqual(p.c.home.did, ["lock", "unlock"]);
    assert.equal((await status(p.n)).state, "recalled");
    assert.deepEqual(p.n.home.did, ["wipe"]);
  }
  assert.equal(await p.n.history.read("f"), undefined);
});

test("nobody undoes a move by saying that it was aborted", async () => {
  const p = await Pair.moved();
  p.relay.lie = (v) => { v.state = TransferState.ABORTED; };
  for (const h of [p.c, p.n]) {
    assert.equal(await status(h).then((s) => s.state, fault), "check");
  }
  assert.deepEqual([p.c.home.did, p.n.home.did], [["lock"], []]);
  assert.ok(await p.n.history.read("f"));
});

test("a stream that is not what the old phone has sealed ends the move", async () => {
  const large = new Uint8Array(9_000_000).fill(7);
  const swap = (a: number, b: number) => (p: Pair) => (first: number, body: Uint8Array) => (first === a ? p.relay.segments.stored.get(b) ?? body.subarray(0, 10) : body);
  for (const [name, get] of [
    ["a changed byte", () => (_: number, b: Uint8Array) => b.map((v, i) => (i === 5000 ? v ^ 1 : v))],
    ["a changed header", () => (_: number, b: Uint8Array) => b.map((v, i) => (i === 7 ? v ^ 2 : v))],
    ["another segment", swap(0, 64)], ["the same twice", swap(64, 0)],
  ] as const) {
    const p = await Pair.make({ large });
    p.relay.segments.get = get(p);
    const { c, n } = await p.run();
    assert.equal(fault(n.error), "check", name);
    assert.deepEqual([fault(c.error), c.error instanceof MoveError && c.error.why], ["ended", "integrity"], name);
    assert.deepEqual([p.n.home.did, p.c.home.did, await p.n.history.entries()], [[], [], []], name);
    assert.equal((await p.n.start()).state.account, "", name);
  }
});

test("segments that this phone has not sealed are not granted", async () => {
  const p = await Pair.make({ f: new Uint8Array(100) });
  let stranger: Uint8Array | undefined;
  p.relay.segments.get = (_, body) => (body === stranger || Buffer.compare(body, stranger ?? body.subarray(1)) === 0 ? body.subarray(0, 10) : body); // so that it is not opened
  p.relay.segments.put = (_, body) => {
    stranger ??= body.map((b, i) => (i === 40 ? b ^ 1 : b)); // another salt, so another leaf
    if (p.relay.segments.puts.length === 0) {
      p.relay.segments.puts.push(-1);
      p.relay.segments.stored.set(0, stranger);
      return 409;
    }
    return 0;
  };
  const { c, n } = await p.run();
  assert.equal(c.error ?? n.error, undefined);
  const restarted = p.c.events.find((e) => e.event === "restarted");
  assert.ok(restarted?.event === "restarted" && restarted.revision === 2 && /has not sealed/.test(restarted.reason));
});

test("what the server has had and has lost is sealed anew, in a new revision", async () => {
  const p = await Pair.make({ f: new Uint8Array(9_000_000) });
  p.relay.refuse.set("Seal", ["TRANSFER_INCOMPLETE"]);
  const lost = p.relay.segments.stored.delete.bind(p.relay.segments.stored);
  const { c, n } = await p.run({ send: { events: (e) => {
    p.c.hear(e);
    if (e.event === "retry" && e.reason === "transfer_incomplete") {
      lost(64);
      p.relay.segments.stored.delete(64);
    }
  } } });
  assert.equal(c.error ?? n.error, undefined);
  assert.ok(p.c.said().includes("restarted"));
});

test("another account, another app, other shares and other keys are refused", async () => {
  for (const [name, change, who, want] of [
    ["another account", (p: Pair) => { p.relay.commits = (s) => { s["account"] = "a_cccccccccccccccccccccccccc"; }; }, "n", "check"],
    ["another account for who signs in afterwards", (p: Pair) => {
      p.relay.commits = (s) => { s["token"] = ""; };
      p.relay.signsIn = (s) => { s["account"] = "a_cccccccccccccccccccccccccc"; };
    }, "n", "MISMATCH"],
    ["another app for the old phone", (p: Pair) => { p.relay.claims = (a) => { a["audience"] = "other@accounts.example.org"; }; }, "c", "check"],
    ["another server for the old phone", (p: Pair) => { p.relay.claims = (a) => { a["audience"] = "demo@elsewhere"; }; }, "c", "check"],
    ["a name that only the old phone has", (p: Pair) => {
      p.c.hosts = ["elsewhere"];
      p.relay.claims = (a) => { a["audience"] = "demo@elsewhere"; };
    }, "n", "check"],
    ["another offer", (p: Pair) => { p.relay.claims = (a) => { a["offer"] = "AAAA"; }; }, "c", "check"],
    ["another hold share", (p: Pair) => { p.relay.lie = (v) => { v.holdShare = v.holdShare.map((b) => b ^ 1); }; }, "n", "check"],
    ["another commit share", (p: Pair) => { p.relay.lie = (v) => { v.commitShare = v.commitShare.map((b) => b ^ 1); }; }, "n", "keys_closed"],
    ["another box", (p: Pair) => { p.relay.lie = (v) => { v.sealed = v.sealed.map((b, i) => (i === 3 ? b ^ 1 : b)); }; }, "n", "keys_closed"],
    ["other sealing keys", (p: Pair) => { p.n.home.sealingKey = () => Promise.resolve(new Uint8Array(32)); }, "n", "keys_closed"],
  ] as const) {
    const p = await Pair.make({ f: Uint8Array.of(1) });
    change(p);
    const out = await p.run();
    assert.equal(fault(out[who].error), want, name);
    assert.equal(p.relay.has("ack"), undefined, name);
  }
});

test("a server that calls itself another one gets no code from the new phone", async () => {
  for (const [audience, hosts] of [
    ["demo@elsewhere", []], ["demo@localhost", []], ["demo@accounts.example.org.evil.example", []], ["demo@accounts.example.org:1", []], ["demo@", []],
    ["demo@elsewhere", ["elsewhere.example.org"]],
  ] as const) {
    const p = await Pair.make();
    [p.relay.audience, p.n.hosts] = [audience, hosts];
    await assert.rejects(p.n.receive(), (err) => fault(err) === "check", audience);
    assert.deepEqual(p.n.said(), [], audience);
  }
});

test("a server that both phones know by another name than its address is their own", async () => {
  const p = await Pair.make({ f: Uint8Array.of(1) });
  p.relay.audience = "demo@elsewhere.example.org";
  p.n.hosts = p.c.hosts = ["www.example.org", "Elsewhere.example.org"];
  const { c, n } = await p.run();
  assert.equal(c.error ?? n.error, undefined);
});

test("a phone that is not trusted gets no hello", async () => {
  for (const [name, trust] of [
    ["refused", { verify: () => Promise.resolve({ accepted: false, key: new Uint8Array(), findings: [{ code: "EMULATOR", detail: "", effect: "reject" }] }) }],
    ["another key", { verify: () => Promise.resolve({ accepted: true, key: new Uint8Array(91), findings: [] }) }],
  ] as const) {
    const p = await Pair.make();
    const { c, n } = await p.run({ send: { trust } });
    assert.equal(fault(c.error), "check", name);
    assert.ok(n.error instanceof MoveError && n.error.why === "device_rejected", name);
    assert.equal(p.relay.has("hello"), undefined, name);
  }
});

test("what was sealed is opened by nobody once the new phone has its keys", async () => {
  const p = await Pair.moved();
  const half = async (h: Handset, role: string) => ((await h.store.read(`move/${role}/move`)) as { half: Uint8Array }).half;
  const options = async (h: Handset) => ({ device: (await h.start()).core.key as DeviceKey, trust: believing, audience: "demo@localhost" });
  const sender = await Sender.restore(await half(p.c, "send"), {
    ...await options(p.c), schema: 1, bytes: 0, account: "a", deviceId: "d", info: { model: "m", os: "o", app: "a" }, label: "",
  });
  await assert.rejects(sender.bulkKey(), { code: "erased" });
  const receiver = await Receiver.restore(await half(p.n, "receive"), await options(p.n));
  await assert.rejects(receiver.bulkKey(Secret.of(zeros)), { code: "erased" });
});

test("segments are sent to no other server", async () => {
  const p = await Pair.make({ f: Uint8Array.of(1) });
  const modes: unknown[] = [];
  const plain = p.relay.fetch;
  Object.assign(p.relay, { fetch: (url: string, init?: RequestInit) => {
    modes.push([init?.redirect, init?.credentials]);
    return plain(url, init);
  } });
  p.relay.segments.put = () => 307;
  const { c } = await p.run();
  assert.ok(c.error !== undefined);
  assert.deepEqual(new Set(modes.map((m) => JSON.stringify(m))), new Set(['["manual","omit"]']));
});

test("a code that a server lets live for ages is one code", async () => {
  const p = await Pair.make();
  p.relay.ttl = 2 ** 33;
  const { c, n } = await p.run();
  assert.equal(c.error ?? n.error, undefined);
  assert.equal(p.relay.calls.filter((name) => name === "Begin").length, 1);
});

test("an answer without an end is not read to its end", async () => {
  let sent = 0;
  const endless = new ReadableStream<Uint8Array>({
    pull: (to) => {
      sent += 1 << 20;
      to.enqueue(new Uint8Array(1 << 20).fill(0x20));
      if (sent >= 64 << 20) { // else a phone that reads on would never fail
        to.close();
      }
    },
  });
  const bulk = new Bulk({ url: "https://s.example", app: "demo", transfer: "t_x", token: zeros, fetch: () => Promise.resolve(new Response(endless)) });
  await assert.rejects(bulk.list(1, new AbortController().signal).next(), { reason: "ANSWER" });
  assert.ok(sent < 8 << 20, `${sent} bytes`);
});
