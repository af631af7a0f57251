import assert from "node:assert/strict";

import { Phone } from "../../src/index.js";
import { MemoryStore, SoftwarePasskeys } from "../../src/software/index.js";
import type { Context } from "./phone.js";

/** tour uses every method of a phone that needs no other device, once, against a real server. */
export async function tour({ phone, store, setup }: Context): Promise<object> {
  const { account, device, freezeCode = "" } = await phone.enroll({ name: "Tourist", hints: { model: "Node" } });
  assert.ok(freezeCode.length > 10);

  // Sessions.
  const first = phone.state.session;
  await phone.signIn();
  assert.notEqual(phone.state.session, first);
  await phone.stepUp();
  await phone.signOut();
  assert.deepEqual([phone.state.session, phone.state.account], ["", account]);
  assert.equal((await phone.devices()).length, 1); // signs in by itself, if it must
  await phone.signOutOthers();
  assert.equal((await phone.sessions()).length, 1);

  // Device and account.
  await phone.rename(device, "Renamed");
  const st = await phone.status();
  assert.deepEqual([st.name, st.account], ["Renamed", account]);
  const whole = await phone.account();
  assert.deepEqual([whole.devices.length, whole.passkeys.length], [1, 1]);

  // A second passkey, on an authenticator of its own.
  const own = new SoftwarePasskeys({ store, origin: setup.origin });
  const other = new SoftwarePasskeys({ store: new MemoryStore(), origin: setup.origin });
  const both = await Phone.open({ url: setup.url, hardware: phone.core.hardware, store, passkeys: { create: (o) => other.create(o), get: (o) => own.get(o) } });
  const added = await both.addPasskey("Spare");
  assert.equal((await phone.listPasskeys()).length, 2);
  await phone.renamePasskey(added?.passkey ?? "", "Other");
  assert.ok((await phone.listPasskeys()).some((p) => p.name === "Other"));
  await phone.removePasskey(added?.passkey ?? "");
  assert.equal((await phone.listPasskeys()).length, 1);

  // Approvals.
  const open = await phone.propose("freeze_code.renew");
  assert.deepEqual((await phone.approvals()).map((a) => a.approval), [open.id]);
  assert.equal((await phone.openApproval(open.id)).text, open.text);
  await phone.deny(open.id);
  assert.equal((await phone.approvals()).length, 0);
  const code = await phone.renewFreezeCode();
  assert.notEqual(code, freezeCode);

  // Freezing, by hand and by code.
  assert.deepEqual(await phone.freeze(), { state: "frozen", changed: true });
  assert.deepEqual(await phone.freeze(), { state: "frozen", changed: false });
  assert.equal((await phone.unfreeze()).state, "active");
  assert.deepEqual(await phone.unfreeze(), { state: "active", changed: false });
  await phone.freezeByCode(code);
  assert.equal((await phone.unfreeze()).changed, true);

  // What the owner was told: of what this phone has done itself, nothing.
  const alerts = await phone.alerts();
  const stop = new AbortController();
  const followed: number[] = [];
  await assert.rejects(phone.followAlerts(0, (a) => {
    followed.push(a.seq);
    if (a.seq === alerts.at(-1)?.seq) {
      stop.abort();
    }
  }, stop.signal), { reason: "ABORTED" });
  assert.deepEqual(followed, alerts.map((a) => a.seq));
  await phone.ackAlerts(alerts.at(-1)?.seq ?? 0);
  assert.equal((await phone.status()).rest?.alertsUnread, 0);

  return { account, alerts: alerts.map((a) => a.kind) };
}
