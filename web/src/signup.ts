// The sign-up page: one passkey, then the freeze code, which is shown once.

import { post } from "./api";
import { type Ceremony, create, gaveUp, signal, type Signals, supported, words } from "./passkey";
import { say } from "./said";

const form = document.getElementById("form") as HTMLFormElement;
const button = document.getElementById("go") as HTMLButtonElement;

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  button.disabled = true;
  say("");
  try {
    const c = await post<Ceremony>("/signup/begin");
    const response = await create(c.options);
    say("Creating your account…");
    const done = await post<{ next: string; freeze_code: string; signals: Signals }>("/signup/finish", { ceremony: c.ceremony, response });
    await signal(done.signals);
    document.getElementById("code")!.textContent = done.freeze_code;
    (document.getElementById("next") as HTMLAnchorElement).href = done.next;
    for (const id of ["ask", "links"]) document.getElementById(id)!.hidden = true;
    const shown = document.getElementById("done")!;
    shown.hidden = false;
    say("");
    const title = shown.querySelector("h1")!;
    title.tabIndex = -1;
    title.focus();
  } catch (e) {
    say(gaveUp(e) ? "" : words(e), "bad");
    button.disabled = false;
  }
});

if (supported()) form.hidden = false;
else say("This browser has no passkeys. Use another browser, or the app on your phone.", "bad");
