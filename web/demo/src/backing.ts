// Choosing a PIN: the sealing key goes, in shares, into the vaults, and the
// history, encrypted under it, into the messenger's backup.

import { type Payload, Recovery, RecoveryError } from "@staunch/client/recovery";

import type { SealingKey } from "./appdata";
import { pinPad, steps, working } from "./screens";
import { bytes, type Unit } from "./unit";
import { failed } from "./words";

/** backUp asks for a PIN and makes it the one that brings everything back. */
export async function backUp(u: Unit): Promise<void> {
  const rules = u.desk.settings.recovery;
  if (rules === null) {
    u.frame.trouble("This server has no vaults, so no PIN can bring anything back.");
    return;
  }
  u.phase = "choosing";
  void u.desk.tell();
  u.frame.beneath("Marie's.");
  u.frame.screen("PIN", pinPad({
    title: "Choose a PIN", words: `At least ${rules.pinMin} digits; not a date, nor 123456. It never leaves this phone.`, least: rules.pinMin, yes: "Use this PIN",
    done: (pin) => void keep(u, pin), cancel: () => void u.home(),
  }));
}

async function keep(u: Unit, pin: string): Promise<void> {
  const s = steps(["The PIN is stretched on the phone", "Three vaults prove what they run", "Each gets a share; none the PIN", "The history is encrypted and backed up"]);
  u.phase = "backing";
  void u.desk.tell();
  u.frame.screen("Backing up", working("Backing up", s));
  s.reach(0);
  try {
    const key = await u.data.sealing();
    if (key === undefined) {
      throw new Error("demo: this phone has no sealing key");
    }
    const payload = await payloadOf(key);
    const recovery = recoveryOf(u, () => s.reach(1));
    try {
      await recovery.backUp({ pin, payload });
    } catch (err) {
      if (!(err instanceof RecoveryError) || err.reason !== "OTHER_DEVICE") {
        throw err;
      }
      await recovery.remove(); // of the phone before this one
      await recovery.backUp({ pin, payload });
    }
    s.reach(3);
    await u.desk.cloud.put(key, await u.data.files());
    s.reach(4);
    await u.desk.tell({ backedUp: true });
    await u.home();
    u.frame.note("In three vaults, and backed up. Ten wrong tries, and they forget it.");
  } catch (err) {
    if (err instanceof RecoveryError && err.reason === "PIN_REFUSED") {
      await backUp(u);
      u.frame.trouble(`Too easy: ${err.words}.`);
    } else {
      await u.home();
      failed(u, err);
    }
  }
}

/** recoveryOf is the phone's half of recovery. shown is told when the person is asked. */
export function recoveryOf(u: Unit, shown: () => void = () => undefined): Recovery {
  const rules = u.desk.settings.recovery;
  if (rules === null) {
    throw new Error("demo: this server has no vaults");
  }
  const { release, setVersion } = rules;
  return new Recovery({
    phone: u.phone, show: shown,
    // The vaults of `staunch dev` are processes of one machine, and no TEE: nobody would take them in earnest.
    trust: { releaseKeys: release.keys.map(bytes), k: release.k, setVersion, dangerousAllowProcess: true },
  });
}

async function payloadOf(key: SealingKey): Promise<Payload> {
  const kid = new Uint8Array(await crypto.subtle.digest("SHA-256", key.public)).slice(0, 16);
  return { keys: [{ kid, secret: key.secret, created: new Date() }] };
}
