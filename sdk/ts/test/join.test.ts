import assert from "node:assert/strict";
import { test } from "node:test";

import { base64, utf8 } from "../src/bytes.js";
import { joinCode, keysHash, parseJoinCode } from "../src/phone/join.js";
import { anAccount, aDevice, enrolledPhone, type Handler, newPhone, options, type Rig, signed, stream } from "./fake.js";

const aJoin = "j_bbbbbbbbbbbbbbbbbbbbbbbbbb";
const sealing = { alg: "X25519", key: utf8("k".repeat(32)) };
const inAMinute = () => new Date(Date.now() + 60_000).toISOString();

/** joining answers a new phone. */
function joining(change: Record<string, Handler> = {}): { rig: Promise<Rig>; codes: string[] } {
  const codes: string[] = [];
  const rig: Promise<Rig> = newPhone({
    BeginDevice: () => ({ challenge: "AAAA", app: "demo" }),
    RequestJoin: async () => {
      const { phone } = await rig;
      const code = joinCode(aJoin, await keysHash(phone.state.key, sealing.alg, sealing.key));
      codes.push(code);
      return { join: aJoin, code, number: "42", expiresAt: inAMinute() };
    },
    WaitJoin: () => stream([{ join: aJoin, state: "JOIN_STATE_OPEN" }, { join: aJoin, state: "JOIN_STATE_CONFIRMED", account: anAccount, ceremony: "y", options: options() }]),
    FinishJoin: () => ({ signed: { ...signed(), deviceState: "STATE_HELD" } }),
    ListDevices: () => ({ devices: [{ device: aDevice, this: true, platform: "PLATFORM_ANDROID" }] }),
    ...change,
  });
  return { rig, codes };
}

test("a new phone shows the code of its own keys, waits, and is in", async () => {
  const { rig, codes } = joining();
  const { phone } = await rig;
  const shown: string[] = [];
  const e = await phone.join({ name: "Pixel", sealing }, (j) => { shown.push(j.code, j.number); });
  assert.deepEqual(shown, [codes[0], "42"]);
  assert.deepEqual([e.account, e.deviceState, e.platform, phone.state.began], [anAccount, "held", "android", undefined]);
});

test("a code of other keys is shown to nobody", async () => {
  for (const [name, key, alg, sealed] of [
    ["another key", "x".repeat(43), sealing.alg, sealing.key], ["another sealing key", "", sealing.alg, utf8("other")], ["another kind of it", "", "X448", sealing.key],
  ] as const) {
    const { rig } = joining({ RequestJoin: async () => ({ join: aJoin, number: "42", expiresAt: inAMinute(), code: joinCode(aJoin, await keysHash(key || (await rig).phone.state.key, alg, sealed)) }) });
    await assert.rejects((await rig).phone.join({ name: "Pixel", sealing }, () => assert.fail("shown")), { reason: "MISMATCH" }, name);
  }
});

test("a stream that breaks off is opened again", async () => {
  let n = 0;
  const { rig } = joining({ WaitJoin: () => (n++ < 2 ? stream([{ join: aJoin, state: "JOIN_STATE_OPEN" }], n === 1) : stream([{ join: aJoin, state: "JOIN_STATE_CONFIRMED", account: anAccount, ceremony: "y", options: options() }])) });
  await (await rig).phone.join({ name: "Pixel", sealing }, () => undefined);
  assert.equal(n, 3);
});

test("a join that is refused is over, and another may begin", async () => {
  const { rig } = joining({ WaitJoin: () => stream([{ join: aJoin, state: "JOIN_STATE_DENIED" }]) });
  const { phone } = await rig;
  await assert.rejects(phone.join({ name: "Pixel", sealing }, () => undefined), { reason: "JOIN_OVER" });
  assert.equal(phone.state.began, undefined);
});

test("a caller may stop waiting, and go on later", async () => {
  const stop = new AbortController();
  const { rig, codes } = joining({ WaitJoin: () => stream([{ join: aJoin, state: "JOIN_STATE_OPEN" }]), GetStatus: () => { throw new TypeError("away"); } });
  const { phone } = await rig;
  await assert.rejects(phone.join({ name: "Pixel", sealing }, () => stop.abort(), stop.signal), { reason: "ABORTED" });
  assert.equal(phone.state.began?.code, codes[0]);
});

test("what another device shows is compared with the code", async () => {
  const hash = await keysHash("k".repeat(43), sealing.alg, sealing.key);
  const other = await keysHash("x".repeat(43), sealing.alg, sealing.key);
  const code = joinCode(aJoin, hash);
  for (const [name, answer, reason] of [
    ["the device", { join: aJoin, keysHash: base64(hash) }, ""],
    ["other keys", { join: aJoin, keysHash: base64(other) }, "JOIN_KEYS"],
    ["another join", { join: "j_cccccccccccccccccccccccccc", keysHash: base64(hash) }, "JOIN_KEYS"],
    ["no keys", { join: aJoin }, "JOIN_KEYS"],
  ] as const) {
    const { phone } = await enrolledPhone({ GetJoin: () => ({ ...answer, kind: "JOIN_KIND_PHONE", name: "Pixel" }) });
    if (reason === "") {
      assert.deepEqual([(await phone.readJoin(code)).name, (await phone.readJoin(code)).kind], ["Pixel", "phone"]);
    } else {
      await assert.rejects(phone.readJoin(code), { reason }, name);
    }
  }
});

test("codes have one form", () => {
  const good = `staunch-join:${aJoin}.AAAAAAAAAAAAAAAAAAAAAA`;
  assert.deepEqual(parseJoinCode(good), { id: aJoin, hash: new Uint8Array(16) });
  for (const [name, code] of Object.entries({
    "empty": "", "no prefix": good.slice(13), "no hash": good.split(".")[0] as string, "a short hash": good.slice(0, -1), "padded": `${good}==`,
    "bits behind the hash": `${good.slice(0, -1)}B`, "another id": good.replace("j_", "a_"), "more": `${good} `, "a line": `${good}\n`,
  })) {
    assert.throws(() => parseJoinCode(code), { reason: "CODE" }, name);
  }
});
