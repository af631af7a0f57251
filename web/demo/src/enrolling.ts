// Setting a phone up: a key in hardware, a passkey, an account.

import { newSealingKey } from "./appdata";
import { fill } from "./filling";
import { steps, working } from "./screens";
import type { Unit } from "./unit";
import { failed } from "./words";

/** enrol makes Marie's account on this phone, and puts a history on it. */
export async function enrol(u: Unit): Promise<void> {
  const s = steps([
    "A key is made in the phone's hardware", "The hardware vouches for phone and app", "A passkey is made: no password, no SMS",
    "The server opens the account", "Messages and pictures",
  ]);
  u.phase = "busy";
  u.frame.screen("Setting up", working("Setting up", s));
  u.frame.beneath("Being set up.");
  s.reach(0);
  u.heard = (what) => s.reach({ key: 1, attested: 2, passkey: 2 }[what]);
  await u.desk.tell();
  try {
    const key = (await u.data.sealing()) ?? (await newSealingKey());
    await u.data.keepSealing(key);
    await u.data.keepFilling("new");
    const e = await u.phone.enroll({ name: u.name, sealing: { alg: key.alg, key: key.public } });
    if (e.freezeCode !== undefined) { // shown once: written down before anything else
      await u.desk.tell({ freezeCode: e.freezeCode });
    }
    s.reach(4);
    await fill(u);
    s.reach(5);
    await u.desk.tell({ account: e.account });
    await u.home();
    u.frame.note("The account is Marie's. Nobody can sign in without this phone.");
  } catch (err) {
    failed(u, err);
    await u.home();
  }
}
