// The page of an invitation. Its secret is behind "#" in the address, so that no
// server and no log sees it but by the POST of this script; it is taken out of the
// address at once, so that it stays in no history.

import { post } from "../../src/api";
import { type Ceremony, create, gaveUp, supported, words } from "../../src/passkey";
import { say } from "../../src/said";

const link = location.hash.slice(1);
history.replaceState(null, "", location.pathname);
const button = document.getElementById("go") as HTMLButtonElement;

button.addEventListener("click", async () => {
  button.disabled = true;
  say("Your device will now ask for you.");
  try {
    const c = await post<Ceremony>("/enrol/begin", { link });
    const response = await create(c.options);
    say("Signing you in…");
    location.assign((await post<{ next: string }>("/enrol/finish", { ceremony: c.ceremony, response })).next);
  } catch (e) {
    say(gaveUp(e) ? "" : words(e), "bad");
    button.disabled = false;
  }
});

if (!link) say("This address is incomplete: open the link whole, as it was printed. It works in one window; loading this page again loses it.", "bad");
else if (!supported()) say("This browser has no passkeys. Use another browser.", "bad");
else {
  document.getElementById("ways")!.hidden = false;
  button.focus();
}
