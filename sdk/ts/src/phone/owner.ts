/** What an owner does with account, devices, sessions and passkeys. */
import { timestampDate } from "@bufbuild/protobuf/wkt";

import type { GetAccountResponse, GetStatusResponse } from "../gen/staunch/account/v1/account_pb.js";
import { type Device, type Passkey, type Session, State } from "../gen/staunch/account/v1/nouns_pb.js";
import { approve, type Show } from "./approve.js";
import { type Core, lower } from "./core.js";
import { reasonOf } from "./errors.js";
import { asNeeded } from "./session.js";

/** Thawed is what an unfreeze leaves. */
export interface Thawed {
  readonly state: string;
  readonly changed: boolean;
  /** Absent: it does not wait. */
  readonly opensAt?: Date;
}

export const status = (core: Core): Promise<GetStatusResponse> => asNeeded(core, () => core.calls.accounts.getStatus({}));
export const account = (core: Core): Promise<GetAccountResponse> => asNeeded(core, () => core.calls.accounts.getAccount({}));
export const devices = async (core: Core): Promise<readonly Device[]> => (await asNeeded(core, () => core.calls.accounts.listDevices({}))).devices;
export const sessions = async (core: Core): Promise<readonly Session[]> => (await asNeeded(core, () => core.calls.accounts.listSessions({}))).sessions;
export const passkeys = async (core: Core): Promise<readonly Passkey[]> => (await asNeeded(core, () => core.calls.passkeys.list({}))).passkeys;

/** freeze stops the account. Again it does nothing, and changed is false. */
export async function freeze(core: Core, device = ""): Promise<{ readonly state: string; readonly changed: boolean }> {
  const m = await asNeeded(core, () => core.calls.accounts.freeze({ device }));
  return { state: lower(State, m.state), changed: m.changed };
}

/** unfreeze thaws the account: at once, or after a wait where the device cools off. */
export async function unfreeze(core: Core, show?: Show): Promise<Thawed> {
  const st = await status(core);
  if (st.accountState !== State.FROZEN) {
    return { state: lower(State, st.accountState), changed: false };
  }
  const waits = st.deviceState === State.HELD // what this device has begun waits on
    ? st.rest?.pending.find((w) => w.action === "account.unfreeze" && w.device === st.device) : undefined;
  if (waits?.opensAt) {
    return { state: "frozen", changed: false, opensAt: timestampDate(waits.opensAt) };
  }
  const r = await approve(core, "account.unfreeze", {}, show) as { state?: string; opens_at?: string };
  return r.opens_at === undefined ? { state: r.state ?? "", changed: true } : { state: "frozen", changed: false, opensAt: new Date(r.opens_at) };
}

/** freezeByCode stops the account that a freeze code is of. It needs no account here, and answers alike whether or not there is one. */
export async function freezeByCode(core: Core, code: string): Promise<void> {
  await core.calls.accounts.freezeByCode({ code }, { unsigned: true });
}

/** veto removes a device that cools off. It gives the account's state. */
export async function veto(core: Core, device: string): Promise<string> {
  return lower(State, (await asNeeded(core, () => core.calls.accounts.veto({ target: { case: "device", value: device } }))).accountState);
}

/** vetoPending cancels an action that waits. It gives the account's state. */
export async function vetoPending(core: Core, pending: string): Promise<string> {
  return lower(State, (await asNeeded(core, () => core.calls.accounts.veto({ target: { case: "pending", value: pending } }))).accountState);
}

/** rename renames a device. */
export async function rename(core: Core, device: string, name: string): Promise<void> {
  await asNeeded(core, () => core.calls.accounts.rename({ device, name }));
}

/** leave takes this device out of its account, and forgets the account here. */
export async function leave(core: Core): Promise<void> {
  try {
    await asNeeded(core, () => core.calls.accounts.leaveDevice({}));
  } catch (err) {
    if (reasonOf(err) !== "DEVICE_NOT_FOUND") { // left already, and the answer got lost
      throw err;
    }
  }
  await core.forget();
}

/** signOut ends this session. The phone stays enrolled. */
export async function signOut(core: Core): Promise<void> {
  if (core.signedOut) {
    return;
  }
  try {
    await core.calls.accounts.signOut({});
  } catch (err) {
    if (reasonOf(err) !== "SESSION_ENDED") {
      throw err;
    }
  }
  await core.dropSession();
}

/** signOutOthers ends all sessions but this one, and what was begun elsewhere. */
export async function signOutOthers(core: Core): Promise<void> {
  await asNeeded(core, () => core.calls.accounts.signOutOthers({}));
}

/** addPasskey makes one more passkey for the account. */
export async function addPasskey(core: Core, name: string): Promise<Passkey | undefined> {
  const b = await asNeeded(core, () => core.calls.passkeys.beginAdd({}));
  const response = await core.create(b.options);
  return (await core.calls.passkeys.finishAdd({ ceremony: b.ceremony, response, name })).passkey;
}

/** removePasskey removes one. It asks for a passkey over this very action. */
export async function removePasskey(core: Core, credential: string, show?: Show): Promise<void> {
  await approve(core, "credential.remove", { credential }, show);
}

/** removeDevice removes another device. It asks for a passkey over this very action. */
export async function removeDevice(core: Core, device: string, show?: Show): Promise<void> {
  await approve(core, "device.remove", { device }, show);
}

/** renamePasskey renames one. */
export async function renamePasskey(core: Core, passkey: string, name: string): Promise<void> {
  await asNeeded(core, () => core.calls.passkeys.rename({ passkey, name }));
}
