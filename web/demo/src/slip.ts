// The slip of paper in Marie's drawer: what she needs when no phone is at hand.

import { h, icon } from "./dom";
import { renewCode } from "./safety";
import type { Desk } from "./unit";
import { words } from "./words";

/** makeSlip draws it into seat, and returns what draws it again. */
export function makeSlip(seat: HTMLElement, desk: Desk): () => void {
  const said = h("p.small", { role: "status" });
  const owner = () => desk.units.find((u) => u.phase === "home");
  /** doing runs what a button does, and says what came of it. */
  const doing = (button: HTMLButtonElement, done: string, what: () => Promise<unknown> | undefined) => void (async () => {
    button.disabled = true;
    try {
      await what();
      said.textContent = done;
    } catch (err) {
      const { text, code } = words(err);
      said.textContent = code === "" ? text : `${text} (${code})`;
    }
    button.disabled = false;
  })();
  const freeze: HTMLButtonElement = h("button.button.danger", {
    type: "button", "data-act": "freeze-by-code", // any phone can, and none needs an account for it
    onclick: () => doing(freeze, "Frozen, without a phone. Unfreeze it under “Safety” on Marie's phone.", () => desk.units[0]?.phone.freezeByCode(desk.story.freezeCode ?? "")),
  }, icon("snow", 18), "Freeze by the code");
  const renew: HTMLButtonElement = h("button.button", {
    type: "button", "data-act": "renew-by-slip", onclick: () => {
      const u = owner();
      if (u !== undefined) {
        doing(renew, "A new code is on the slip.", () => renewCode(u).finally(() => u.home()));
      }
    },
  }, "Have a new code");
  const list = h("dl.paper", {});
  let drawn = "";
  return () => {
    const { account = "", freezeCode = "" } = desk.story;
    seat.hidden = account === "";
    renew.disabled = owner() === undefined;
    if (drawn !== account + freezeCode) {
      drawn = account + freezeCode;
      const code = freezeCode === "" ? h("dd.missing", {}, "Missing. It is shown once, and the page was loaded anew before Marie wrote it down.") : h("dd", {}, freezeCode);
      list.replaceChildren(h("dt", {}, "Account"), h("dd", {}, account), h("dt", {}, "Freeze code"), code);
      seat.replaceChildren(h("header", {}, h("h2", { id: "slip-title" }, "Marie's slip of paper"), freezeCode === "" ? renew : freeze), list, said);
    }
  };
}
