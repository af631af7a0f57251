// The trail at the foot of the page: what the server has recorded, as it does.

import { h } from "./dom";
import { entries, type Entry } from "./server";

const every = 1000; // ms
const most = 400; // rows that are kept

/** Trail is the list at the foot. */
export interface Trail {
  /** now asks at once, and resolves when what is there is drawn. */
  now(): Promise<void>;
  /** show opens the list at a record. */
  show(id: string): void;
  /** account is whose entries are marked as Marie's. */
  account(id: string): void;
}

/** makeTrail draws it into seat, and asks each second. heard is told of each new entry. */
export function makeTrail(seat: HTMLElement, heard: (e: Entry) => void): Trail {
  const list = h("ul", {});
  const records = h("div.records", { tabindex: 0, role: "region", "aria-label": "Records, the newest first" }, list);
  const toggle = h("button.button.plain", { type: "button", "aria-expanded": "false", onclick: () => open(!seat.hasAttribute("data-open")) }, "More");
  const open = (wide: boolean) => {
    seat.toggleAttribute("data-open", wide);
    toggle.setAttribute("aria-expanded", String(wide));
    toggle.textContent = wide ? "Less" : "More";
  };
  const away = h("p.away", { role: "status" });
  const title = h("h2", { id: "trail-title" }, h("span.pulse", { "aria-hidden": "true" }), "What the server has written down");
  seat.replaceChildren(h("div.inner", {}, h("header", {}, title, toggle, away), records));
  let run = "";
  let after = 0;
  let marie = "";
  let asking: Promise<void> | undefined;
  const look = async () => {
    try {
      const got = await entries(after, run);
      if (got.run !== run && run !== "") {
        list.replaceChildren(); // another server: it has told all of its own
      }
      ({ run, next: after } = got);
      for (const e of got.records) {
        list.prepend(row(e, marie));
        heard(e);
      }
      while (list.children.length > most) {
        list.lastElementChild?.remove();
      }
      seat.removeAttribute("data-away");
      away.textContent = "";
    } catch { // asked again in a second
      seat.setAttribute("data-away", "");
      away.textContent = "The server does not answer. The phones wait for it.";
    }
  };
  const now = () => (asking ??= look().finally(() => (asking = undefined)));
  void now();
  setInterval(() => void now(), every);
  const show = (id: string) => {
    open(true);
    list.querySelectorAll("[data-chosen]").forEach((li) => li.removeAttribute("data-chosen"));
    const chosen = [...list.children].find((li) => (li as HTMLElement).dataset.record === id);
    chosen?.setAttribute("data-chosen", "");
    chosen?.scrollIntoView({ block: "nearest" });
    records.focus({ preventScroll: true });
  };
  const account = (id: string) => {
    if (id !== marie) {
      marie = id;
      for (const who of list.querySelectorAll<HTMLElement>("[data-account]")) {
        who.textContent = whose(who.dataset.account ?? "", who.dataset.actor ?? "", marie);
      }
    }
  };
  return { now, show, account };
}

function row(e: Entry, marie: string): HTMLElement {
  return h(e.refused ? "li.refused" : "li", { "data-record": e.id, "data-code": e.code, "data-action": e.action },
    h("time", { datetime: e.time }, new Date(e.time).toLocaleTimeString()), h("span.who", { "data-account": e.account, "data-actor": e.actor }, whose(e.account, e.actor, marie)), h("span.words", {}, e.words || e.action),
    h("span.codeword", {}, e.code === "" || e.code.includes(" ") ? e.action : e.code)); // a reason may be a sentence
}

// Who acted, by the kinds of the audit record.
const actors: Readonly<Record<string, string>> = { anonymous: "new phone", phone: "phone", browser: "browser", backend: "app's server", system: "server", operator: "operator" };

/** whose says who acted, and on whose account: "Marie · phone". */
function whose(account: string, actor: string, marie: string): string {
  const by = actors[actor] ?? actor;
  if (account === "") { // of no account: a phone that nobody knows yet, or the server by itself
    return { anonymous: "unknown phone", phone: "unknown phone", backend: "the app's server", system: "the server" }[actor] ?? by;
  }
  return `${account === marie ? "Marie" : "somebody"} · ${by}`;
}
