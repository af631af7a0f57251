// The thief wants the sealing key, and does not know the PIN.

import { Phone, type Store } from "@staunch/client";
import { Recovery, RecoveryError } from "@staunch/client/recovery";
import { ask, type Attack, fromBase64url, journal, type Outcome, type Scene, worked } from "./attack";

/** over is a store that reads what another one has, and keeps to itself what is written: Marie's phone stays as it was. */
function over(below: Store): Store {
  const own = new Map<string, unknown>();
  return {
    read: (name) => own.has(name) ? Promise.resolve(own.get(name)) : below.read(name),
    write: (changes) => {
      for (const [name, value] of Object.entries(changes)) {
        own.set(name, value);
      }
      return Promise.resolve();
    },
    ...(below.holdsKeys === undefined ? {} : { holdsKeys: below.holdsKeys }),
  };
}

/** Guess is what one wrong PIN has come to. */
interface Guess {
  readonly left: number;
  readonly limit: number;
}

/** guesser has Marie's phone in his hands, unlocked, and with what unlocks it: he asks for the keys as she would, and types PINs. */
async function guesser(scene: Scene): Promise<() => Promise<Guess | undefined>> {
  const { recovery } = scene.settings;
  if (recovery === null) {
    throw new Error("thief: this server has no vaults");
  }
  const { url, hardware, passkeys } = scene.victim.core;
  const phone = await Phone.open({ url, app: scene.settings.app, hardware, passkeys, store: over(scene.victimStore) });
  const trust = { releaseKeys: recovery.release.keys.map(fromBase64url), k: recovery.release.k, setVersion: recovery.setVersion, dangerousAllowProcess: true };
  const backup = new Recovery({ phone, trust });
  const { remaining = 0 } = await backup.status();
  if (remaining < 4) {
    throw new Error(`thief: ${remaining} attempts are left, and he would lock Marie out; her right PIN sets the count back`);
  }
  return async () => {
    const pin = String(crypto.getRandomValues(new Uint32Array(1))[0] as number % 1_000_000).padStart(6, "0");
    try {
      await backup.recover(pin);
      return undefined;
    } catch (error) {
      if (!(error instanceof RecoveryError) || error.reason !== "WRONG_PIN" || error.outcome === undefined) {
        throw error;
      }
      return { left: error.outcome.remaining, limit: error.outcome.limit };
    }
  };
}

const found = worked("He has the key that opens Marie's chats.");

export const guessedPin: Attack = {
  name: "guessed-pin", title: "A guessed PIN", needs: "backup", calm: true,
  words: "He has Marie's phone, unlocked, and what unlocks it. He types a PIN: there are a million.",
  async run(scene): Promise<Outcome> {
    const guess = await guesser(scene);
    const log = await journal(scene);
    const got = await guess();
    if (got === undefined) {
      return found;
    }
    const { account } = scene.victim.state;
    const e = await log.find("the attempt", (e) => e.action === "recovery.attempt" && e.account === account && e.left === got.left);
    return {
      stopped: true, stoppedBy: "the vaults", code: e.action, recordedId: e.id,
      words: `Three vaults have counted it, before they answered: ${got.left} of ${got.limit} attempts are left. After the last one they forget what they hold.`,
    };
  },
};

export const rolledBack: Attack = {
  name: "rolled-back-record", title: "Yesterday's database", needs: "backup", calm: true,
  words: "He runs the database. He copies what the vaults have sealed for Marie, lets a PIN be tried, and puts the copy back: as if it had not been.",
  async run(scene): Promise<Outcome> {
    const guess = await guesser(scene);
    const { account } = scene.victim.state;
    const vaults = (scene.settings.recovery?.vaults ?? []).map((v) => v.id);
    const every = (what: "copy" | "restore") => Promise.all(vaults.map((vault) => ask<{ used: number }>(scene, `/demo/insider/${what}`, { account, vault })));
    const before = await every("copy");
    const log = await journal(scene);
    scene.tell?.("He tries a PIN …");
    const first = await guess();
    if (first === undefined) {
      return found;
    }
    await log.find("the first attempt", (e) => e.action === "recovery.attempt" && e.account === account && e.left === first.left);
    scene.tell?.("… puts the old records back, and tries another.");
    const back = await every("restore");
    if (back.some((r, i) => r.used !== before[i]?.used)) {
      throw new Error("thief: the records were not put back as they were");
    }
    const second = await guess();
    if (second === undefined) {
      return found;
    }
    if (second.left >= first.left) {
      return worked(`An attempt came back: ${second.left} are left, as if he had not tried.`);
    }
    const e = await log.find("the second attempt", (e) => e.action === "recovery.attempt" && e.account === account && e.left === second.left);
    return {
      stopped: true, stoppedBy: "the vaults", code: e.action, recordedId: e.id,
      words: `His database said that nothing had been tried. The count is not in it: witnesses have it in their memories, and ${second.left} attempts are left.`,
    };
  },
};
