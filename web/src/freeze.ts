// The page that freezes an account by the code on paper. It works in every browser,
// also in one that has no passkeys.

import { post } from "./api";
import { words } from "./passkey";
import { say } from "./said";

const form = document.getElementById("form") as HTMLFormElement;
const code = document.getElementById("code") as HTMLInputElement;
const button = document.getElementById("go") as HTMLButtonElement;

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  button.disabled = true;
  say("");
  try {
    say((await post<{ said: string }>("/freeze/code", { code: code.value })).said, "good");
    form.reset(); // who uses this computer next does not find it
  } catch (e) {
    say(words(e), "bad");
  }
  button.disabled = false;
});

form.hidden = false;
