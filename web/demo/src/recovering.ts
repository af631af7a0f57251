// Getting everything back on a phone that has nothing: the wait, the PIN, the
// keys, the history.

import { type Recovery, RecoveryError } from "@staunch/client/recovery";

import { newSealingKey, sealingKey } from "./appdata";
import { recoveryOf } from "./backing";
import { h } from "./dom";
import { fill } from "./filling";
import { countdown, pinPad, sheet, steps, working } from "./screens";
import type { Unit } from "./unit";
import { failed } from "./words";

/** recover begins to bring Marie's account back on this phone, or goes on with it. */
export async function recover(u: Unit): Promise<void> {
  const account = u.phone.state.began?.account ?? u.desk.story.account;
  if (account === undefined) {
    u.frame.trouble("There is no account to recover yet. Set a phone up first.");
    return;
  }
  u.phase = "wait";
  u.frame.beneath("Not Marie's yet.");
  try {
    const key = (await u.data.sealing()) ?? (await newSealingKey()); // of this phone, until the old one is back
    await u.data.keepSealing(key);
    const recovery = recoveryOf(u);
    const standing = await recovery.start(account, { name: u.name, sealing: { alg: key.alg, key: key.public } });
    if (standing.proved || standing.open) {
      askPin(u, recovery);
    } else {
      waiting(u, account, Date.now() + standing.opensAt.getTime() - standing.at.getTime());
    }
  } catch (err) {
    u.phase = "new";
    if (u.phone.state.began === undefined) {
      await u.home();
    } else {
      u.frame.screen("Recovery", sheet({ icon: "lock", title: "It did not go on", choices: [
        { text: "Try again", kind: "primary", id: "again", act: () => void recover(u) }, { text: "Give it up", kind: "plain", act: () => void giveUp(u) },
      ] }));
    }
    failed(u, err);
  }
  await u.desk.tell();
}

async function giveUp(u: Unit): Promise<void> {
  await u.forget();
  await u.home();
}

const slack = 400; // ms: the server's clock opens it, not ours

function waiting(u: Unit, account: string, until: number): void {
  u.frame.screen("Wait", sheet({
    icon: "bell", title: "All devices are told", words: "If this were a thief, Marie could say no on any of them, until:",
    more: [countdown(until + slack, Date.now, () => void recover(u)), h("p.small", {}, "Account ", h("code", {}, account))],
  }));
}

/** askPin asks for the PIN. */
function askPin(u: Unit, recovery: Recovery, words = "The vaults count tries. A right one sets the count back."): void {
  u.phase = "pin";
  u.frame.screen("PIN", pinPad({
    title: "Marie's PIN", words, least: 4, yes: "Get it back", done: (pin) => void open(u, recovery, pin), cancel: () => void giveUp(u),
  }));
  void u.desk.tell();
}

async function open(u: Unit, recovery: Recovery, pin: string): Promise<void> {
  const s = steps(["Two of three vaults answer", "The sealing key is put together", "A new passkey", "The history is fetched and decrypted"]);
  u.frame.screen("Recovering", working("Getting it back", s));
  s.reach(0);
  try {
    const { payload } = await recovery.recover(pin);
    const secret = payload.keys[0]?.secret;
    if (secret === undefined) {
      throw new Error("demo: the backup holds no key");
    }
    s.reach(1);
    const key = await sealingKey(new Uint8Array(secret));
    await u.data.keepSealing(key);
    await u.data.keepFilling("backup");
    s.reach(2);
    await recovery.finish({ name: u.name, sealing: { alg: key.alg, key: key.public } });
    s.reach(3);
    await fill(u);
    s.reach(4);
    await u.desk.tell({});
    await u.home();
    u.frame.note("Account, key and history are back. The lost phone is out.");
  } catch (err) {
    if (err instanceof RecoveryError && (err.reason === "WRONG_PIN" || err.reason === "LOCKED") && err.outcome !== undefined) {
      wrong(u, recovery, err.outcome.remaining);
    } else {
      askPin(u, recovery, "Nothing is lost: the same PIN again costs no other try.");
      failed(u, err);
    }
  }
}

function wrong(u: Unit, recovery: Recovery, left: number): void {
  if (left === 0) {
    u.phase = "wait";
    u.frame.screen("Locked", sheet({ icon: "lock", tone: "bad", title: "The vaults have forgotten it", words: "Ten wrong tries. Nobody gets this key back any more, thief or owner.", choices: [{ text: "Wipe this phone", act: () => void giveUp(u) }] }));
  } else {
    askPin(u, recovery);
    u.frame.trouble(`Wrong PIN: ${left === 1 ? "one try is" : `${left} tries are`} left. Every vault has counted it.`);
  }
  void u.desk.tell({});
}
