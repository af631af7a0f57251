// The thief's panel: a button an attack, and what came of it.

import { h } from "./dom";
import { attacks, type Attack, type Outcome } from "./thief";
import type { Desk, Unit } from "./unit";
import type { Trail } from "./trail";

/** Den is the panel. */
export interface Den {
  /** refresh says which attacks can be tried by now. */
  refresh(): void;
  /** all runs one attack after the other. */
  all(): Promise<void>;
}

/** makeDen draws the panel into seat. */
export function makeDen(seat: HTMLElement, desk: Desk, trail: Trail): Den {
  const rows = attacks.map((a) => row(a));
  const runAll = h("button.button.danger", { type: "button", "data-act": "all-attacks", onclick: () => void all() }, "Try all of them");
  let going = false;
  const victim = () => desk.units.find((u) => u.phase === "home");
  const may = (a: Attack) => !going && victim() !== undefined && (a.needs === "account" || desk.story.backedUp === true);

  function refresh(): void {
    for (const r of rows) {
      r.button.disabled = !may(r.attack);
    }
    runAll.disabled = going || victim() === undefined;
    missing.textContent = desk.story.account === undefined ? "There is nothing to steal yet: set a phone up first." : victim() === undefined ? "He waits until a phone of Marie's is at rest." : "Each really happens, against the running server. Nothing is acted.";
  }

  async function run(r: Row): Promise<void> {
    const u = victim();
    if (u === undefined || !may(r.attack)) {
      return;
    }
    going = true;
    refresh();
    r.element.dataset.state = "running";
    const doing = h("span.quiet", {}, "Trying …");
    r.outcome.replaceChildren(h("span.spinner.small"), doing);
    try {
      await calm(r.attack, u, doing);
      doing.textContent = "Trying …";
      const scene = { settings: desk.settings, victim: u.phone, victimStore: u.store, backedUp: desk.story.backedUp === true, tell: (words: string) => (doing.textContent = words) };
      await show(r, await r.attack.run(scene));
    } catch (err) {
      r.element.dataset.state = "failed";
      r.outcome.replaceChildren(h("span.tag.warn", {}, "Could not try"), h("span", {}, err instanceof Error ? err.message : String(err)));
    }
    going = false;
    await desk.tell();
    await trail.now();
  }

  async function show(r: Row, o: Outcome): Promise<void> {
    r.element.dataset.state = o.stopped ? "stopped" : "through";
    r.element.dataset.record = o.recordedId;
    r.element.dataset.code = o.code;
    r.outcome.replaceChildren(
      h(o.stopped ? "span.tag.good" : "span.tag.bad", {}, o.stopped ? `Stopped by ${o.stoppedBy}` : "It worked"), h("code.codeword", {}, o.code),
      h("span", {}, o.words),
      o.recordedId === "" ? "" : h("button.seek", { type: "button", onclick: () => trail.show(o.recordedId) }, "Its record"));
    await desk.tell({ outcomes: { ...desk.story.outcomes, [r.attack.name]: o.stopped } });
  }

  async function all(): Promise<void> {
    for (const r of rows) {
      if (may(r.attack)) {
        await run(r);
      }
    }
  }

  interface Row { readonly attack: Attack; readonly element: HTMLElement; readonly button: HTMLButtonElement; readonly outcome: HTMLElement }

  function row(attack: Attack): Row {
    const outcome = h("div.outcome", { role: "status" });
    const button = h("button.button", { type: "button", "data-attack": attack.name, "aria-label": `Try: ${attack.title}`, onclick: () => void run(r) }, "Try");
    const element = h("li.attack", { "data-name": attack.name }, h("div.what", {}, h("b", {}, attack.title), h("span", {}, attack.words)), button, outcome);
    const r: Row = { attack, element, button, outcome };
    return r;
  }

  const missing = h("p", {}, "");
  seat.replaceChildren(h("header", {}, h("h2", { id: "thief-title" }, "The thief"), runAll, missing), h("ul.attacks", {}, ...rows.map((r) => r.element)));
  refresh();
  return { refresh, all };
}

/** calm waits while the account cools off from a recovery, if an attack needs what is refused meanwhile. */
async function calm(attack: Attack & { readonly calm?: boolean }, victim: Unit, doing: HTMLElement): Promise<void> {
  while (attack.calm === true && (await victim.phone.status()).accountState === held) {
    doing.textContent = "The account still cools off from its recovery. In a moment …";
    await new Promise((done) => setTimeout(done, 1000));
  }
}

const held = 2; // STATE_HELD of account.v1
