// The phone as it is drawn: a body, a screen, and what stands beneath it.

import { h, icon, swap, type Child } from "./dom";

/** A phone's body on the page. */
export interface Frame {
  /** screen shows something else; name is what a screen reader calls it. */
  screen(name: string, ...children: readonly Child[]): void;
  /** intend is for a screen that takes a while to make: what it gives says whether it is still wanted, for nothing else was shown meanwhile. */
  intend(): () => boolean;
  /** beneath shows what stands under the phone: its state in a few words, and a button. */
  beneath(words: string, ...children: readonly Child[]): void;
  /** note shows what has just gone well, for some seconds or until another screen; it is read aloud as well. */
  note(text: string): void;
  /** trouble shows why something did not go, above the screen, until the person goes on. code: for programs, and who looks it up. */
  trouble(text: string, code?: string): void;
  /** quiet takes the trouble away: the person goes on. */
  quiet(): void;
  /** body sets the looks: "on", "off", "lost". */
  body(state: "on" | "off" | "lost"): void;
  readonly element: HTMLElement;
}

const noteStays = 7000; // ms

/** makeFrame draws a phone into seat. */
export function makeFrame(seat: HTMLElement, name: string): Frame {
  const clock = h("time", {}, "");
  const tick = () => (clock.textContent = new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }));
  tick();
  setInterval(tick, 10_000);
  const content = h("div.content");
  const note = h("p.note", { role: "status" });
  const trouble = h("div.trouble", { role: "alert" });
  const glass = h("div.glass", {},
    h("div.statusbar", { "aria-hidden": "true" }, clock, h("span.island"), h("span.signal", {}, bars())), trouble, content, note);
  const below = h("div.beneath");
  const device = h("div.device", {}, glass);
  let hide = 0;
  let turn = 0;
  const quiet = () => {
    delete trouble.dataset.shown;
    trouble.replaceChildren();
  };
  content.addEventListener("click", (event) => {
    if (event.target instanceof Element && event.target.closest("button:not(.keycap), .keycap.word") !== null) { // who types a digit reads on
      quiet();
    }
  }, true);
  content.addEventListener("submit", quiet, true);
  seat.replaceChildren(device, below);
  return {
    element: seat,
    intend() {
      const mine = ++turn;
      return () => mine === turn;
    },
    screen(title, ...children) {
      turn++;
      delete note.dataset.shown;
      content.setAttribute("aria-label", `${name}: ${title}`);
      content.setAttribute("role", "group");
      content.dataset.screen = title;
      swap(content, ...children);
      content.scrollTop = 0;
    },
    beneath: (words, ...children) => swap(below, h("h2", {}, name), h("p", {}, words), ...children),
    note(text) {
      clearTimeout(hide);
      note.replaceChildren(icon("check", 16), h("span", {}, text));
      note.dataset.shown = "";
      hide = window.setTimeout(() => delete note.dataset.shown, noteStays);
    },
    trouble(text, code = "") {
      trouble.replaceChildren(icon("alert", 18), h("p", {}, text, code !== "" && " ", code !== "" && h("code", {}, code)),
        h("button.shut", { type: "button", "aria-label": "Close", onclick: quiet }, icon("cross", 16)));
      trouble.dataset.shown = "";
    },
    quiet,
    body: (state) => void (device.dataset.state = state),
  };
}

function bars(): HTMLElement {
  return h("span.bars", {}, h("i"), h("i"), h("i"), h("i"), h("b"));
}
