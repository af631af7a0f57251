// The console's sign-in page: one button, one passkey.

import { pageData, post } from "../../src/api";
import { type Ceremony, gaveUp, get, supported, words } from "../../src/passkey";
import { say } from "../../src/said";

const next = pageData<{ next: string }>().next;
const button = document.getElementById("go") as HTMLButtonElement;

button.addEventListener("click", async () => {
  button.disabled = true;
  say("Your device will now ask for you.");
  try {
    const c = await post<Ceremony>("/signin/begin");
    const response = await get(c.options);
    say("Signing you in…");
    location.assign((await post<{ next: string }>("/signin/finish", { ceremony: c.ceremony, response, next })).next);
  } catch (e) {
    say(gaveUp(e) ? "" : words(e), "bad");
    button.disabled = false;
  }
});

if (supported()) {
  document.getElementById("ways")!.hidden = false;
  button.focus();
} else say("This browser has no passkeys. Use another browser.", "bad");
