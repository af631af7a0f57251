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
  const violations = await b.page.evaluate(async (o) => {
    const all = await globalThis.axe.run(document, { resultTypes: ["violations"], ...o });
    return all.violations.map((v) => `${v.id}: ${v.help}\n    ${v.nodes.map((n) => n.html.slice(0, 200)).join("\n    ")}`);
  }, options);
  assert.deepEqual(violations, [], `${name}: axe finds nothing`);
}
