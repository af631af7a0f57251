// The guide: six steps, what to do now, and one button for it. It leads; nothing
// depends on it, and everything can be clicked in another order.

import { h } from "./dom";

/** What is to be done now. */
export interface Now {
  readonly step: number; // 0 to 5; 6: all of it is done
  readonly title: string;
  readonly words: string;
  /** What the button does; absent: something is under way, or is to be typed. */
  readonly act?: { readonly text: string; readonly run: () => void };
}

export const stepNames = ["Set up", "Choose a PIN", "Move", "Lose it", "Get it back", "Be the thief"] as const;

/** makeGuide draws the guide into seat and returns what shows another step. */
export function makeGuide(seat: HTMLElement): (now: Now) => void {
  const list = h("ol", {}, ...stepNames.map((name, i) => h("li", {}, h("span", {}, `${i + 1} ${name}`))));
  const words = h("div.words", { "aria-live": "polite" });
  const act = h("div", {});
  seat.replaceChildren(list, words, act);
  let last = "";
  return (now) => {
    [...list.children].forEach((li, i) => {
      (li as HTMLElement).dataset.state = i < now.step ? "done" : i === now.step ? "now" : "";
      if (i === now.step) {
        li.setAttribute("aria-current", "step");
      } else {
        li.removeAttribute("aria-current");
      }
    });
    const text = JSON.stringify([now.step, now.title, now.words, now.act?.text]);
    if (text === last) {
      return;
    }
    last = text;
    const here = seat.contains(document.activeElement);
    const title = h("h2", { tabindex: -1 }, now.title);
    words.replaceChildren(title, h("p", {}, now.words));
    const button = now.act !== undefined && h("button.button.primary", { type: "button", "data-act": "guide", onclick: now.act.run }, now.act.text);
    act.replaceChildren(...(button === false ? [] : [button]));
    if (here) { // who leads by keyboard stays here, also while there is nothing to press
      (button === false ? title : button).focus({ preventScroll: true });
    }
  };
}
