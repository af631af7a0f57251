// The thief comes with a phone that is not what it says.

import { StaunchError } from "@staunch/client";
import { type Attack, buy, caught, journal, type Kind, type Outcome, type Scene, worked } from "./attack";

/** comesWith enrols a phone of some kind, as any new customer's. */
async function comesWith(scene: Scene, kind: Kind, words: string): Promise<Outcome> {
  const log = await journal(scene);
  const phone = await buy(scene, kind);
  try {
    await phone.enroll({ name: "Pixel 9" });
  } catch (error) {
    if (!(error instanceof StaunchError) || error.reason === "UNREACHABLE") {
      throw error;
    }
    const account = phone.state.began?.account; // which nobody has now
    return caught(await log.find("that phone", (e) => e.action === "attest.register" && e.account === account), "the server", words);
  }
  return worked("The server has taken the phone for a genuine one.");
}

export const repackaged: Attack = {
  name: "repackaged", title: "A rebuilt app", needs: "account",
  words: "He has put a listener into the app and signed it himself. The phone is genuine, the app is not.",
  run: (scene) => comesWith(scene, "repackaged", "The phone's hardware says whose signature the app bears, and it is not the developer's."),
};

export const emulator: Attack = {
  name: "emulator", title: "A farm of emulators", needs: "account",
  words: "A thousand phones that are programs on one machine, each with the real app.",
  run: (scene) => comesWith(scene, "emulator", "An emulator has no hardware that a maker vouches for: its chain ends in a root for software."),
};

export const unlocked: Attack = {
  name: "unlocked", title: "A rooted phone", needs: "account",
  words: "The boot loader is open, and the system below the app is his.",
  run: (scene) => comesWith(scene, "unlocked", "The hardware tells what was booted, and that it was not locked."),
};

export const forged: Attack = {
  name: "forged", title: "A certificate of his own", needs: "account",
  words: "He writes the certificate of a genuine phone, word for word, and signs it himself.",
  run: (scene) => comesWith(scene, "forged", "The words are right and the signature is not: no maker has made this key."),
};
