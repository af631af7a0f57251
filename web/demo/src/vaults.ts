// The three vaults, drawn as boxes: who runs each, whether it holds a share, and
// how many tries it has counted.

import { h, icon } from "./dom";
import { holdings, type Holding, type Settings } from "./server";

/** Vaults is the panel. */
export interface Vaults {
  /** show asks the vaults about an account and draws what they say; empty: no account yet. */
  show(account: string): Promise<void>;
}

/** makeVaults draws the panel into seat. */
export function makeVaults(seat: HTMLElement, settings: Settings): Vaults {
  const words = h("p", {}, settings.recovery === null ? "This server has no vaults." : "Each holds a share of what the PIN opens, none the PIN, and each counts tries.");
  const boxes = h("ul.boxes", {});
  seat.replaceChildren(h("header", {}, h("h2", { id: "vaults-title" }, "Three vaults"), words), boxes);
  const drawn = new Map<string, HTMLElement>();
  const before = new Map<string, string>();
  for (const v of settings.recovery?.vaults ?? []) {
    const box = h("li.box", {});
    drawn.set(v.id, box);
    boxes.append(box);
    draw(box, { ...v, platform: "", answers: true, has: false, state: "", used: 0, limit: settings.recovery?.limit ?? 0, at: "" });
  }
  return {
    async show(account) {
      if (account === "" || settings.recovery === null) {
        return;
      }
      const now = await holdings(account);
      for (const v of now.vaults) {
        const box = drawn.get(v.id);
        if (box !== undefined) {
          const looks = `${v.state} ${v.used} ${v.answers} ${v.has} ${v.at}`;
          if (before.get(v.id) !== looks) {
            draw(box, v);
            if (before.has(v.id) || v.has) {
              knock(box);
            }
            before.set(v.id, looks);
          }
        }
      }
    },
  };
}

function draw(box: HTMLElement, v: Holding): void {
  const state = !v.answers ? "away" : v.state === "locked" ? "locked" : v.has ? "full" : "empty";
  const words = { away: "does not answer", locked: "locked for good", full: v.used === 0 ? "holds a share" : `${v.used} of ${v.limit} tries used`, empty: "empty" }[state];
  const pips = h("span.pips", { "aria-hidden": "true" }, ...Array.from({ length: v.has ? v.limit : 0 }, (_, i) => h(i < v.used ? "i.used" : "i")));
  box.dataset.state = state;
  box.dataset.vault = v.id;
  box.dataset.used = String(v.used);
  box.replaceChildren(h("span.door", { "aria-hidden": "true" }, icon(state === "full" ? "key" : state === "locked" ? "lock" : "cross", 24)),
    h("b", {}, `Vault ${v.id.replace(/^v/, "")}`), h("span.state", {}, words), pips);
  if (state === "empty" || state === "away") {
    box.querySelector(".door")?.replaceChildren();
  }
}

function knock(box: HTMLElement): void {
  delete box.dataset.moved;
  requestAnimationFrame(() => (box.dataset.moved = ""));
}
