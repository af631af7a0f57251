import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";

import { Phone } from "../src/index.js";
import { stateName } from "../src/phone/state.js";
import { MemoryStore } from "../src/software/index.js";
import { aDevice, anAccount, answers, aToken, enrolledPhone, FakeServer, type Handler, newPhone, options, Refusal, signed } from "./fake.js";

const status = () => ({ account: anAccount, accountState: "STATE_ACTIVE", device: aDevice, deviceState: "STATE_ACTIVE", name: "Pixel", platform: "PLATFORM_ANDROID" });
const begins: Record<string, Handler> = {
  BeginSignIn: () => ({ ceremony: "y", options: options() }),
  FinishSignIn: () => ({ signed: signed() }),
  BeginStepUp: () => ({ ceremony: "y", options: options() }),
  FinishStepUp: () => ({}),
};

test("calls carry key, session and app", async () => {
  const { phone, server } = await enrolledPhone({ GetStatus: status });
  assert.equal((await phone.status()).name, "Pixel");
  const h = server.seen[0]?.headers;
  assert.equal(h?.get("authorization"), `Staunch ${aToken}`);
  assert.equal(h?.get("staunch-app"), "demo");
  assert.match(h?.get("signature-input") ?? "", new RegExp(`^staunch=\\("@method" "@authority" "@path" "@query" "content-digest" "content-type" "authorization" "staunch-app"\\);.*keyid="${phone.state.key}"`));
});

test("a call that needs more signs in or steps up, once", async () => {
  for (const [name, refusals, calls] of [
    ["a fresh session", [new Refusal("STEP_UP_REQUIRED", "failed_precondition", { need: "fresh" })], ["BeginStepUp", "FinishStepUp"]],
    ["a session", [new Refusal("SESSION_REQUIRED")], ["GetStatus", "BeginSignIn", "FinishSignIn"]],
    ["one that has not ended", [new Refusal("SESSION_ENDED"), new Refusal("SESSION_REQUIRED")], ["ListDevices", "GetStatus", "BeginSignIn", "FinishSignIn"]],
  ] as const) {
    const left: Refusal[] = [...refusals];
    const { phone, server } = await enrolledPhone({ ...begins, GetStatus: status, ListDevices: () => left.shift() ?? { devices: [] } });
    await phone.devices();
    assert.deepEqual(server.calls(), ["ListDevices", ...calls, "ListDevices"], name);
  }
  const exact = await enrolledPhone({ ListDevices: () => new Refusal("STEP_UP_REQUIRED", "failed_precondition", { need: "exact" }) });
  await assert.rejects(exact.phone.devices(), { reason: "STEP_UP_REQUIRED", code: "failed_precondition", details: { need: "exact" } });
  const removed = await enrolledPhone({ ListDevices: () => new Refusal("SESSION_REQUIRED"), GetStatus: () => new Refusal("SESSION_REQUIRED") });
  await assert.rejects(removed.phone.devices(), { reason: "DEVICE_NOT_FOUND" });
});

test("a phone signs in to its own account", async () => {
  for (const state of [{}, { account: "", began: { flow: "move", account: anAccount } }]) {
    const { phone, store } = await enrolledPhone({ ...begins, FinishSignIn: () => ({ signed: signed("a_cccccccccccccccccccccccccc") }) }, {}, state);
    const { signIn } = await import("../src/phone/session.js");
    await assert.rejects(signIn(phone.core), { reason: "MISMATCH" });
    assert.notEqual((await store.read(stateName) as { account: string }).account, "a_cccccccccccccccccccccccccc");
    assert.equal(phone.state.session, "");
  }
});

test("a wrong clock is corrected once, by the server's time", async () => {
  const off = 3_600_000;
  let n = 0;
  const { phone, server } = await enrolledPhone({
    GetStatus: () => (n++ === 0 ? new Refusal("PROOF_INVALID", "unauthenticated", { server_time: new Date(Date.now() + off).toISOString() }) : status()),
  });
  await phone.status();
  const created = server.seen.map((s) => Number(/created=(\d+)/.exec(s.headers.get("signature-input") ?? "")?.[1]));
  assert.equal(Math.round(((created[1] ?? 0) - (created[0] ?? 0)) / 60), 60);
  assert.ok(Math.abs(phone.serverNow().getTime() - Date.now() - off) < 10_000);
});

test("a server that is away is asked again, but for what may have been done", async () => {
  let n = 0;
  const away = await enrolledPhone({
    GetStatus: () => [new Refusal("STORE_AWAY", "unavailable"), new Refusal("", "unavailable"), new Refusal("CANCELED", "canceled")][n++] ?? status(), // the last one is said by a server that stops
  }, { patience: 5_000 });
  await away.phone.status();
  assert.equal(n, 4);
  const nonces = new Set(away.server.seen.map((s) => /nonce="([^"]+)"/.exec(s.headers.get("signature-input") ?? "")?.[1]));
  assert.equal(nonces.size, 4, "each try is signed anew");

  const lost = await enrolledPhone({ Veto: () => { throw new TypeError("reset"); } }, { patience: 5_000 });
  await assert.rejects(lost.phone.veto("d_y"), { reason: "UNREACHABLE" });
  assert.deepEqual(lost.server.calls(), ["Veto"]);

  const gone = await enrolledPhone({});
  await assert.rejects(gone.phone.status(), { reason: "UNREACHABLE" });
  assert.ok(gone.server.seen.length > 1);
});

test("an answer that is none is not believed", async () => {
  for (const [name, answer] of [
    ["a redirect", () => new Response(null, { status: 307, headers: { location: "https://evil.example/" } })],
    ["more than a megabyte", () => new Response(new Uint8Array((1 << 20) + 1), { headers: { "content-type": "application/json" } })],
  ] as const) {
    const { phone, server } = await enrolledPhone({ GetStatus: answer });
    await assert.rejects(phone.status(), { reason: "ANSWER" }, name);
    assert.equal(server.seen.length, 1, name);
  }
});

test("results of prf stay here", async () => {
  const leaking = { clientExtensionResults: { prf: { enabled: true, results: { first: "c2VjcmV0" } }, PRF: [{ Results: 1 }], hmacGetSecret: { output1: "x" }, credProps: { rk: true } } };
  const passkeys = { create: answers.create, get: async (o: PublicKeyCredentialRequestOptionsJSON) => ({ ...await answers.get(o), ...leaking } as AuthenticationResponseJSON) };
  const { phone, server } = await enrolledPhone(begins, { passkeys });
  await phone.signIn();
  const { response } = server.seen.at(-1)?.body as { response: string };
  assert.deepEqual((JSON.parse(response) as typeof leaking).clientExtensionResults, { prf: { enabled: true }, PRF: [{}], credProps: { rk: true } });
});

test("a request to the app's backend is signed, without the session", async () => {
  const { phone, server } = await enrolledPhone({ remit: () => ({ paid: true }) });
  const res = await phone.fetch("https://pay.example.com/v1/remit", { method: "POST", body: '{"amount":12}', headers: { "content-type": "application/json" } });
  assert.deepEqual(await res.json(), { paid: true });
  const { headers, url } = server.seen[0] ?? assert.fail();
  assert.equal(url.host, "pay.example.com");
  assert.equal(headers.get("authorization"), null);
  assert.equal(headers.get("staunch-app"), null);
  assert.match(headers.get("signature-input") ?? "", /"content-digest" "content-type"\)/);
});

test("options and stores that cannot be are refused", async () => {
  const ok = { url: "https://a.example", hardware: undefined as never, passkeys: answers, store: new MemoryStore() };
  for (const url of ["", "ftp://a", "http://accounts.example.org", "http://localhost.example.org", "https://user@a", "https://a/?q", "https://a/path"]) {
    await assert.rejects(Phone.open({ ...ok, url }), { reason: "OPTIONS" }, url);
  }
  for (const host of ["", "https://accounts.example.org", "accounts.example.org:443", "demo@accounts.example.org"]) {
    await assert.rejects(Phone.open({ ...ok, url: "https://accounts.example.org", hosts: [host] }), { reason: "OPTIONS" }, host);
  }
  for (const url of ["http://localhost:8080", "http://127.0.0.1:1", "http://[::1]:1/", "http://console.localhost:1", "https://a/"]) {
    assert.equal((await Phone.open({ ...ok, url })).core.url, new URL(url).origin);
  }
  const { store } = await enrolledPhone({});
  await assert.rejects(enrolledPhone({}, { app: "other" }), { reason: "OPTIONS" });
  await store.write({ [stateName]: { v: 2 } });
  await assert.rejects(Phone.open({ ...ok, store }), { reason: "STORE" });
});

test("what is printed has no secrets", async () => {
  const { phone } = await enrolledPhone({});
  for (const text of [inspect(phone, { depth: 10, showHidden: true }), JSON.stringify(phone.core), JSON.stringify(phone.state), String(phone)]) {
    assert.ok(!text.includes(aToken), text);
  }
});

test("enrolling is unsigned first, and the key is kept before the server knows it", async () => {
  let kept: unknown;
  const rig = await newPhone({
    BeginEnrol: () => ({ ceremony: "y", options: options(), challenge: "AAAA", account: anAccount, app: "demo" }),
    FinishEnrol: async () => {
      kept = await rig.store.read(stateName);
      return { signed: signed(), freezeCode: "paper", name: "Pixel", platform: "PLATFORM_ANDROID" };
    },
  });
  const e = await rig.phone.enroll({ name: "Pixel" });
  assert.equal(e.freezeCode, "paper");
  assert.equal(rig.phone.state.account, anAccount);
  assert.equal(rig.phone.state.began, undefined);
  const [begin, finish] = rig.server.seen;
  assert.equal(begin?.headers.get("signature"), null);
  assert.match(finish?.headers.get("signature-input") ?? "", new RegExp(rig.phone.state.key));
  const { key, began } = kept as { key: string; began: { flow: string; account: string } };
  assert.deepEqual([key, began.flow, began.account], [rig.phone.state.key, "enrol", anAccount]);
  await assert.rejects(rig.phone.enroll({ name: "Again" }), { reason: "ENROLLED" });
});

test("an enrolment whose answer got lost is found out about", async () => {
  const approval = (await import("./renewal.js")).renewal;
  const rig = await newPhone({
    ...begins, ...approval(anAccount), GetStatus: status, ListDevices: () => ({ devices: [{ device: aDevice, this: true, addedAt: "2026-01-02T03:04:05Z" }] }),
    BeginEnrol: () => ({ ceremony: "y", options: options(), challenge: "AAAA", account: anAccount, app: "demo" }),
    FinishEnrol: () => { throw new TypeError("reset"); },
  });
  const e = await rig.phone.enroll({ name: "Pixel" });
  assert.deepEqual([e.account, e.freezeCode, e.at?.toISOString()], [anAccount, "new", "2026-01-02T03:04:05.000Z"]);
  assert.equal(rig.server.calls().filter((c) => c === "FinishEnrol").length, 1);
  assert.equal(rig.phone.state.began, undefined);
});

test("a server of another app is not enrolled at", async () => {
  const rig = await newPhone({ BeginEnrol: () => ({ ceremony: "y", options: options(), challenge: "AAAA", account: anAccount, app: "other" }) }, { app: "demo" });
  await assert.rejects(rig.phone.enroll({ name: "Pixel" }), { reason: "MISMATCH" });
  assert.ok(rig.server instanceof FakeServer && rig.phone.state.key === "");
});
