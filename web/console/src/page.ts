// What every page of an operator does: times in the reader's own zone, and a way
// out. All else is read without it.

import { post } from "../../src/api";
import { words } from "../../src/passkey";
import { localiseExactly } from "../../src/times";

document.getElementById("sign-out")?.addEventListener("click", async () => {
  try {
    location.assign((await post<{ next: string }>("/sign-out")).next);
  } catch (e) {
    document.getElementById("status")!.textContent = words(e);
  }
});
addEventListener("pageshow", (e) => {
  if (e.persisted) location.reload(); // whoever went back may be signed out meanwhile
});
localiseExactly();
