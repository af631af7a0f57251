// The alerts page: what comes in is put on top.

import { type Alert, begin, done, listen } from "./act";
import { pageData, post } from "./api";
import { local } from "./times";

let seq = pageData<{ after: number }>().after;

function add(a: Alert): void {
  seq = a.seq;
  const list = document.getElementById("alerts")!;
  const row = (document.getElementById("alert") as HTMLTemplateElement).content.cloneNode(true) as DocumentFragment;
  row.querySelector("b")!.textContent = a.text;
  const at = row.querySelector("time")!;
  at.dateTime = a.at;
  local(at);
  list.prepend(row);
  list.hidden = false;
  document.getElementById("none")!.hidden = true;
}

begin({
  seen: async () => {
    await post("/account/seen", { seq });
    done("");
  },
});
listen(add);
