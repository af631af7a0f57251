// A phone on the page from the first click on: what it shows when nothing is
// going on, and what its buttons begin.

import { backUp } from "./backing";
import { list, one } from "./chats";
import { h } from "./dom";
import { enrol } from "./enrolling";
import { fill } from "./filling";
import { makeFrame } from "./frame";
import { type Chat, read, sum } from "./history";
import { goOn, offer, scanOther, takeBack } from "./moving";
import { recover } from "./recovering";
import type { Rooms } from "./rooms";
import { safety } from "./safety";
import { button, countdown, sheet, tabs } from "./screens";
import { type Desk, switchOn, type Unit } from "./unit";
import { failed } from "./words";

/** makeUnit draws a phone and opens what it has. */
export async function makeUnit(id: "blue" | "coral", seat: HTMLElement, desk: Desk, rooms: Rooms): Promise<Unit> {
  const name = id === "blue" ? "Blue phone" : "Coral phone";
  const u = { id, name, desk, frame: makeFrame(seat, name), phase: "new", asks: undefined, heard: () => undefined } as unknown as Unit;
  u.home = () => home(u);
  u.forget = async () => {
    await rooms.empty(id);
    const { store, passkeys } = await rooms.open(id);
    await switchOn(u, store, passkeys);
  };
  const { store, passkeys } = await rooms.open(id);
  await switchOn(u, store, passkeys);
  return u;
}

/** home shows what the phone shows when nothing is going on, and goes on with what was cut off. */
async function home(u: Unit): Promise<void> {
  if (u.desk.story.lost?.includes(u.id)) {
    return gone(u);
  }
  u.frame.body("on");
  if (await goOn(u)) { // a move, on either side of it
    return;
  }
  const { account, began } = u.phone.state;
  const until = await u.data.left();
  if (until !== undefined) {
    return left(u, until);
  }
  if (account !== "" && began === undefined) {
    return chats(u);
  }
  if (began?.flow === "recover") {
    return recover(u);
  }
  if (began?.flow === "enrol") {
    return cutOff(u);
  }
  welcome(u);
}

/** cutOff is a phone that was loaded anew while it was being set up: whether the server has made the account, it finds out by going on. */
function cutOff(u: Unit): void {
  u.phase = "new";
  u.frame.screen("Cut off", sheet({
    icon: "phone", tone: "warn", title: "Setting up was cut off", words: "Nothing is lost. It goes on where it was.",
    choices: [
      { text: "Go on", kind: "primary", id: "enrol", act: () => void enrol(u) },
      { text: "Wipe this phone", kind: "plain", id: "wipe", act: () => void wipe(u) },
    ],
  }));
  u.frame.beneath("Half set up.");
  void u.desk.tell();
}

function welcome(u: Unit): void {
  u.phase = "new";
  const { story } = u.desk;
  const choices = [
    { text: "Set up as Marie's phone", act: () => void enrol(u), id: "enrol" },
    { text: "Move from my old phone", act: () => void offer(u), id: "receive" },
    { text: "My old phone is gone", act: () => void recover(u), id: "recover" },
  ];
  const first = story.account === undefined && u.id === "blue" ? 0 : story.wasLost ? 2 : 1;
  const ordered = [choices[first]!, ...choices.filter((_, i) => i !== first && (i !== 0 || story.account === undefined))];
  u.frame.screen("Welcome", sheet({
    icon: "phone", title: "Hello", words: "A new phone, with the messenger on it and nothing else.",
    choices: ordered.map((c, i) => ({ ...c, kind: i === 0 ? "primary" : "plain" })),
  }));
  u.frame.beneath("Fresh from the shop.");
  void u.desk.tell();
}

/** chats shows the messenger. */
async function chats(u: Unit): Promise<void> {
  u.phase = "home";
  const wanted = u.frame.intend();
  await fill(u);
  const files = await u.data.files();
  const all = read(files);
  const total = await sum(files);
  if (!wanted()) {
    return;
  }
  const foot = tabs("chats", (tab) => void (tab === "chats" ? chats(u) : safety(u, () => void chats(u))), 0);
  const picture = (path: string) => u.data.file(path);
  const show = (chat: Chat) => u.frame.screen("Chat", ...one(chat, picture, () => void chats(u)), foot);
  const count = h("span.count-in", { "data-fingerprint": total.fingerprint }, `${total.messages} messages`, h("br"), `${total.pictures} pictures · ${total.fingerprint}`);
  u.frame.screen("Chats", h("header.appbar", {}, h("h3", { tabindex: -1 }, "Chats"), count),
    h("div.scroll", {}, ...(list(all, show) as Node[])), foot);
  u.frame.beneath("Marie's.", button({ text: "Lose it", kind: "danger", act: () => void lose(u), id: "lose" }));
  await u.desk.tell(u.desk.story.account === u.phone.state.account ? undefined : { account: u.phone.state.account });
}

/** left is the old phone after a move: locked, for as long as the account can be taken back. */
async function left(u: Unit, until: number): Promise<void> {
  u.phase = "left";
  const back = until > Date.now();
  u.frame.screen("Moved", sheet({
    icon: "lock", title: "The account has moved", words: back ? "Signed out and locked. For this long it can take the account back:" : "Signed out. Keys and history can be taken off this phone.",
    more: back ? [countdown(until, Date.now, () => void u.home())] : [],
    choices: [
      ...(back ? [{ text: "Take it back", act: () => void takeBack(u), id: "recall" }] : []),
      { text: "Wipe this phone", kind: "plain" as const, act: () => void wipe(u), id: "wipe" },
    ],
  }));
  u.frame.beneath("Locked.");
  await u.desk.tell(u.desk.story.moved ? undefined : { moved: true });
}

/** lose makes the phone's storage be gone: nothing is left here that could bring anything back. */
export async function lose(u: Unit): Promise<void> {
  await u.forget();
  await u.desk.tell({ lost: [...(u.desk.story.lost ?? []), u.id], wasLost: true });
  await u.home();
}

/** wipe empties a phone, as for its next owner. */
export async function wipe(u: Unit): Promise<void> {
  try {
    await u.forget();
    await u.desk.tell({ lost: (u.desk.story.lost ?? []).filter((id) => id !== u.id) });
  } catch (err) {
    failed(u, err);
  }
  await u.home();
}

function gone(u: Unit): void {
  u.phase = "lost";
  u.frame.body("lost");
  u.frame.screen("Lost", sheet({ icon: "phone", title: "Lost", words: "Left in a taxi. Its key, its passkey and every message on it went with it." }));
  u.frame.beneath("Gone.", button({ text: "Buy another one", act: () => void wipe(u), id: "buy" }));
  void u.desk.tell();
}

/** choosePin is what the guide begins. */
export const choosePin = (u: Unit): Promise<void> => backUp(u);
export { enrol, offer, recover, scanOther };
