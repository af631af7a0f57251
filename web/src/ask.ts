// The dialog of the account pages. It says what the system will ask before it
// asks, and takes a name where one is wanted.

import { gaveUp, words } from "./passkey";

interface Question {
  title: string;
  lead: string;
  text?: string; // shown as it is
  name?: string; // asks for a name, with this one in the field
  yes: string;
}

const part = <T extends HTMLElement>(id: string) => document.getElementById(id) as T;

// ask shows q and runs act when the person agrees. It resolves to false if he
// does not. While act fails the dialog stays, and says why.
export function ask(q: Question, act: (name: string, shown: string) => Promise<void>): Promise<boolean> {
  const dialog = part<HTMLDialogElement>("ask");
  const text = part("ask-text");
  const field = part("ask-field");
  const input = part<HTMLInputElement>("ask-input");
  const status = part("ask-status");
  const yes = part<HTMLButtonElement>("ask-yes");
  part("ask-title").textContent = q.title;
  part("ask-lead").textContent = q.lead;
  text.textContent = q.text ?? "";
  text.hidden = q.text === undefined;
  field.hidden = q.name === undefined;
  input.required = q.name !== undefined;
  input.value = q.name ?? "";
  status.textContent = "";
  yes.textContent = q.yes;
  yes.disabled = false;

  return new Promise((resolve) => {
    let agreed = false;
    dialog.querySelector("form")!.onsubmit = async (event) => {
      event.preventDefault();
      if (yes.disabled) return;
      yes.disabled = true;
      status.textContent = "";
      try {
        await act(input.value.trim(), text.textContent!);
        agreed = true;
        dialog.close();
      } catch (e) {
        yes.disabled = false;
        if (!gaveUp(e)) status.textContent = words(e);
      }
    };
    part("ask-no").onclick = () => dialog.close();
    dialog.onclose = () => resolve(agreed);
    dialog.showModal();
    (q.name === undefined ? yes : input).focus();
    if (q.name !== undefined) input.select();
  });
}
