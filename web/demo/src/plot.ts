// The plot: what is to be done next, told from how things stand. Whoever clicks in
// another order is met where he is.

import type { Den } from "./den";
import { part } from "./dom";
import type { Now } from "./guide";
import { choosePin, enrol, lose, offer, recover, scanOther, wipe } from "./handset";
import { attacks } from "./thief";
import type { Desk, Unit } from "./unit";

/** next says what the guide shows. */
export function next(desk: Desk, den: Den): Now {
  const [blue, coral] = desk.units as [Unit, Unit];
  const { story } = desk;
  const owner = desk.units.find((u) => u.phase === "home");
  const free = desk.units.find((u) => u.phase === "new");
  const busy = desk.units.some((u) => u.phase === "busy" || u.phase === "held");
  const lower = (u: Unit) => u.name.toLowerCase();

  if (story.account === undefined) {
    return {
      step: 0, title: busy ? "The blue phone is being set up" : "This blue phone is Marie's. Set it up.",
      words: busy ? "Hardware, passkey, account: no password, no code by SMS, nothing that could be phished." : "It makes a key in its hardware, proves which phone and which app it is, and gets a passkey.",
      ...(busy ? {} : { act: { text: "Set it up", run: () => void enrol(blue) } }),
    };
  }
  const asks = desk.units.map((u) => u.asks).find((q) => q !== undefined);
  if (asks !== undefined) {
    return { step: story.wasLost ? 4 : 2, ...asks };
  }
  const shows = desk.units.find((u) => u.phase === "code");
  if (shows !== undefined && owner !== undefined) {
    return {
      step: 2, title: "Scan the code", words: "The old phone reads it off the other's screen. What is in it never reaches the server.",
      act: { text: `Scan with the ${lower(owner)}`, run: () => void scanOther(owner) },
    };
  }
  const chooses = desk.units.find((u) => u.phase === "choosing" || u.phase === "backing");
  if (chooses !== undefined) {
    return {
      step: 1, title: chooses.phase === "choosing" ? `Type a PIN on the ${lower(chooses)}` : "The vaults get their shares",
      words: chooses.phase === "choosing" ? "By its keys or by yours. Try 123456 first: easy ones are refused. The PIN itself never leaves the phone." : "The phone stretches the PIN, looks at what each vault runs, and gives it a share that is nothing by itself.",
    };
  }
  if (!story.backedUp && owner !== undefined) {
    return {
      step: 1, title: "Choose a PIN", words: "Hundreds of messages are on the phone now. A PIN keeps the key to them in three vaults, none of which can read it.",
      act: { text: "Choose a PIN", run: () => void choosePin(owner) },
    };
  }
  if (!story.moved && !story.wasLost) {
    return moving(owner, free, desk.units.some((u) => u.phase === "held"));
  }
  if (!story.wasLost) {
    const has = owner ?? coral;
    return {
      step: 3, title: "Everything came along. Now lose it.", words: `Messages, pictures, fingerprint: the ${lower(has)} has what the other one had, byte for byte. Now leave it in a taxi.`,
      act: { text: `Lose the ${lower(has)}`, run: () => void lose(has) },
    };
  }
  if (owner === undefined && !busy) {
    return recovering(desk, free);
  }
  return thief(desk, den);
}

function moving(owner: Unit | undefined, free: Unit | undefined, held: boolean): Now {
  if (free !== undefined && owner !== undefined) {
    return {
      step: 2, title: "Move to the new phone", words: "Account, keys and the whole history go over, encrypted from phone to phone, once or not at all.",
      act: { text: "Start on the new phone", run: () => void offer(free) },
    };
  }
  if (held) {
    return { step: 2, title: "Half a minute to say no", words: "The server holds the move, so that any device of Marie's can stop it. In earnest it is hours." };
  }
  return { step: 2, title: "Moving", words: "Both phones say what they are doing. Nothing of it can be read on the way." };
}

function recovering(desk: Desk, free: Unit | undefined): Now {
  if (desk.units.some((u) => u.phase === "wait")) {
    return { step: 4, title: "Half a minute to say no", words: "Every other device of Marie's would be told now, and could stop this. In earnest the wait is a day." };
  }
  if (desk.units.some((u) => u.phase === "pin")) {
    return { step: 4, title: "Give the PIN", words: "Try a wrong one first, and watch the vaults count. The PIN itself never leaves the phone." };
  }
  const stale = desk.units.find((u) => u.phase === "left");
  const target = free ?? stale;
  return {
    step: 4, title: "Get it back", words: "A phone with nothing on it, Marie's account ID from a slip of paper, and her PIN.",
    ...(target === undefined ? {} : { act: { text: `Recover on the ${target.name.toLowerCase()}`, run: () => void (async () => {
      if (target.phase === "left") {
        await wipe(target);
      }
      await recover(target);
    })() } }),
  };
}

function thief(desk: Desk, den: Den): Now {
  const outcomes = Object.values(desk.story.outcomes ?? {});
  if (outcomes.some((o) => !o.stopped)) {
    return { step: 5, title: "One got through", words: "This must not happen, and the list says which it was. Please report it: SECURITY.md says how." };
  }
  if (den.busy()) {
    return {
      step: 5, title: `The thief is at it: ${outcomes.length} of ${attacks.length} stopped`,
      words: "Under each attack stands who stopped it, and by which record. The record itself comes in at the foot of the page.",
    };
  }
  if (outcomes.length < attacks.length) {
    return {
      step: 5, title: "Now be the thief", words: `${attacks.length} attacks, each a real one against the running server. See what stops it, and what the server writes down.`,
      act: { text: "Try all of them", run: () => {
        part("thief").scrollIntoView({ block: "start" });
        void den.all();
      } },
    };
  }
  return {
    step: 6, title: "Nothing got through", words: "Every button still works, so try what you like. docs/demo.md tells what happened at each step.",
  };
}
