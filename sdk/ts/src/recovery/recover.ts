/** Getting the payload back with a PIN, on a phone that has a ticket. */
import { type Bytes, equal } from "../bytes.js";
import { reasonOf } from "../phone/errors.js";
import { Try } from "./attempt.js";
import { type Outcome, RecoveryError } from "./errors.js";
import { type Attempt, type Backup, end } from "./journal.js";
import { opened, type RecoveredPayload } from "./payload.js";
import type { Pin } from "./pin.js";
import { remember } from "./reminder.js";
import { type Client, look, Round } from "./round.js";
import { recoverSeed } from "./seed.js";
import type { SessionView } from "./transport.js";
import type { WirePayload } from "./wire.js";

/** Recovered is what a right PIN brings back. */
export interface Recovered {
  readonly outcome: Outcome;
  readonly payload: RecoveredPayload;
}

/**
 * recover makes an attempt, or goes on with the one that was begun: with the same PIN that
 * costs no other. The attempt is saved before the first request leaves, and ended by a
 * verdict. The journal of what came back is saved unless the phone has it.
 */
export async function recover(c: Client, account: string, ticket: Bytes, pin: Pin): Promise<Recovered> {
  const a = await c.journal.attempt();
  const session = await c.transport.openSession(account, ticket);
  if (session.account !== account) { // it would be that of the backup
    throw new RecoveryError("EVIDENCE", `recovery: the service has opened a session of account ${session.account}, and ${account} was asked for: nothing was sent; tell the operator`);
  }
  const vaults = await look(c, a.known);
  a.known = vaults.known;
  const r = new Round(c, vaults, session.accts, session.secret);
  const got = vaults.set.profile === "seed" ? await recoverSeed(r, session, pin, a) : await recoverKR1(r, session, pin, a);
  const had = await c.journal.backup();
  const reg = got.backup.current?.header.reg ?? session.reg;
  if (![had?.pending, had?.current].some((mine) => mine != null && equal(mine.header.reg, reg))) {
    await remember(c, got.backup, reg, pin);
    await c.journal.saveBackup(got.backup);
  }
  return { outcome: got.outcome, payload: got.payload };
}

async function recoverKR1(r: Round, session: SessionView, pin: Pin, a: Attempt): Promise<Recovered & { readonly backup: Backup }> {
  const { c } = r;
  let made = await attemptOnce(r, session, pin, a);
  try {
    await c.transport.finishSession(session.secret);
  } catch (err) {
    if (reasonOf(err) !== "RECOVERY_UNFINISHED") {
      throw err; // again: free
    }
    // The records of the releases that prove it were lost with a server: the same attempt,
    // repeated, proves nothing any more. Another one, right as well, does, and leaves all
    // attempts as they are.
    end(a);
    made = await attemptOnce(r, session, pin, a);
    await c.transport.finishSession(session.secret);
  }
  end(a);
  await c.journal.saveAttempt(a);
  return { outcome: made.t.outcome(), payload: opened(made.p), backup: made.t.backup(made.p) };
}

/** attemptOnce makes one attempt, or goes on with it. A verdict ends it. */
async function attemptOnce(r: Round, session: SessionView, pin: Pin, a: Attempt): Promise<{ t: Try; p: WirePayload }> {
  const t = await Try.open(session, r.vaults, pin, a);
  await r.c.journal.saveAttempt(a); // before the first request leaves
  try {
    return { t, p: await t.run(r) };
  } catch (err) {
    if (["WRONG_PIN", "LOCKED"].includes(reasonOf(err)) || t.spent) {
      end(a); // a verdict; or no vault will give one on this attempt
      await r.c.journal.saveAttempt(a);
    }
    throw err;
  }
}
