// The overview: besides the buttons, the account's name.

import { begin, listen, propose } from "./act";
import { ask } from "./ask";

begin({
  handle: async (b) => {
    let handle = "";
    const q = { title: "Your name", lead: "People will know you by it. It is no secret, and nobody can sign in with it.", name: b.dataset.name!, yes: "Go on" };
    if (await ask(q, async (name) => void (handle = name))) await propose("Your name", "handle.change", { handle });
  },
});
listen();
