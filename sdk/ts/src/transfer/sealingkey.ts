/** The sealing key that goes along with an account. */
import { equal } from "../bytes.js";
import { devices } from "../phone/owner.js";
import { MoveError } from "./errors.js";
import type { Run } from "./run.js";

/**
 * sameSealingKey refuses to begin a move whose grant the server must refuse: it names the sealing key that goes along, and
 * that must be the one of this phone's device (spec/transfer.md, "States", row 7). A phone without one moves without one.
 */
export async function sameSealingKey(run: Run): Promise<void> {
  const sealing = await run.moving.home.sealingPublic();
  const own = (await devices(run.core)).find((d) => d.this);
  if (own === undefined || equal(own.sealingKey, sealing)) {
    return;
  }
  const differ = (why: string, what: string): MoveError =>
    new MoveError("sealing_key", `the account cannot move with another sealing key than it has for this phone: ${why}; ${what}, then begin again`);
  const approve = "approve sealing.rotate with the app's public key";
  switch (0) {
    case own.sealingKey.length:
      throw differ("it has none, since the phone was enrolled without", approve);
    case sealing.length:
      throw differ("the app has none any more", "recover it with the PIN, or make one and approve sealing.rotate with its public key");
    default:
      throw differ("the app has another one", approve);
  }
}
