// The passkeys page: besides the buttons, adding one. Its list tells the
// browser which passkeys still count.

import { begin, done, fresh, listen } from "./act";
import { pageData, post } from "./api";
import { type Ceremony, create, signal, type Signals, supported } from "./passkey";

begin({
  add: async (b) => {
    const c = await fresh(() => post<Ceremony>("/account/passkeys/begin", { hint: b.dataset.hint }));
    if (!c) return;
    const response = await create(c.options);
    const r = await post<{ signals: Signals }>("/account/passkeys/finish", { ceremony: c.ceremony, response });
    await signal(r.signals);
    done("The new passkey is saved. Give it a name by which you will know it.");
  },
});
listen();
const hints = document.getElementById("hints"); // none while the account's state lets none be added
if (hints) hints.hidden = !supported();
void signal(pageData<{ signals?: Signals }>().signals);
