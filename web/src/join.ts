// The join page: shows a code and a number, waits until another device says
// yes, and then makes a passkey here.

import { post } from "./api";
import { type Ceremony, create, gaveUp, signal, type Signals, supported, words } from "./passkey";
import { say } from "./said";
import { countdown } from "./times";

interface Join {
  join: string;
  code: string;
  number: string;
  qr: string;
  seconds: number;
}

const part = <T extends HTMLElement>(id: string) => document.getElementById(id) as T;
const panels = ["start", "wait", "make"];

function show(id: string): void {
  for (const p of panels) part(p).hidden = p !== id;
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function open(guest: boolean): Promise<void> {
  say("");
  const j = await post<Join>("/join/begin", { guest });
  part<HTMLImageElement>("qr").src = j.qr;
  part("number").textContent = j.number;
  part("code").textContent = j.code;
  show("wait");
  let over = false;
  const stop = countdown(part("left"), j.seconds, () => (over = true));
  try {
    for (;;) {
      await pause(1500);
      if (over) throw new Error("The code has run out. Show a new one.");
      const r = await post<{ state: string; next?: string } & Ceremony>("/join/wait", { join: j.join });
      if (r.state === "open") continue;
      if (r.next) return location.assign(r.next); // a guest
      if (r.state !== "confirmed") throw new Error("Your other device said no.");
      return ready(j.join, r);
    }
  } finally {
    stop();
  }
}

function ready(join: string, c: Ceremony): void {
  show("make");
  part("create").onclick = async () => {
    say("");
    try {
      const r = await post<{ next: string; signals: Signals }>("/join/finish", { join, ceremony: c.ceremony, response: await create(c.options) });
      await signal(r.signals);
      location.assign(r.next);
    } catch (e) {
      say(gaveUp(e) ? "" : words(e), "bad");
    }
  };
}

if (supported()) {
  show("start");
  for (const id of ["go", "guest"]) {
    part(id).onclick = () =>
      open(id === "guest").catch((e) => {
        show("start");
        say(words(e), "bad");
      });
  }
} else {
  say("This browser has no passkeys. Use another browser, or the app on your phone.", "bad");
}
