// The safety page of the messenger: how the account stands, and what its owner can
// do about it.

import { backUp } from "./backing";
import { h } from "./dom";
import { approve, scanOther } from "./moving";
import { rows, tabs } from "./screens";
import { holdings } from "./server";
import type { Unit } from "./unit";
import { failed } from "./words";

const shownAlerts = 8;

/** safety shows it. back leads to the chats. */
export async function safety(u: Unit, back: () => void): Promise<void> {
  const foot = tabs("safety", (tab) => (tab === "chats" ? back() : void safety(u, back)), 0);
  const bar = h("header.appbar", {}, h("h3", { tabindex: -1 }, "Safety"));
  const body = h("div.scroll", {}, h("p.waiting", { role: "status" }, "Asking the server …"));
  u.frame.screen("Safety", bar, body, foot);
  try {
    const [status, devices, alerts, held] = await Promise.all([
      u.phone.status(), u.phone.devices(), u.phone.alerts(), holdings(u.phone.state.account).catch(() => undefined),
    ]);
    const frozen = status.accountState === frozenState;
    const act = (what: () => Promise<unknown>) => () => void (async () => {
      try {
        await what();
      } catch (err) {
        failed(u, err);
      }
      await safety(u, back);
    })();
    body.replaceChildren(
      rows(
        frozen
          ? ["snow", "The account is frozen", "Nobody can change anything or sign in anywhere new.", { text: "Unfreeze", id: "unfreeze", act: act(() => u.phone.unfreeze((text) => approve(u, text))) }]
          : ["shield", "The account is well", `${devices.length === 1 ? "One device has" : `${devices.length} devices have`} it.`, { text: "Freeze it", kind: "danger", id: "freeze", act: act(() => u.phone.freeze()) }],
        ["lock", "PIN", held !== undefined && held.vaults.some((v) => v.has) ? `In three vaults; ${held.remaining} of ${held.limit} tries left.` : "None: if this phone is lost, so is everything.", { text: u.desk.story.backedUp ? "Change the PIN" : "Choose a PIN", id: "pin", act: () => void backUp(u) }],
        ["paper", "Freeze code", u.desk.story.freezeCode === undefined ? "It is not on the slip of paper, so only a phone can freeze." : "On the slip of paper. A new one makes the old one void.", { text: "Have a new code", id: "renew-code", act: act(() => renewCode(u)) }],
        ["move", "New phone", "Choose “Move from my old phone” there, then scan its code.", { text: "Scan the code", id: "scan", act: () => void scanOther(u) }],
        ...devices.map((d) => ["phone", d.name, d.this ? "This phone" : "Another device"] as const),
      ) as Node,
      h("h4", {}, "What happened"),
      alerts.length === 0 ? h("p.none", {}, "Nothing that Marie had to be told.")
        : h("ul.alerts", {}, ...alerts.slice(-shownAlerts).reverse().map((a) => h("li", {}, h("span", {}, a.text), h("time", { datetime: a.at.toISOString() }, a.at.toLocaleTimeString())))));
    const last = alerts.at(-1);
    if (last !== undefined) {
      await u.phone.ackAlerts(last.seq);
    }
  } catch (err) {
    failed(u, err);
  }
}

/** renewCode has a new freeze code made, and writes it on the slip of paper. */
export async function renewCode(u: Unit): Promise<void> {
  await u.desk.tell({ freezeCode: await u.phone.renewFreezeCode((text) => approve(u, text)) });
}

const frozenState = 3; // STATE_FROZEN of account.v1
