// Putting the history on a phone that has just got its account. A reload in
// between does it again.

import { write } from "./history";
import type { Unit } from "./unit";

/** fill does what is left to do of it. */
export async function fill(u: Unit): Promise<void> {
  const from = await u.data.filling();
  const key = await u.data.sealing();
  if (from === undefined || key === undefined) {
    return;
  }
  await u.data.keep(from === "new" ? await write(Date.now()) : await u.desk.cloud.get(key));
  await u.data.keepFilling(undefined);
}
