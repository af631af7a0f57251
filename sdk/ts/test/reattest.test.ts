import assert from "node:assert/strict";
import { test } from "node:test";

import { base64, base64url, concat, equal, u32, utf8 } from "../src/bytes.js";
import { Phone } from "../src/index.js";
import { challengeOf } from "../src/phone/approve.js";
import { reasonOf } from "../src/phone/errors.js";
import { stateName } from "../src/phone/state.js";
import { MemoryStore, SoftwareHardware } from "../src/software/index.js";
import { anAccount, aDevice, answers, aToken, FakeServer, options, Refusal } from "./fake.js";

const anApproval = "v_bbbbbbbbbbbbbbbbbbbbbbbbbb";

/** Renewal is a device that is attested anew, at a server that knows one key of it. */
class Renewal {
  readonly store = new MemoryStore();
  readonly hardware = new SoftwareHardware(this.store, () => Promise.resolve({ platform: "android", certificateChain: [Uint8Array.of(1)] }));
  old = "";
  known = "";
  device = aDevice;
  locked = false;
  lose = false;
  refuse: Refusal | undefined;
  proof: Uint8Array = new Uint8Array();
  skip = 0; // ms that the clock is ahead
  readonly server = new FakeServer({
    GetStatus: ({ headers }) => (this.#by(headers) !== this.known ? new Refusal("PROOF_INVALID", "unauthenticated")
      : { account: anAccount, device: this.device, deviceState: this.locked ? "STATE_LOCKED" : "STATE_ACTIVE" }),
    BeginDevice: () => ({ app: "demo", challenge: base64(new Uint8Array(32)) }),
    ProposeAction: async ({ body }) => {
      const pre = {
        app: "demo", account: anAccount, approval: anApproval, action: String(body["action"]), params: utf8(String(body["params"])), text: "Unlock?",
        nonce: new Uint8Array(32), expires: 0n,
      };
      return {
        approval: { approval: anApproval, account: anAccount, action: pre.action, params: body["params"], text: pre.text },
        preimage: { ...pre, params: base64(pre.params), nonce: base64(pre.nonce), expires: "0" },
        ceremony: "y", options: options(base64url(await challengeOf(pre))),
      };
    },
    ConfirmAction: ({ body }) => (body["locked"] === true ? {} : new Refusal("NOT_ALLOWED")),
    Reattest: async ({ headers, body }) => {
      const next = (await this.kept()).next?.key ?? "";
      assert.equal(this.#by(headers), next, "the new key signs, and is kept before the server hears of it");
      if (this.refuse !== undefined) {
        return this.refuse;
      }
      this.proof = new Uint8Array(Buffer.from(String(body["oldProof"]), "base64"));
      this.known = next;
      if (this.lose) {
        this.lose = false;
        throw new TypeError("the answer is lost");
      }
      return {};
    },
  });

  #by(headers: Headers): string {
    return /keyid="([^"]*)"/.exec(headers.get("signature-input") ?? "")?.[1] ?? "";
  }

  static async make(): Promise<Renewal> {
    const r = new Renewal();
    const { key } = await r.hardware.newKey(new Uint8Array(32));
    r.old = r.known = key.id;
    await r.store.write({ [stateName]: { v: 1, app: "demo", account: anAccount, device: aDevice, passkey: "c_x", session: "s_x", key: key.id, token: aToken } });
    return r;
  }

  async kept(): Promise<{ key: string; next?: { key: string; until: Date } }> {
    return await this.store.read(stateName) as { key: string; next?: { key: string; until: Date } };
  }

  /** run is the phone's program, as it starts with what was kept. */
  async run(): Promise<void> {
    const phone = await Phone.open({
      url: "https://accounts.example.org", hardware: this.hardware, passkeys: answers, store: this.store, fetch: this.server.fetch, patience: 500, now: () => Date.now() + this.skip,
    });
    await phone.reattest(() => undefined);
    assert.equal(phone.state.key, (await this.kept()).key);
  }
}

test("a device gets a new key", async () => {
  for (const [name, bend, reason, calls] of [
    ["as it should be", () => undefined, "", "GetStatus BeginDevice Reattest"],
    ["the answer is lost", (r: Renewal) => { r.lose = true; }, "", "GetStatus BeginDevice Reattest GetStatus"],
    ["refused", (r: Renewal) => { r.refuse = new Refusal("DEVICE_UNTRUSTED", "permission_denied"); }, "DEVICE_UNTRUSTED", "GetStatus BeginDevice Reattest"],
    ["locked", (r: Renewal) => { r.locked = true; }, "", "GetStatus BeginDevice ProposeAction ConfirmAction Reattest"],
    ["unknown", (r: Renewal) => { r.known = "another"; }, "PROOF_INVALID", "GetStatus"],
  ] as const) {
    const r = await Renewal.make();
    bend(r);
    const out = await r.run().then(() => "", (err: unknown) => reasonOf(err) || String(err));
    assert.equal(out, reason, name);
    assert.equal(r.server.calls().join(" "), calls, name);
    const kept = await r.kept();
    assert.equal(kept.next, undefined, name);
    assert.equal(kept.key === r.old, reason !== "", name);
    if (reason === "" && !r.locked) {
      const [old, next] = [await r.hardware.open(r.old), await r.hardware.open(kept.key)];
      const value = new Uint8Array(await crypto.subtle.digest("SHA-256", concat(utf8("staunch/reattest/v1\0"), u32(next.spki.length), next.spki)));
      const pub = await crypto.subtle.importKey("spki", old.spki, { name: "ECDSA", namedCurve: "P-256" }, true, ["verify"]);
      assert.ok(await crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, pub, new Uint8Array(r.proof), concat(utf8("staunch/device-proof/v1\0"), value)), name);
    } else if (r.locked) {
      assert.ok(equal(r.proof, utf8(anApproval)), name);
    }
  }
});

test("a phone that was cut off finds out what has become of its new key", async () => {
  for (const [name, arrives, later, reason] of [
    ["it had arrived", true, 0, ""],
    ["it may still arrive", false, 60_000, "UNFINISHED"],
    ["it can arrive no more", false, 660_000, ""],
  ] as const) {
    const r = await Renewal.make();
    r.refuse = new Refusal("", "unavailable");
    await assert.rejects(r.run(), (err) => reasonOf(err) === "UNREACHABLE", name);
    const { key, next } = await r.kept();
    assert.equal(key, r.old, name);
    assert.ok(next, name);
    [r.refuse, r.skip] = [undefined, later];
    if (arrives) {
      r.known = next.key;
    }
    assert.equal(await r.run().then(() => "", reasonOf), reason, name);
    const kept = await r.kept();
    assert.deepEqual([kept.key === next.key, kept.key === r.old, kept.next?.key], [arrives, reason !== "", reason === "" ? undefined : next.key], name);
  }
  const r = await Renewal.make();
  [r.lose, r.device] = [true, "d_cccccccccccccccccccccccccc"];
  await assert.rejects(r.run(), (err) => reasonOf(err) === "MISMATCH");
});
