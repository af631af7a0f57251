// The phone as it is drawn: a body, a screen, and what stands beneath it.

import { h, icon, swap, type Child } from "./dom";

/** A phone's body on the page. */
export interface Frame {
  /** screen shows something else; name is what a screen reader calls it. */
  screen(name: string, ...children: readonly Child[]): void;
  /** intend is for a screen that takes a while to make: what it gives says whether it is still wanted, for nothing else was shown meanwhile. */
  intend(): () => boolean;
  /** beneath shows what stands under the phone: its state in a few words, and buttons. */
  beneath(...children: readonly Child[]): void;
  /** note shows what has just happened, over the screen, for some seconds; it is read aloud as well. */
  note(text: string, kind?: "good" | "bad" | ""): void;
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
  const glass = h("div.glass", {},
    h("div.statusbar", { "aria-hidden": "true" }, clock, h("span.island"), h("span.signal", {}, bars())), content, note);
  const below = h("div.beneath");
  const device = h("div.device", {}, glass);
  let hide = 0;
  let turn = 0;
  seat.replaceChildren(device, below);
  return {
    element: seat,
    intend() {
      const mine = ++turn;
      return () => mine === turn;
    },
    screen(title, ...children) {
      turn++;
      content.setAttribute("aria-label", `${name}: ${title}`);
      content.setAttribute("role", "group");
      content.dataset.screen = title;
      swap(content, ...children);
      content.scrollTop = 0;
    },
    beneath: (...children) => swap(below, ...children),
    note(text, kind = "") {
      clearTimeout(hide);
      note.className = `note ${kind}`;
      note.replaceChildren(kind === "good" ? icon("check", 16) : kind === "bad" ? icon("cross", 16) : icon("bell", 16), h("span", {}, text));
      note.dataset.shown = "";
      hide = window.setTimeout(() => delete note.dataset.shown, noteStays);
    },
    body: (state) => void (device.dataset.state = state),
  };
}

function bars(): HTMLElement {
  return h("span.bars", {}, h("i"), h("i"), h("i"), h("i"), h("b"));
}
