// The devices page: besides the buttons, letting a new device in.

import { begin, failed, listen, propose } from "./act";
import { supported } from "./passkey";

const form = document.getElementById("join") as HTMLFormElement | null; // none while the account's state lets none be added
const value = (id: string) => (document.getElementById(id) as HTMLInputElement).value.trim();

begin();
listen();
if (form) form.hidden = !supported();
form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    await propose("Add this device", "device.add", { code: value("join-code"), number: value("join-number") });
  } catch (e) {
    failed(e);
  }
});
