// A question over the whole page, before something that cannot be undone.

import { h } from "./dom";

/** confirmed asks it, and gives true for yes. Escape is no. */
export function confirmed(q: { readonly title: string; readonly words: string; readonly yes: string; readonly no: string }): Promise<boolean> {
  const dialog = h("dialog", { "aria-labelledby": "asked", "aria-describedby": "asked-words" },
    h("form", { method: "dialog" },
      h("div.asked", {}, h("h2", { id: "asked" }, q.title), h("p.quiet", { id: "asked-words" }, q.words)),
      h("div.ends", {},
        h("button.button", { value: "no", autofocus: true }, q.no),
        h("button.button.danger", { value: "yes", "data-act": "yes" }, q.yes))));
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener("close", () => {
    dialog.remove();
    resolve(dialog.returnValue === "yes");
  }, { once: true }));
}
