// What went wrong, in words for the person who holds the phone, and the code
// behind them for who looks it up in docs/api.md or in the SDK's manual.

import { StaunchError } from "@staunch/client";
import { MoveError } from "@staunch/client/transfer";

import type { Unit } from "./unit";

/** Said is a fault in words. */
export interface Said {
  readonly text: string;
  /** Stable: "ACCOUNT_FROZEN", "move: number_mismatch"; empty: there is none. */
  readonly code: string;
}

/** words says it. What it has no sentence for gets one by its kind, so that no code stands alone and none is lost. */
export function words(err: unknown): Said {
  if (err instanceof StaunchError) {
    const text = said[err.reason] ?? kinds[err.code] ?? (err.code === "" ? "The phone has stopped here, to be on the safe side." : nobody);
    return { text: text + again(err), code: err.reason || err.code };
  }
  if (err instanceof MoveError) {
    const text = err.fault === "ended" ? ends[err.why] ?? "The move has ended, and nothing has moved. Begin a new one." : moves[err.fault];
    return { text: text ?? nobody, code: `move: ${err.fault === "ended" ? err.why || err.state : err.fault}` };
  }
  if (err instanceof DOMException && err.name === "NotAllowedError") {
    return { text: noPasskey, code: "" };
  }
  return { text: nobody, code: err instanceof Error ? err.message : String(err) };
}

/** again is when it may be tried again, if the server has said so. */
function again(err: StaunchError): string {
  const at = err.opensAt ?? err.retryAt;
  return at === undefined ? "" : ` It may be tried again at ${at.toLocaleTimeString()}.`;
}

const noPasskey = "The passkey was not given, so nothing was done.";
const nobody = "That did not work, and it is no fault of yours. Nothing is lost: try again.";

// By reason: the server's (docs/api.md), and the phone's own.
const said: Readonly<Record<string, string>> = {
  UNREACHABLE: "The server cannot be reached. Nothing is lost: try again.",
  STORE_AWAY: "The server cannot get at its data. Nothing is lost: try again.",
  PASSKEY: noPasskey,
  PASSKEY_REFUSED: "The server does not take this passkey.",
  UNFINISHED: "This phone has begun something else, and has not finished it. Wipe the phone, then begin anew.",
  ENROLLED: "This phone has an account already.",
  NOT_ENROLLED: "This phone has no account yet. Set it up first.",
  MISMATCH: "The server wanted something signed that the phone did not show. Nothing was signed.",
  ACCOUNT_FROZEN: "The account is frozen. Unfreeze it under Safety first.",
  ACTION_REFUSED: "The account does not allow that as it stands now.",
  DEVICE_HELD: "This phone is new to the account and cools off. Try again in half a minute.",
  DEVICE_NOT_FOUND: "The server knows no such phone any more.",
  DEVICE_UNTRUSTED: "The server does not take this phone for a genuine one.",
  SESSION_ENDED: "This phone is signed out.",
  TOO_EARLY: "It is too early. Wait for the clock to run out.",
  TRANSFER_ENDED: "The move has ended meanwhile. Nothing has moved: begin a new one.",
  TRANSFER_NOT_FOUND: "There is no such move any more. Begin a new one.",
  TRANSFER_ALREADY_LIVE: "A move of this account is under way already.",
  RATE_LIMITED: "That was tried too often.",
  RECOVERY_RATE: "The PIN was tried too often.",
  RECOVERY_NOT_FOUND: "The vaults have nothing for this account.",
  NOT_FOUND: "The vaults have nothing for this account.",
  UNAVAILABLE: "Too few vaults have answered. Nothing is lost: the same PIN again costs no other try.",
  EVIDENCE: "A vault did not prove what it runs, so it got nothing.",
  OVER: "The recovery was stopped on another device, or took too long. Begin it anew.",
};

// By Connect's code, for every other reason of the server.
const kinds: Readonly<Record<string, string>> = {
  unavailable: "The server cannot answer that now. Nothing is lost: try again.",
  deadline_exceeded: "The server took too long. Nothing is lost: try again.",
  failed_precondition: "That cannot be done as things stand now.",
  permission_denied: "The server does not allow that.",
  unauthenticated: "The server did not take this phone's word for who it is.",
  not_found: "The server knows no such thing, or not for this phone.",
  aborted: "Something has changed meanwhile. Look again, and try again.",
  already_exists: "There is one already.",
  resource_exhausted: "That was tried too often.",
};

// By what is wrong with a move, and by why one has ended (docs/transfer.md).
const moves: Readonly<Record<string, string>> = {
  no_move: "There is no move on this phone.",
  other_move: "Another move had not come to its end; it is cancelled now. Scan again.",
  declined: "You said no, so nothing has moved.",
  history: "The history could not be sent. Nothing has moved.",
  check: "Something was not what the other phone has made. The move is over, and nothing has moved.",
  too_early: "It is too early. Wait for the clock to run out.",
  too_late: "It is too late for that.",
  keys_closed: "The keys that came along cannot be opened. Take the account back on the old phone.",
  no_space: "There is no room on this phone.",
  sealing_key: "The account has another key for this phone's chats than the phone has. Nothing has moved.",
  enrolled: "This phone has an account already, or has begun something else.",
};

const ends: Readonly<Record<string, string>> = {
  user_cancelled: "The move was cancelled on one of the phones. Nothing has moved.",
  cancelled_elsewhere: "The move was cancelled on another device. Nothing has moved.",
  number_mismatch: "Three wrong numbers: the move is over, and nothing has moved.",
  contended: "Two phones have scanned the code, and nobody can tell who was meant. Nothing has moved.",
  device_rejected: "A phone could not prove that it is genuine. Nothing has moved.",
  integrity: "What arrived is not what was sent. Nothing has moved.",
  expired: "The move took too long, and is over. Nothing has moved.",
  account_changed: "The account has changed meanwhile, and so the move is over. Nothing has moved.",
  frozen: "The account was frozen, and so the move is over. Nothing has moved.",
};

/** failed tells it on the phone, until the person goes on. */
export function failed(u: Unit, err: unknown): void {
  console.info("demo:", err); // for who looks: a refusal is no fault of the page
  const { text, code } = words(err);
  u.frame.trouble(text, code);
}
