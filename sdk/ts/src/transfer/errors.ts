/** What can be wrong with a move beside what the server refuses (a StaunchError). */

/**
 * MoveFault names what has happened. Each says what to do:
 *
 * - `ended`: the move has ended without the account moving; `state` and `why` say how. Begin a new one.
 * - `no_move`: there is none on this phone.
 * - `other_move`: another one is under way on this phone, or this one with another history. Finish or cancel that one.
 * - `declined`: the person said no. The move is cancelled.
 * - `history`: what was to be sent cannot be sent. Nothing was sent.
 * - `check`: a message or the stream is not what the other phone has made, or the server says what that phone has
 *   not signed. Nothing was done on the strength of it.
 * - `too_early`, `too_late`: wait, or use what is left to do: the text says it.
 * - `keys_closed`: the account is this phone's, and the keys that came with it cannot be opened. Recall it on the old phone.
 * - `no_space`: there is no room on this phone. Make room and do the same again.
 * - `sealing_key`: the account does not have the sealing key that this phone's app has, so the server would refuse the
 *   move at its end. Nothing was asked. The text says what to approve first.
 * - `enrolled`: this phone has an account already, or has begun something else.
 */
export type MoveFault =
  | "ended" | "no_move" | "other_move" | "declined" | "history" | "check" | "too_early" | "too_late" | "keys_closed" | "no_space" | "sealing_key" |
  "enrolled";

/** MoveError is a move that did not do what was asked. */
export class MoveError extends Error {
  override readonly name = "MoveError";
  readonly fault: MoveFault;
  /** With `ended`: "aborted" or "recalled". */
  readonly state: string;
  /** With `ended`: why, as docs/transfer.md lists it: "user_cancelled" … Empty after a recall. */
  readonly why: string;

  constructor(fault: MoveFault, message: string, more: { cause?: unknown; state?: string; why?: string } = {}) {
    super(`transfer: ${message}`, more.cause === undefined ? {} : { cause: more.cause });
    this.fault = fault;
    this.state = more.state ?? "";
    this.why = more.why ?? "";
  }
}

/** ended is a move that is over without the account having moved. */
export function ended(state: string, why: string, cause?: unknown): MoveError {
  return new MoveError("ended", `the move has ended: ${state}${why === "" ? "" : ` (${why})`}; begin a new one`, { state, why, cause });
}

/** failedCheck is something that the other phone has not said. */
export function failedCheck(what: string, cause?: unknown): MoveError {
  return new MoveError("check", `a check of the move has failed: ${what}`, { cause });
}

/** checked is an error of the other phone's message or stream as a failed check. */
export function checked(cause: unknown): MoveError {
  return isFault(cause, "check") ? cause : failedCheck(cause instanceof Error ? cause.message : String(cause), cause);
}

/** isFault reports whether an error is a MoveError of this kind. */
export function isFault(error: unknown, fault: MoveFault): error is MoveError {
  return error instanceof MoveError && error.fault === fault;
}
