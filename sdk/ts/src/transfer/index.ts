/**
 * Moving an account to a new phone: its keys and its whole history, through a server that can read none of it.
 *
 * The new phone shows a code (receiveMove), the current one scans it (sendMove) and shows six digits, which are typed on the
 * new one; then everything goes over, encrypted from phone to phone. Each loop writes its own step down before it sends it:
 * call the same function again after a crash, a reload or a cut, with the same options, and it goes on where it was.
 * docs/transfer.md is the manual, spec/transfer.md has every byte.
 *
 * A browser hears no beacon: every move is of class "none", which the server's configuration holds before anything of it can
 * be opened (twelve hours in production; see "Holds" in docs/transfer.md). Evidence of the other phone is judged by an
 * EvidenceVerifier that the app gives, for chains of Android and App Attest objects are not verified here.
 */
export { cancelMove, finalizeMove, moveStatus, recallMove, type Show } from "./after.js";
export { MoveError, type MoveFault } from "./errors.js";
export type { Evidence, EvidenceVerifier, Verdict } from "./handover/index.js";
export { HandoverError, parseCode } from "./handover/index.js";
export type { Entry, FileState, Importer, Quarantined, Source } from "./history.js";
export { receiveMove } from "./receive.js";
export { SealedError } from "./sealed/index.js";
export { sendMove } from "./send.js";
export { SoftwareHome } from "./softwarehome.js";
export { StoreHistory } from "./storehistory.js";
export type {
  Moved, MoveEvent, MoveHome, MoveInfo, MoveStanding, Moving, Peer, Phase, Progress, ReceiveOptions, Secrets, SendOptions,
} from "./types.js";
