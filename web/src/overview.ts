// The overview: besides the buttons, the account's name, and no to what is asked for while it is frozen.

import { begin, done, listen, propose } from "./act";
import { post } from "./api";
import { ask } from "./ask";

begin({
  deny: async (b) => {
    await post("/account/deny", { approval: b.dataset.approval });
    done("You said no. Your other devices were told.");
  },
  handle: async (b) => {
    let handle = "";
    const q = { title: "Your name", lead: "People will know you by it. It is no secret, and nobody can sign in with it.", name: b.dataset.name!, yes: "Go on" };
    if (await ask(q, async (name) => void (handle = name))) await propose("Your name", "handle.change", { handle });
  },
});
listen();
