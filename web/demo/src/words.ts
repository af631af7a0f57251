// What went wrong, in words for the person who holds the phone.

import { StaunchError } from "@staunch/client";
import { MoveError } from "@staunch/client/transfer";

import type { Unit } from "./unit";

/** words says it; the codes are those of docs/api.md and of the SDK. */
export function words(err: unknown): string {
  if (err instanceof StaunchError) {
    return said[err.reason] ?? `${err.reason || "That did not work"}: ${err.message.replace(/^client: /, "")}`;
  }
  if (err instanceof MoveError && err.fault === "other_move") {
    return "Another move had not come to its end; it is cancelled now. Scan again.";
  }
  if (err instanceof DOMException && err.name === "NotAllowedError") {
    return "You did not give your passkey, so nothing was done.";
  }
  return err instanceof Error ? err.message : String(err);
}

const said: Readonly<Record<string, string>> = {
  UNREACHABLE: "The server cannot be reached. Nothing is lost: try again.",
  PASSKEY: "You did not give your passkey, so nothing was done.",
  ACCOUNT_FROZEN: "The account is frozen. Unfreeze it under Safety first.",
  DEVICE_HELD: "This phone is new to the account and cools off. Try again in half a minute.",
  TOO_EARLY: "It is too early. Wait for the clock to run out.",
};

/** failed tells it on the phone. */
export function failed(u: Unit, err: unknown): void {
  console.info("demo:", err); // for who looks: a refusal is no fault of the page
  u.frame.note(words(err), "bad");
}
