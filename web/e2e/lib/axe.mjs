// What axe-core finds of a page: a fault of its own for everything that somebody
// could not see, hear or reach (WCAG 2.2 A and AA, and axe's best practices).

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

let source;

// accessible fails if axe finds anything on the page that b shows. The script goes
// in behind the page's content policy, which would not let it in.
export async function accessible(b, name, options = {}) {
  source ??= await readFile(fileURLToPath(new URL("../node_modules/axe-core/axe.min.js", import.meta.url)), "utf8");
  const { exceptionDetails } = await b.cdp.send("Runtime.evaluate", { expression: source });
  assert.equal(exceptionDetails, undefined, "axe-core does not load");
  // What fades in or out is for a moment too pale: it is looked at when it has come to rest, and
  // once more if a fade began meanwhile. A fault that stays is found each time.
  let violations = [];
  for (let tries = 0; tries < 3; tries++) {
    violations = await b.page.evaluate(async (o) => {
      const ends = document.getAnimations().filter((a) => Number.isFinite(a.effect?.getComputedTiming().endTime));
      await Promise.all(ends.map((a) => a.finished.catch(() => undefined))); // one that is cancelled rejects
      const all = await globalThis.axe.run(document, { resultTypes: ["violations"], ...o });
      return all.violations.map((v) => `${v.id}: ${v.help}\n    ${v.nodes.map((n) => n.html.slice(0, 200)).join("\n    ")}`);
    }, options);
    if (violations.length === 0) {
      return;
    }
  }
  assert.deepEqual(violations, [], `${name}: axe finds nothing`);
}
