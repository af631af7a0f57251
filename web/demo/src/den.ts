// The thief's panel: a button an attack, and what came of it. What came of it
// survives a reload.

import { h, icon } from "./dom";
import { attacks, type Attack, type Outcome } from "./thief";
import type { Desk, Unit } from "./unit";
import type { Trail } from "./trail";
import { type Said, words } from "./words";

/** Den is the panel. */
export interface Den {
  /** refresh says which attacks can be tried by now. */
  refresh(): void;
  /** busy reports whether an attack is under way. */
  busy(): boolean;
  /** all runs one attack after the other. */
  all(): Promise<void>;
}

const pace = 900; // ms an attack has at least while all of them run, so that an eye can follow

/** makeDen draws the panel into seat. */
export function makeDen(seat: HTMLElement, desk: Desk, trail: Trail): Den {
  const rows = attacks.map((a) => row(a));
  const runAll = h("button.button.danger", { type: "button", "data-act": "all-attacks", onclick: () => void all() }, "Try all of them");
  let going = false; // one attack is
  let series = false; // all of them are, one after the other
  const victim = () => desk.units.find((u) => u.phase === "home");
  const may = (a: Attack) => !going && victim() !== undefined && (a.needs === "account" || desk.story.backedUp === true);

  function refresh(): void {
    for (const r of rows) {
      r.button.disabled = series || !may(r.attack);
    }
    runAll.disabled = going || series || victim() === undefined;
    status.textContent = standing();
  }

  /** standing says how far the thief has come. */
  function standing(): string {
    const stopped = Object.values(desk.story.outcomes ?? {}).filter((o) => o.stopped).length;
    if (desk.story.account === undefined) {
      return "There is nothing to steal yet: set a phone up first.";
    }
    if (!going && victim() === undefined) {
      return "He waits until a phone of Marie's is at rest.";
    }
    return stopped > 0 ? `${stopped} of ${attacks.length} stopped. Each really happens, against the running server.` : "Each really happens, against the running server. Nothing is acted.";
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
      const outcome = await r.attack.run(scene);
      show(r, outcome);
      await desk.tell({ outcomes: { ...desk.story.outcomes, [r.attack.name]: outcome } });
    } catch (err) {
      console.info("demo:", err);
      const { text, code } = couldNot(err);
      r.element.dataset.state = "failed";
      r.outcome.replaceChildren(h("span.tag.warn", {}, "Could not try"), h("span.came", {}, text, code !== "" && " ", code !== "" && h("code", {}, code)));
    }
    going = false;
    await desk.tell();
    await trail.now();
  }

  /** show says who has stopped an attack, by what, and where it is written down. */
  function show(r: Row, o: Outcome): void {
    r.element.dataset.state = o.stopped ? "stopped" : "through";
    r.element.dataset.record = o.recordedId;
    r.element.dataset.code = o.code;
    r.outcome.replaceChildren(
      h(o.stopped ? "span.tag.good" : "span.tag.bad", {}, icon(o.stopped ? "shield" : "alert", 14), o.stopped ? `Stopped by ${o.stoppedBy}` : "It worked"),
      ...(o.recordedId === "" ? [] : [h("button.seek", { type: "button", onclick: () => trail.show(o.recordedId) }, "Its record: ", h("code.codeword", {}, o.code))]),
      h("span.came", {}, o.words));
  }

  async function all(): Promise<void> {
    series = true;
    for (const r of rows) {
      if (may(r.attack)) {
        r.element.scrollIntoView({ block: "nearest", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
        await Promise.all([run(r), new Promise((done) => setTimeout(done, pace))]);
      }
    }
    series = false;
    await desk.tell();
  }

  interface Row { readonly attack: Attack; readonly element: HTMLElement; readonly button: HTMLButtonElement; readonly outcome: HTMLElement }

  function row(attack: Attack): Row {
    const outcome = h("div.outcome", { role: "status" });
    const button = h("button.button", { type: "button", "data-attack": attack.name, "aria-label": `Try: ${attack.title}`, onclick: () => void run(r) }, "Try");
    const element = h("li.attack", { "data-name": attack.name }, h("div.what", {}, h("b", {}, attack.title), h("span", {}, attack.words)), button, outcome);
    const r: Row = { attack, element, button, outcome };
    const before = desk.story.outcomes?.[attack.name];
    if (before !== undefined) {
      show(r, before);
    }
    return r;
  }

  const status = h("p", {}, "");
  seat.replaceChildren(h("header", {}, h("h2", { id: "thief-title" }, "The thief"), runAll, status), h("ul.attacks", {}, ...rows.map((r) => r.element)));
  refresh();
  return { refresh, all, busy: () => going || series };
}

/** couldNot says why an attack could not be tried: its own words, if it has some. */
function couldNot(err: unknown): Said {
  const own = err instanceof Error ? /^thief: (.*)$/s.exec(err.message)?.[1] : undefined;
  return own === undefined ? words(err) : { text: own, code: "" };
}

/** calm waits while the account cools off from a recovery, if an attack needs what is refused meanwhile. */
async function calm(attack: Attack & { readonly calm?: boolean }, victim: Unit, doing: HTMLElement): Promise<void> {
  while (attack.calm === true && (await victim.phone.status()).accountState === held) {
    doing.textContent = "The account still cools off from its recovery. In a moment …";
    await new Promise((done) => setTimeout(done, 1000));
  }
}

const held = 2; // STATE_HELD of account.v1
