/**
 * Recovery of an app's keys with a PIN that nobody can guess (spec/kr1.md).
 *
 * A phone deals shares to vaults. With some of them and the PIN it gets the keys back; each
 * vault counts the attempts it has seen, and stops at a limit.
 *
 *     const recovery = new Recovery({ phone, trust: { releaseKeys, k: 2 } });
 *     await recovery.backUp({ pin, payload: { keys } });
 *
 *     // on a new phone, once its wait is over:
 *     await recovery.start(account, { name: "Phone" });
 *     const { payload } = await recovery.recover(pin);
 *     await recovery.finish({ name: "Phone" });
 *
 * It works in browsers and in Node. The arithmetic is JavaScript's: whoever can time this
 * program on its own machine may learn of its secrets. Argon2id takes 64 MiB of memory and
 * most of a second, on the thread that calls; its WebAssembly needs 'wasm-unsafe-eval' where
 * a page has a content security policy.
 */
export type { Enrolled, Enrolment } from "../phone/enrol.js";
export { backupAlong, takeBackup } from "./along.js";
export { RecoveryError, type Outcome, type RecoveryReason } from "./errors.js";
export type { Recovering } from "./newphone.js";
export { type Key, type Payload, RecoveredPayload } from "./payload.js";
export { newPin, Pin } from "./pin.js";
export type { Recovered } from "./recover.js";
export { type BackupInfo, Recovery, type RecoveryOptions } from "./recovery.js";
export { nextReminder, type Reminder, reminderDue } from "./reminder.js";
export type { Status, VaultStatus } from "./standing.js";
export type { Trust } from "./trust.js";
