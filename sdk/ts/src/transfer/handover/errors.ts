import type { Verdict } from "./evidence.js";

/**
 * What a phone finds wrong. None of these reaches it from the server: each is the phone's
 * own judgement of what the server has brought.
 *
 * - "malformed": bytes that are no envelope, no message, no code or no stored half.
 * - "version": a code of a later version: say "update the app".
 * - "commitment": an offer, or a share, that is not the one promised: by the code that was
 *   scanned, or by a hash in a message.
 * - "mac": a message that was made without the key that only the two phones have.
 * - "forged": a message without the device proof of its sender.
 * - "untrusted": evidence that the app's own verifier does not accept; the error has its verdict.
 * - "audience": a phone that speaks of another app or server.
 * - "schema": a history that the new phone's app cannot read.
 * - "space": a history that is larger than what is free on the new phone.
 * - "beacon": something heard that is no beacon of this code. Listen on.
 * - "number": a number that is not the one on the current phone; the error has the tries
 *   that are left. At 0 the transfer is over.
 * - "stream": a receipt for something else than what was granted.
 * - "key": a sealing key that is not the one of the grant.
 * - "order": a message whose turn it is not, or other bytes where some are already.
 * - "erased": a half that has forgotten its keys, because it is over or a check has failed.
 *   Begin anew, with a new code.
 */
export type HandoverCode =
  | "malformed" | "version" | "commitment" | "mac" | "forged" | "untrusted" | "audience" | "schema" | "space"
  | "beacon" | "number" | "stream" | "key" | "order" | "erased";

/** HandoverError is what this folder refuses, by its code. */
export class HandoverError extends Error {
  override readonly name = "HandoverError";
  /** Of "number": how often it may still be typed. */
  readonly left?: number;
  /** Of "untrusted": what the app's verifier found. */
  readonly verdict?: Verdict;

  constructor(readonly code: HandoverCode, message: string, more: { cause?: unknown; left?: number; verdict?: Verdict } = {}) {
    super(`handover: ${message}`, more.cause === undefined ? undefined : { cause: more.cause });
    if (more.left !== undefined) {
      this.left = more.left;
    }
    if (more.verdict !== undefined) {
      this.verdict = more.verdict;
    }
  }
}

/** erased is the error of a half that has forgotten its keys. */
export function erased(): HandoverError {
  return new HandoverError("erased", "the keys are erased: begin anew with a new code");
}
