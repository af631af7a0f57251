// What a phone's screen shows, one function a screen. They ask and show; what
// follows is the handset's part.

import { h, icon, type Child } from "./dom";

/** A button of a screen. */
export interface Choice {
  readonly text: string;
  readonly act: () => void;
  readonly kind?: "primary" | "plain" | "danger";
  readonly id?: string; // data-act: what the guide presses, and tests
}

export function button(c: Choice): HTMLButtonElement {
  return h("button", { type: "button", class: `button ${c.kind ?? ""}`, onclick: c.act, "data-act": c.id }, c.text);
}

/** sheet is a screen with a picture, a title, words and buttons. */
export function sheet(o: { icon: Parameters<typeof icon>[0]; title: string; words?: Child; more?: readonly Child[]; choices?: readonly Choice[]; tone?: "good" | "bad" | "warn" }): Child {
  return h("div.sheet-in", {},
    h(o.tone === undefined ? "span.badge" : `span.badge.${o.tone}`, {}, icon(o.icon, 28)),
    h("h3", { tabindex: -1 }, o.title),
    o.words !== undefined && h("p", {}, o.words),
    ...(o.more ?? []),
    h("div.choices-in", {}, ...(o.choices ?? []).map(button)));
}

/** Steps are things done one after the other, ticked as they are. */
export interface Steps {
  readonly element: HTMLElement;
  /** reach says that step n is being done, and all before it are. */
  reach(n: number): void;
}

export function steps(words: readonly string[]): Steps {
  const rows = words.map((w) => h("li", {}, h("i", {}, icon("check", 14)), h("span", {}, w)));
  const element = h("ol.steps", { role: "status" }, ...rows);
  return {
    element,
    reach(n) {
      rows.forEach((row, i) => {
        row.dataset.state = i < n ? "done" : i === n ? "now" : "";
      });
    },
  };
}

/** working is a screen on which steps are ticked. */
export function working(title: string, s: Steps, more?: Child): Child {
  return h("div.sheet-in", {}, h("span.badge", {}, h("span.spinner")), h("h3", { tabindex: -1 }, title), s.element, more);
}

/** pinPad asks for a PIN, by keys on the page or on the keyboard. open: what is typed can be read. */
export function pinPad(o: { title: string; words: Child; least: number; yes: string; open?: boolean; done: (pin: string) => void; cancel: () => void }): Child {
  const id = `pin-${Math.random().toString(36).slice(2)}`;
  const input = h("input.pin", { id, type: o.open === true ? "text" : "password", inputmode: "numeric", autocomplete: "off", maxlength: 64, "data-focus": true, "data-act": "pin", "aria-describedby": `${id}-words` });
  const go = button({ text: o.yes, kind: "primary", act: () => undefined, id: "pin-yes" });
  go.type = "submit";
  const changed = () => (go.disabled = input.value.length < o.least);
  input.addEventListener("input", changed);
  changed();
  const key = (label: string, act: () => void, name = label) => h("button.keycap", { type: "button", "aria-label": name, onclick: () => {
    act();
    changed();
  } }, label);
  const digits = ["1", "2", "3", "4", "5", "6", "7", "8", "9"].map((d) => key(d, () => (input.value += d)));
  requestAnimationFrame(() => input.focus()); // it is what comes next, wherever the click was
  return h("form.pinpad", {
    onsubmit: (event) => {
      event.preventDefault();
      if (input.value.length >= o.least) {
        o.done(input.value);
      }
    },
  },
  h("label", { for: id }, h("h3", {}, o.title)),
  h("p", { id: `${id}-words` }, o.words),
  input,
  h("div.keys", {}, ...digits,
    key("⌫", () => (input.value = input.value.slice(0, -1)), "Delete the last"), key("0", () => (input.value += "0")),
    h("button.keycap.word", { type: "button", onclick: o.cancel }, "Cancel")),
  go);
}

/** numberPad asks for the six digits that the other phone shows. */
export function numberPad(o: { words: Child; done: (number: string) => void; cancel: () => void }): Child {
  return pinPad({ title: "The number on the other phone", words: o.words, least: 6, yes: "It is the same", open: true, done: o.done, cancel: o.cancel });
}

/** A bar of progress. */
export interface Bar {
  readonly element: HTMLElement;
  set(share: number, words: string): void;
}

export function bar(label: string): Bar {
  const progress = h("progress", { max: 1, value: 0, "aria-label": label });
  const words = h("span.small.quiet", {}, "");
  return {
    element: h("div.bar-in", {}, progress, words),
    set(share, text) {
      progress.value = share;
      words.textContent = text;
    },
  };
}

/** countdown shows the seconds until a time, and calls over when it has come. */
export function countdown(until: number, now: () => number, over?: () => void): HTMLElement {
  const element = h("time.countdown", { role: "timer" });
  let told = false;
  const tick = () => {
    const left = Math.max(0, Math.ceil((until - now()) / 1000));
    element.textContent = left >= 60 ? `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}` : `${left} s`;
    if (left === 0 && !told) {
      told = true;
      over?.();
    }
  };
  tick();
  const timer = setInterval(() => {
    if (element.isConnected || !told) {
      tick();
    }
    if (told || !document.contains(element)) {
      clearInterval(timer);
    }
  }, 250);
  return element;
}

/** rows is a list of facts or of things to do. */
export function rows(...items: readonly (readonly [Parameters<typeof icon>[0], string, Child, Choice?])[]): Child {
  return h("ul.rows", {}, ...items.map(([i, title, words, choice]) => h("li", {},
    h("span.icon", {}, icon(i)), h("span.what", {}, h("b", {}, title), h("span", {}, words)), choice !== undefined && button(choice))));
}

/** tabs is the bar at the foot of the messenger. */
export function tabs(current: "chats" | "safety", show: (tab: "chats" | "safety") => void, unread: number): Child {
  const tab = (id: "chats" | "safety", i: "chat" | "shield", text: string, count = 0) => h("button", {
    type: "button", "aria-current": id === current ? "page" : undefined, "data-act": `tab-${id}`, onclick: () => show(id),
  }, icon(i, 22), h("span", {}, text), count > 0 && h("span.count", { "aria-label": `${count} new` }, String(count)));
  return h("nav.tabs", { "aria-label": "App" }, tab("chats", "chat", "Chats"), tab("safety", "shield", "Safety", unread));
}
