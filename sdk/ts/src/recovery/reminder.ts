/** What a phone remembers of its PIN, so that the owner does not forget it. Nobody else hears of it. */
import { concat, equal, utf8 } from "../bytes.js";
import { sum } from "./derive.js";
import { RecoveryError } from "./errors.js";
import type { Backup, Remembered } from "./journal.js";
import type { Pin } from "./pin.js";
import type { Client } from "./round.js";
import { type Argon2, defaultArgon2 } from "./wire.js";

/** Reminder is how well the owner knows the PIN, as far as this phone has seen: one that nobody types for two years is one that nobody knows when the phone is gone. */
export interface Reminder {
  /** The PIN was set here, or has brought the keys back. */
  readonly set: Date;
  /** It was typed right last, in checkPin; absent: never. */
  readonly checked?: Date;
  /** So often in a row. */
  readonly passed: number;
}

/** Days until a PIN is asked for again, after it was typed right that often in a row. */
const days = [1, 3, 7, 14, 30] as const;
const day = 86_400_000; // ms

/** nextReminder is when the owner should be asked next. */
export function nextReminder(r: Reminder): Date {
  return new Date(last(r) + day * (days[Math.min(Math.max(r.passed, 0), days.length - 1)] ?? 1));
}

/** reminderDue says whether the owner should be asked for the PIN now. A time in the future comes of a clock that was wrong, and is not waited for. */
export function reminderDue(r: Reminder, now: Date = new Date()): boolean {
  return now >= nextReminder(r) || now.getTime() < last(r);
}

function last(r: Reminder): number {
  return Math.max(r.set.getTime(), r.checked?.getTime() ?? 0);
}

/**
 * remember keeps the PIN of a registration, in the place of what was kept for it. The salt is
 * of its own, so that the hash is no value of the protocol's, and of the hash one byte is
 * kept: that shows 255 of 256 wrong PINs, and leaves who reads the store of a lost phone with
 * thousands of six digits that it may be, for the ten attempts that the vaults give. With more
 * of it he would have the PIN, and the next one, which is often the same.
 */
export async function remember(c: Pick<Client, "now">, b: Backup, reg: Uint8Array<ArrayBuffer>, pin: Pin): Promise<void> {
  const [argon2, salt] = [defaultArgon2(), crypto.getRandomValues(new Uint8Array(16))];
  const kept: Remembered = { reg, argon2, salt, check: await checkOf(pin, salt, argon2), set: seconds(c.now()), checked: 0, passed: 0, wrong: 0, tried: 0 };
  b.reminders = [...(b.reminders ?? []).filter((one) => !equal(one.reg, reg)), kept];
}

async function checkOf(pin: Pin, salt: Uint8Array<ArrayBuffer>, a: Argon2): Promise<number> {
  return sum(concat(utf8("staunch/client/pin-reminder\0"), await pin.stretch(salt, a)))[0] as number;
}

/** Wrong PINs in a row that checkPin looks at before its caller has to wait, and for how many seconds: twice as long after each one more. */
const wrongPins = 5;
const [firstWait, longestWait] = [60, 24 * 3600];

/** waits is until when no PIN is looked at, in seconds. A last try in the future comes of a clock that was wrong: it counts as made now. */
function waits(m: Remembered, now: number): number {
  if (m.wrong < wrongPins) {
    return now;
  }
  m.tried = Math.min(m.tried, now);
  return m.tried + Math.min(firstWait * 2 ** (m.wrong - wrongPins), longestWait);
}

function seconds(ms: number): number {
  return Math.max(Math.floor(ms / 1000), 0);
}

/** rememberedOf is what is kept of the PIN that a backup's info speaks of. */
function rememberedOf(b: Backup): Remembered | undefined {
  const r = b.pending ?? b.current;
  return r === null ? undefined : b.reminders?.find((one) => equal(one.reg, r.header.reg));
}

/** reminderOf is its Reminder; undefined: this phone remembers no PIN. */
export function reminderOf(b: Backup): Reminder | undefined {
  const m = rememberedOf(b);
  return m && { set: new Date(m.set * 1000), passed: m.passed, ...(m.checked > 0 && { checked: new Date(m.checked * 1000) }) };
}

/** checkPin throws OTHER_PIN for a PIN that is not the one of b, and notes how it went; after too many in a row PIN_WAIT, whatever is typed. */
export async function checkPin(c: Pick<Client, "now" | "journal">, b: Backup, pin: Pin): Promise<void> {
  const m = rememberedOf(b);
  if (m === undefined) {
    throw new RecoveryError("NOT_FOUND", "recovery: no such backup: this phone remembers no PIN; it does once one is set on it");
  }
  const now = seconds(c.now());
  const until = waits(m, now);
  if (now < until) {
    await c.journal.saveBackup(b);
    const at = new Date(until * 1000).toISOString();
    throw new RecoveryError("PIN_WAIT", `recovery: too many wrong PINs on this phone: none is looked at before ${at}; no attempt was used, and another PIN can be set meanwhile`, { details: { retry_at: at } });
  }
  const right = await checkOf(pin, m.salt, m.argon2) === m.check;
  if (right) {
    m.checked = Math.max(now, 1);
  }
  m.passed = right ? Math.min(m.passed + 1, 255) : 0;
  [m.wrong, m.tried] = right ? [0, 0] : [Math.min(m.wrong + 1, 255), now];
  await c.journal.saveBackup(b);
  if (!right) {
    throw new RecoveryError("OTHER_PIN", "recovery: this is not the PIN of the backup; it has cost no attempt");
  }
}
