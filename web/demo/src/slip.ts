// The slip of paper in Marie's drawer: what she needs when no phone is at hand.

import { h, icon } from "./dom";
import type { Desk } from "./unit";
import { words } from "./words";

/** makeSlip draws it into seat, and returns what draws it again. */
export function makeSlip(seat: HTMLElement, desk: Desk): () => void {
  const said = h("p.small", { role: "status" });
  const freeze = h("button.button.danger", {
    type: "button", "data-act": "freeze-by-code", onclick: () => void (async () => {
      freeze.disabled = true;
      try {
        await desk.units[0]?.phone.freezeByCode(desk.story.freezeCode ?? ""); // any phone can, and none needs an account for it
        said.textContent = "Frozen, without a phone. Thaw it under “Safety” on Marie's phone.";
      } catch (err) {
        said.textContent = words(err);
      }
      freeze.disabled = false;
    })(),
  }, icon("snow", 18), "Freeze by the code");
  const list = h("dl.paper", {});
  let drawn = "";
  return () => {
    const { account = "", freezeCode = "" } = desk.story;
    seat.hidden = account === "";
    if (drawn !== account + freezeCode) {
      drawn = account + freezeCode;
      list.replaceChildren(h("dt", {}, "Account"), h("dd", {}, account), ...(freezeCode === "" ? [] : [h("dt", {}, "Freeze code"), h("dd", {}, freezeCode)]));
      freeze.hidden = freezeCode === "";
      seat.replaceChildren(h("header", {}, h("h2", { id: "slip-title" }, "Marie's slip of paper"), freeze), list, said);
    }
  };
}
