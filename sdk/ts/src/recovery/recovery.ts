/** Recovery is a phone's half of recovery: what an app calls. */
import { type Bytes, fromBase64url, hex } from "../bytes.js";
import { approve } from "../phone/approve.js";
import type { Core } from "../phone/core.js";
import type { Enrolled, Enrolment } from "../phone/enrol.js";
import { StaunchError } from "../phone/errors.js";
import type { Phone } from "../phone/phone.js";
import { RecoveryError } from "./errors.js";
import { goneOf } from "./gone.js";
import { type Backup, Journal, noBackup } from "./journal.js";
import { finish, type Recovering, start, ticketOf } from "./newphone.js";
import type { Payload } from "./payload.js";
import { checkLeast, leastPin, newPin, type Pin, typedPin } from "./pin.js";
import { recover, type Recovered } from "./recover.js";
import { register } from "./register.js";
import { checkPin, type Reminder, reminderOf } from "./reminder.js";
import type { Client } from "./round.js";
import { remove, status, type Status } from "./standing.js";
import { transportOf } from "./transport.js";
import type { Trust } from "./trust.js";
import { update } from "./update.js";

/** RecoveryOptions are what a Recovery needs. */
export interface RecoveryOptions {
  readonly phone: Phone;
  readonly trust: Trust;
  /** Shows the text that the owner approves with a passkey, before the authenticator asks. It rejects if he does not want it. */
  readonly show?: (text: string) => void | Promise<void>;
  /** How long one vault may take, in milliseconds; absent: 10,000. */
  readonly timeout?: number;
}

/** BackupInfo is what the journal has last seen, without asking anybody. */
export interface BackupInfo {
  readonly account: string;
  readonly profile: string;
  readonly found: boolean; // a registration stands, or is being made
  readonly reg: Bytes;
  readonly seq: number; // of the payload
  readonly limit: number;
  readonly remaining: number; // as the vaults last said
  readonly vaults: number;
  readonly threshold: number;
  readonly acknowledged: number; // vaults of the set that hold it
  readonly complete: boolean; // nothing is left to do; if a renewal is, only renew or backUp does it
  readonly setVersion: number; // of the newest vault set that the phone has seen
  readonly assurance: string; // the weakest of the vaults: "process" (NOT a TEE), "vtpm" or "tee"
  readonly operators: number;
  /**
   * Vaults of the backup that were lost for good: the set that this Recovery has fetched last
   * lists them no more. The PIN works as long as threshold are left. Ask the owner for it and
   * back up, and all have it again.
   */
  readonly gone: readonly string[];
  /** How well its owner knows the PIN; absent: this phone remembers none. */
  readonly reminder?: Reminder;
}

/**
 * Recovery backs an app's keys up behind a PIN, and brings them back. It trusts the
 * release keys that the app pins, and what the vaults prove; the service in between it does
 * not trust. What is under way is in the phone's store before anything leaves, so whatever
 * was interrupted goes on when the same method is called again.
 *
 * Its methods run one after the other, also when they are called at once.
 */
export class Recovery {
  readonly #core: Core;
  readonly #client: Client;
  readonly #show: RecoveryOptions["show"];
  #listed: readonly string[] | undefined; // vaults of the set that was fetched last
  #turn: Promise<unknown> = Promise.resolve();

  constructor(o: RecoveryOptions) {
    const { k, releaseKeys, pinMin } = o.trust;
    if (!Number.isInteger(k) || k < 1 || k > releaseKeys.length || releaseKeys.some((key) => key.length !== 32)) {
      throw new RecoveryError("OPTIONS", `recovery: options: trust: ${k} of ${releaseKeys.length} release keys of 32 bytes verify nothing; compile the vault set's keys into the app`);
    }
    checkLeast(pinMin);
    const core = o.phone.core;
    this.#core = core;
    this.#show = o.show;
    this.#client = {
      transport: transportOf(core), trust: o.trust, journal: new Journal(core.store), now: core.now, timeout: o.timeout ?? 10_000,
      approve: async (reg) => { await approve(core, "recovery.setup", { reg_id: hex(reg) }, o.show); },
    };
  }

  /**
   * backUp makes a PIN the one that brings payload back: the first of the account, or
   * another in the place of the one before. It throws PIN_REFUSED for one that is too
   * easy, and UNAVAILABLE when some vaults do not have it yet: call it again. Until all
   * have it, the PIN before works, or the new one, never none.
   */
  backUp({ pin, payload }: { readonly pin: string; readonly payload: Payload }): Promise<BackupInfo> {
    return this.#inTurn(async (b) => register(this.#client, b, await this.#newPin(pin), payload));
  }

  /** changePin is backUp for an account that has a backup: another PIN, in the place of the one before, which is not asked for. */
  changePin({ pin, payload }: { readonly pin: string; readonly payload: Payload }): Promise<BackupInfo> {
    return this.#inTurn(async (b) => {
      if (b.current === null && b.pending === null) {
        throw new RecoveryError("NOT_FOUND", "recovery: no such backup: back up first");
      }
      await register(this.#client, b, await this.#newPin(pin), payload);
    });
  }

  /** update replaces the payload under the same PIN. It takes no PIN, and costs no attempt. */
  update(payload: Payload): Promise<BackupInfo> {
    return this.#inTurn((b) => update(this.#client, b, payload));
  }

  /**
   * renew makes the registration anew with the same PIN, after a recovery: whoever finds
   * the lost phone has the old keys, and must not have the new ones. That it was asked for
   * is kept first: until it is done info says that the backup is not complete.
   */
  renew({ pin, payload }: { readonly pin: string; readonly payload: Payload }): Promise<BackupInfo> {
    return this.#inTurn(async (b) => {
      const typed = typedPin(pin);
      b.renew = true;
      await this.#client.journal.saveBackup(b);
      await register(this.#client, b, typed, payload);
    });
  }

  /** remove wipes the backup at every vault: nothing brings the keys back then. */
  remove(): Promise<BackupInfo> {
    return this.#inTurn((b) => remove(this.#client, b));
  }

  /** status asks all vaults what they hold. It costs nothing. */
  status(): Promise<Status> {
    return this.#next(() => this.#with((b) => status(this.#client, b)));
  }

  /**
   * checkPin asks this phone whether a PIN is the backup's. No vault and no server hears of it,
   * and a wrong one costs no attempt: it throws OTHER_PIN, and reminders begin anew; after a
   * right one the next is later. One in 256 wrong ones passes for right: the phone keeps too
   * little to know better. After five wrong ones in a row it throws PIN_WAIT for a minute, and
   * for twice as long after each one more. It throws NOT_FOUND where this phone remembers no PIN: there
   * is no backup, or it was made before phones did. Ask when reminderDue says so of the
   * reminder in info.
   */
  checkPin(pin: string): Promise<BackupInfo> {
    return this.#inTurn((b) => checkPin(this.#client, b, typedPin(pin)));
  }

  /** info says what the phone has last seen, without asking anybody. */
  async info(): Promise<BackupInfo> {
    return infoOf(await this.#journal());
  }

  /**
   * start begins to bring an account back on this phone, which is new; or asks how that
   * stands, for it is called again after the wait. Then recover takes the PIN, and finish
   * makes the phone the account's.
   */
  start(account: string, e: Enrolment): Promise<Recovering> {
    return this.#next(() => start(this.#core, account, e));
  }

  /**
   * recover gets the payload back with a PIN: on a new phone after the wait, and on one that
   * has the account once its owner has approved that. It throws WRONG_PIN and LOCKED with
   * outcome.remaining; UNAVAILABLE, after which the same PIN costs no other attempt; and
   * TOO_EARLY. Keep what it gives before anything else.
   */
  recover(pin: string): Promise<Recovered> {
    return this.#next(async () => {
      const typed = typedPin(pin);
      const { account, began } = this.#core.state;
      if (began?.flow === "recover" && began.account !== undefined) {
        return recover(this.#client, began.account, await ticketOf(this.#core, began.account), typed);
      }
      return recover(this.#client, account, await this.#ownTicket(), typed);
    });
  }

  /** finish makes the new passkey, and the phone the account's, which cools off then. */
  finish(e: Enrolment): Promise<Enrolled> {
    return this.#next(() => finish(this.#core, e));
  }

  /** ownTicket has the owner approve that this phone, which has the account, gets its own keys back. */
  async #ownTicket(): Promise<Bytes> {
    const r = await approve(this.#core, "recovery.open", {}, this.#show) as { ticket?: unknown };
    if (typeof r.ticket !== "string" || r.ticket === "") {
      throw new StaunchError("ANSWER", "recovery: the server's answer has no ticket");
    }
    return fromBase64url(r.ticket.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", ""));
  }

  /** newPin applies the rules of app and server. A server that asks for four digits would know where to begin to guess. */
  async #newPin(text: string): Promise<Pin> {
    const least = this.#client.trust.pinMin ?? leastPin;
    newPin(text, least); // what no server can allow needs no call
    return newPin(text, Math.max(least, (await this.#client.transport.getConfig()).pinMin));
  }

  /** inTurn does fn with the journal. */
  #inTurn(fn: (b: Backup) => Promise<void>): Promise<BackupInfo> {
    return this.#next(() => this.#with(async (b) => {
      await fn(b);
      return infoOf(b);
    }));
  }

  /** with does fn with the journal, and remembers which vaults it has seen listed, whatever else fails. */
  async #with<T>(fn: (b: Backup) => Promise<T>): Promise<T> {
    const b = await this.#journal();
    try {
      return await fn(b);
    } finally {
      this.#listed = b.listed;
    }
  }

  async #journal(): Promise<Backup> {
    return { ...(await this.#client.journal.backup() ?? noBackup()), listed: this.#listed };
  }

  #next<T>(fn: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(fn);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }
}

/** infoOf is what of a journal is no secret. */
export function infoOf(b: Backup): BackupInfo {
  const r = b.pending ?? b.current;
  const [reminder, gone] = [reminderOf(b), goneOf(b)];
  return {
    account: b.account, profile: b.profile, found: r !== null, reg: r?.header.reg ?? new Uint8Array(16), seq: Number(b.blob?.seq ?? r?.seq ?? 0n),
    limit: b.limit, remaining: b.remaining, vaults: r?.header.n ?? 0, threshold: r?.header.t ?? 0, acknowledged: r?.have.filter((id) => !gone.includes(id)).length ?? 0,
    complete: b.pending === null && b.blob === null && !b.deleted && !b.renew, setVersion: Number(b.known.version), assurance: b.assurance, operators: b.operators, gone,
    ...(reminder && { reminder }),
  };
}
