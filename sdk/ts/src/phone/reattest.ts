/** A new attested key for a device that has an account. */
import { type Bytes, concat, copy, u32, utf8 } from "../bytes.js";
import { Platform, State } from "../gen/staunch/account/v1/nouns_pb.js";
import { propose, type Show } from "./approve.js";
import type { Core } from "./core.js";
import { StaunchError } from "./errors.js";
import type { DeviceKey, NewKey } from "./ports.js";
import { asNeeded, stranger } from "./session.js";
import { firstPause, mostPause, uncertain, wait } from "./tries.js";

/** How long a call that got lost may still arrive: the server takes none that was signed longer ago. ms */
const nextLife = 600_000;

/** reattest: see Phone. */
export async function reattest(core: Core, show?: Show): Promise<void> {
  const { account, began, next } = core.state;
  if (account === "" || began !== undefined) {
    throw account === "" ? new StaunchError("NOT_ENROLLED", "client: this phone has no account: enrol or join first")
      : new StaunchError("UNFINISHED", `client: this phone has begun something else (${began?.flow ?? ""}). Finish that, or give its store up`);
  }
  if (next !== undefined) {
    const key = await core.hardware.open(next.key);
    if (await taken(core, key)) {
      return core.adopt(key);
    }
    if (core.serverNow() < next.until) {
      throw new StaunchError("UNFINISHED", `client: a new key, of which the server may still hear: call reattest again after ${next.until.toISOString()}`);
    }
  }
  const { deviceState } = await core.calls.accounts.getStatus({});
  const { challenge, app } = await core.calls.accounts.beginDevice({}, { unsigned: true });
  if (app !== core.state.app) {
    throw new StaunchError("MISMATCH", `client: asked for app ${JSON.stringify(core.state.app)}, and the server answers for app ${JSON.stringify(app)}`);
  }
  const made = await core.hardware.newKey(challenge as Bytes);
  // It is kept before the server hears of it.
  await core.change({ next: { key: made.key.id, until: new Date(core.serverNow().getTime() + nextLife) } });
  try {
    await bring(core, made, challenge, deviceState === State.LOCKED, show);
  } catch (err) {
    if (!uncertain(err)) {
      await core.change({ next: undefined });
      throw err;
    }
    if (!await comesToBeTaken(core, made.key)) {
      throw err; // and the key stays: the server may have it
    }
  }
  await core.adopt(made.key);
}

/** bring makes the call, signed by the new key. What says that it may is a proof by the old key; of a locked device, an approval by its owner. */
async function bring(core: Core, made: NewKey, challenge: Uint8Array, locked: boolean, show?: Show): Promise<void> {
  const phone = {
    challenge, keyId: made.appleKeyId ?? "", platform: made.platform === "ios" ? Platform.IOS : Platform.ANDROID,
    evidence: made.platform === "ios"
      ? { case: "attestationObject" as const, value: made.attestationObject ?? new Uint8Array() }
      : { case: "certificateChain" as const, value: { certificates: [...made.certificateChain ?? []] } },
  };
  const call = (oldProof: Uint8Array) => core.callsBy(made.key).accounts.reattest({ phone, oldProof });
  if (locked) {
    await core.dropSession(); // it has ended
    const a = await propose(core, "device.reattest", { key: made.key.id });
    await show?.(a.text);
    await core.calls.accounts.confirmAction({ approval: a.id, response: await core.get(a.options), locked: true });
    await call(utf8(a.id));
    return;
  }
  const oldProof = await (core.key as DeviceKey).sign(concat(utf8("staunch/device-proof/v1\0"), await valueOf(made.key.spki)));
  await asNeeded(core, () => call(oldProof));
}

/** valueOf is what the old key of a device signs for its new one (docs/accounts.md, "A new key for a device"). */
async function valueOf(spki: Bytes): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", copy(concat(utf8("staunch/reattest/v1\0"), u32(spki.length), spki))));
}

/** taken says whether the server knows this device by its new key. */
async function taken(core: Core, key: DeviceKey): Promise<boolean> {
  try {
    const { device } = await core.callsBy(key).accounts.getStatus({});
    if (device !== core.state.device) {
      throw new StaunchError("MISMATCH", `client: the new key is device ${JSON.stringify(device.slice(0, 40))} to the server, and this is ${core.state.device}`);
    }
    return true;
  } catch (err) {
    if (stranger(err)) {
      return false;
    }
    throw err;
  }
}

/** comesToBeTaken asks until the server knows the key, or patience is over. */
async function comesToBeTaken(core: Core, key: DeviceKey): Promise<boolean> {
  const end = core.now() + core.patience;
  for (let pause = firstPause; ; pause = Math.min(2 * pause, mostPause)) {
    if (await taken(core, key)) {
      return true;
    }
    if (core.now() >= end) {
      return false;
    }
    await wait(pause);
  }
}
