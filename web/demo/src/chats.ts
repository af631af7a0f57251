// The messenger on a phone: the list of chats, and one of them.

import { h, icon, type Child } from "./dom";
import type { Chat, HistoryFile, Message } from "./history";

/** Picture gives the file of a picture. */
export type Picture = (path: string) => Promise<HistoryFile | undefined>;

/** list shows the chats, the newest first. */
export function list(chats: readonly Chat[], open: (chat: Chat) => void): Child[] {
  const row = (chat: Chat) => {
    const last = chat.messages.at(-1);
    return h("li", {}, h("button.chat", { type: "button", onclick: () => open(chat) },
      face(chat),
      h("span.who", {}, h("b", {}, chat.name), h("span.last", {}, last === undefined ? "" : (last.mine ? "You: " : "") + (last.text || "Picture"))),
      h("span.when", {}, last === undefined ? "" : day(last.at))));
  };
  return [h("ul.chats", {}, ...chats.map(row))];
}

const shown = 120; // of a chat; older ones come on demand

/** one shows a chat, from its newest message. */
export function one(chat: Chat, picture: Picture, back: () => void): Child[] {
  const log = h("ol.log", { tabindex: 0, "aria-label": `Messages with ${chat.name}` });
  let from = Math.max(0, chat.messages.length - shown);
  const fill = () => log.replaceChildren(...withDays(chat.messages.slice(from), picture));
  const older = h("button.older", {
    type: "button", onclick: () => {
      from = 0;
      fill();
      older.remove();
    },
  }, "Older messages");
  fill();
  const scroll = h("div.scroll", {}, from > 0 && older, log);
  requestAnimationFrame(() => (scroll.scrollTop = scroll.scrollHeight));
  return [
    h("header.appbar", {},
      h("button.round", { type: "button", "aria-label": "All chats", onclick: back, "data-focus": true }, icon("back")), face(chat), h("h3", { tabindex: -1 }, chat.name)),
    scroll,
  ];
}

function withDays(messages: readonly Message[], picture: Picture): HTMLElement[] {
  const out: HTMLElement[] = [];
  let last = "";
  for (const m of messages) {
    const at = day(m.at);
    if (at !== last) {
      out.push(h("li.day", {}, at));
      last = at;
    }
    out.push(bubble(m, picture));
  }
  return out;
}

function bubble(m: Message, picture: Picture): HTMLElement {
  return h(m.mine ? "li.bubble.mine" : "li.bubble", {},
    m.picture !== undefined && photo(m.picture, picture),
    m.text !== "" && h("span", {}, m.text),
    h("time", { datetime: new Date(m.at).toISOString() }, new Date(m.at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })));
}

/** photo draws a picture once it comes into sight: into a canvas, so that no address of it is needed. */
function photo(path: string, picture: Picture): HTMLElement {
  const canvas = h("canvas.photo", { width: 480, height: 360, role: "img", "aria-label": "A landscape" });
  const seen = new IntersectionObserver((entries) => {
    if (entries.some((e) => e.isIntersecting)) {
      seen.disconnect();
      void draw(canvas, path, picture);
    }
  });
  seen.observe(canvas);
  return canvas;
}

async function draw(canvas: HTMLCanvasElement, path: string, picture: Picture): Promise<void> {
  const file = await picture(path);
  if (file === undefined) {
    canvas.setAttribute("aria-label", "A picture that is missing");
    return;
  }
  const bitmap = await createImageBitmap(new Blob([file.data], { type: "image/jpeg" }));
  canvas.getContext("2d")?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  canvas.dataset.drawn = "";
}

function face(chat: Chat): HTMLElement {
  const span = h("span.face", { "aria-hidden": "true" }, chat.name.slice(0, 1));
  span.style.setProperty("--hue", String(chat.hue));
  return span;
}

function day(at: number): string {
  const then = new Date(at);
  const now = new Date();
  if (then.toDateString() === now.toDateString()) {
    return "Today";
  }
  return then.toLocaleDateString([], now.getTime() - at < 6 * 86_400_000 ? { weekday: "long" } : { day: "numeric", month: "short", year: "numeric" });
}
