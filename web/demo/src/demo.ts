// The page: two phones, three vaults, a thief, the trail, and a guide through all
// of it. Everything on it is a client of the running server; what it has been told
// survives a reload.

import { type IndexedDBStore, StaunchError } from "@staunch/client";

import { confirmed } from "./asking";
import { Cloud } from "./cloud";
import { makeDen } from "./den";
import { h, part } from "./dom";
import { makeGuide } from "./guide";
import { makeUnit } from "./handset";
import { next } from "./plot";
import { makeRooms, pageStore, removeAll, verifiesHere } from "./rooms";
import { settings as ask } from "./server";
import { makeSlip } from "./slip";
import { makeTrail } from "./trail";
import type { Desk, Story, Unit } from "./unit";
import { makeVaults } from "./vaults";

const ids = ["blue", "coral"] as const;

async function begin(page: IndexedDBStore): Promise<void> {
  const settings = await ask();
  const rooms = makeRooms(page);
  let story = ((await page.read("story")) ?? {}) as Story;
  const units: Unit[] = [];
  const vaults = makeVaults(part("vaults"), settings);
  const look = () => void vaults.show(story.account ?? "").catch(() => undefined); // asked again with the next record
  const trail = makeTrail(part("trail"), look);
  const guide = makeGuide(part("guide"));
  const desk: Desk = {
    settings, units, cloud: new Cloud(page),
    get story() {
      return story;
    },
    async tell(changes) {
      if (changes !== undefined) {
        const before = story.account;
        story = { ...story, ...changes };
        await page.write({ story });
        if (before !== story.account) {
          units.filter((u) => u.phase === "new").forEach((u) => void u.home());
        }
        look();
      }
      trail.account(story.account ?? "");
      if (units.length === ids.length) {
        guide(next(desk, den));
        den.refresh();
        slip();
      }
    },
  };
  const den = makeDen(part("thief"), desk, trail);
  const slip = makeSlip(part("slip"), desk);
  const startOver = async (): Promise<never> => {
    for (const id of ids) {
      await rooms.empty(id);
    }
    page.close();
    await removeAll(["page"]);
    location.reload();
    return new Promise(() => undefined);
  };
  for (const id of ids) {
    units.push(await makeUnit(id, part(id), desk, rooms));
  }
  if (await forgotten(units)) {
    await startOver();
  }
  await switches(rooms, async () => {
    if (story.account === undefined || await confirmed(loss)) {
      await startOver();
    }
  });
  part("guide").addEventListener("click", (event) => {
    if (event.target instanceof Element && event.target.closest("button") !== null) { // the person goes on
      units.forEach((u) => u.frame.quiet());
    }
  }, true);
  await Promise.all(units.map((u) => u.home()));
  await desk.tell();
  look();
  document.body.dataset.ready = "";
}

const loss = {
  title: "Start over?", words: "Both phones are deleted with all that is on them, the backup, and what you have done so far. The account stays with the server, and nobody can get at it any more.",
  no: "Keep it all", yes: "Delete and start over",
} as const;

/** forgotten reports whether the server knows nothing of a phone that has an account: it began anew, with an empty folder. */
async function forgotten(units: readonly Unit[]): Promise<boolean> {
  for (const u of units) {
    if (u.phone.state.account !== "" && (await u.data.left()) === undefined) {
      try {
        await u.phone.status();
      } catch (err) {
        return err instanceof StaunchError && ["DEVICE_NOT_FOUND", "ACCOUNT_NOT_FOUND"].includes(err.reason);
      }
    }
  }
  return false;
}

/** switches are the two things that can be set on top of the page. */
async function switches(rooms: ReturnType<typeof makeRooms>, startOver: () => Promise<void>): Promise<void> {
  const real = h("input", { type: "checkbox", role: "switch", id: "real", disabled: !(await verifiesHere()) });
  real.checked = (await rooms.kind()) === "browser";
  real.addEventListener("change", () => void rooms.choose(real.checked ? "browser" : "software"));
  part("settings").replaceChildren(
    h("label.switch", { for: "real", title: "Off: the phones have passkeys of software, and nothing asks you" }, real, "My own passkeys"),
    h("button.button.plain", { type: "button", "data-act": "start-over", onclick: () => void startOver() }, "Start over"));
}

pageStore().then(begin).catch((err: unknown) => {
  const open = err instanceof StaunchError && err.reason === "STORE_OPEN";
  part("guide").replaceChildren(h("div.words", {}, h("h2", {}, open ? "The phones are in another tab" : "The page could not begin"),
    h("p", {}, open ? "Two tabs would be two phones with one key. Close the other one and load this page again." : err instanceof Error ? err.message : String(err))));
  document.body.dataset.ready = "";
});
