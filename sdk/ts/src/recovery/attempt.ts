/** One attempt at a PIN, from the header to the payload: the OPRF, the releases, the box. */
import { type Bytes, equal } from "../bytes.js";
import { MalformedError } from "../cbor.js";
import { openBox } from "./box.js";
import { attemptName, derivePRS, sum } from "./derive.js";
import { type Outcome, notFound, RecoveryError, tooFew, vaultAway, wrongPin } from "./errors.js";
import { prove } from "./exchange.js";
import { type Group, groupOf } from "./group.js";
import { about, type Attempt, type Backup, begin, mayAnswer, type Registration } from "./journal.js";
import { type Blinded, blind, combine, type Evaluation, onPolynomial, proves } from "./oprf.js";
import type { Pin } from "./pin.js";
import { limitOf, remaining, type Request, request, type Round } from "./round.js";
import { decode } from "./shape.js";
import type { SessionView } from "./transport.js";
import type { Vaults } from "./trust.js";
import { type Answer, blob as blobShape, evaluate, header as headerShape, type Header, Op, release, verdictWords, Verdict, type WirePayload } from "./wire.js";

/** Try is one attempt. */
export class Try {
  readonly #g: Group;
  readonly #evaluated = new Map<string, Answer>(); // verdict ok, and no liar
  readonly #released = new Map<string, Answer>(); // verdict ok
  readonly #refused = new Set<string>(); // wrong PIN, or locked
  readonly #last = new Map<string, Answer>(); // the newest of each, for the number that remains
  readonly #errs = new Map<string, unknown>();
  readonly #liars = new Set<string>();
  #rwd: Bytes = new Uint8Array();
  #key: Bytes = new Uint8Array();
  #hash: Bytes = new Uint8Array();
  #header: Header;
  #vaults: Vaults;
  /** A vault wants a second answer of this attempt, and gets none. */
  spent = false;

  private constructor(
    header: Header, readonly session: SessionView, readonly attempt: Attempt, vaults: Vaults,
    readonly blobs: readonly Bytes[], // candidates, of this registration
    readonly blinded: Blinded,
  ) {
    this.#g = groupOf(header.suite);
    this.#header = header;
    this.#vaults = vaults;
  }

  /** open reads the header and blinds the PIN. */
  static async open(session: SessionView, vaults: Vaults, pin: Pin, attempt: Attempt): Promise<Try> {
    const found = session.blobs.filter((b) => equal(b.reg, session.reg)).flatMap((b) => {
      const h = headerOf(b.blob);
      // The header is not authentic before the box is open. One that asks for fewer vaults
      // than the set would have the phone make a key of their shares alone, for which a
      // thief of these could try PINs (spec/kr1.md, section 6, "Recover").
      return h !== undefined && equal(h.reg, session.reg) && h.suite === vaults.set.suite && h.t >= vaults.set.t ? [{ h, blob: b.blob }] : [];
    });
    const first = found[0];
    if (first === undefined) {
      throw new RecoveryError("NOT_FOUND", `recovery: no such backup: the service has no blob of the registration it names, for ${vaults.set.t} vaults at least, that can be read`);
    }
    begin(attempt, session.reg);
    const x = await pin.stretch(first.h.reg, first.h.argon2);
    const blinded = blind(groupOf(first.h.suite), x, attempt.seed, first.h.reg);
    about(attempt, attemptName(first.h.reg, blinded.element));
    return new Try(first.h, session, attempt, vaults, found.map((f) => f.blob), blinded);
  }

  get #t(): number { return this.#header.t; }

  /** run takes the three locks one after the other. */
  async run(r: Round): Promise<WirePayload> {
    await this.#evaluate(r);
    await this.#release(r);
    return this.#openBox();
  }

  /**
   * evaluate gets t evaluations that are certainly right. More than t answers are compared
   * in the exponent; otherwise, or when they differ, each vault must prove its own. The
   * same B again costs nothing.
   */
  async #evaluate(r: Round): Promise<void> {
    let proofs = this.#header.n === this.#t;
    await this.#askEvaluate(r, this.#header.vaults.map((v) => v.vault), proofs);
    this.#enough();
    if (!proofs && (this.#evaluated.size === this.#t || !onPolynomial(this.#g, this.#t, this.#evaluations()))) {
      proofs = true;
      const again = [...this.#evaluated.keys()];
      this.#evaluated.clear();
      await this.#askEvaluate(r, again, true);
    }
    if (proofs) {
      for (const [id, a] of this.#evaluated) {
        const k = this.#header.vaults.find((v) => v.vault === id)?.k ?? new Uint8Array();
        if (a.proof === undefined || a.e === undefined || !proves(this.#g, k, this.blinded.element, a.e, a.proof)) { // RFC 9497, Section 2.2.2
          this.#lied(id, "its evaluation has no proof, or a false one");
        }
      }
    }
    this.#enough();
    this.#rwd = this.blinded.finalize(combine(this.#g, this.#t, this.#evaluations().slice(0, this.#t)));
  }

  async #askEvaluate(r: Round, ids: readonly string[], wantProof: boolean): Promise<void> {
    const q = request(Op.evaluate, evaluate, { reg: this.#header.reg, b: this.blinded.element, wantProof });
    for (const [id, { answer, err }] of await r.ask(new Map(ids.map((each) => [each, q])))) {
      this.#errs.delete(id);
      if (err !== undefined) {
        this.#errs.set(id, err);
        continue;
      }
      this.#last.set(id, answer);
      if (answer.verdict === Verdict.ok) {
        if (answer.ya === undefined || answer.e === undefined) {
          this.#lied(id, "its answer has no evaluation");
        } else {
          this.#evaluated.set(id, answer);
        }
      } else if (answer.verdict === Verdict.locked) {
        this.#refused.add(id);
      } else {
        this.#errs.set(id, verdictError(answer.verdict));
      }
    }
    this.#vaults = r.vaults;
  }

  /** evaluations are the answers in the order of their points. */
  #evaluations(): Evaluation[] {
    return this.#header.vaults.flatMap(({ vault }, i) => {
      const e = this.#evaluated.get(vault)?.e;
      try {
        return e === undefined ? [] : [{ index: i + 1, e: this.#g.element(e) }];
      } catch {
        this.#lied(vault, "its evaluation is no element");
        return [];
      }
    });
  }

  /** lied leaves a vault out of the rest, and names it. */
  #lied(id: string, why: string): void {
    this.#evaluated.delete(id);
    this.#released.delete(id);
    this.#errs.set(id, new RecoveryError("LIED", `recovery: the vault's answer is false: ${why}`));
    this.#liars.add(id);
  }

  /** enough throws unless t vaults have evaluated: what the others say is that the registration is locked, or gone, or too few answered. */
  #enough(): void {
    this.#evaluations(); // drops answers that are no elements
    const n = this.#header.n;
    const gone = [...this.#errs.values()].filter(notFound).length;
    switch (true) {
      case this.#evaluated.size >= this.#t:
        return;
      case this.#refused.size > n - this.#t:
        throw wrongPin(this.outcome());
      case gone > n - this.#t:
        throw new RecoveryError("NOT_FOUND", "recovery: no such backup: the vaults do not know the registration that the service names");
      default:
        throw tooFew({ ...this.outcome(), answered: this.#evaluated.size + this.#refused.size }, this.#t, this.#errs);
    }
  }

  /** release shows each vault that the PIN was right, and gets its share of s. */
  async #release(r: Round): Promise<void> {
    const requests = this.#proofs(r);
    await r.c.journal.saveAttempt(this.attempt); // before what it has answered leaves
    for (const [id, { answer, err }] of await r.ask(requests)) {
      this.#errs.delete(id);
      if (err !== undefined) {
        this.#errs.set(id, err);
        continue;
      }
      this.#last.set(id, answer);
      switch (answer.verdict) {
        case Verdict.ok:
          if (answer.s === undefined || answer.blobHash === undefined) {
            this.#lied(id, "its answer has no share");
          } else {
            this.#released.set(id, answer);
          }
          break;
        case Verdict.wrongPIN: case Verdict.locked:
        case Verdict.noOpenTry: // the same B was refused before, and that answer was lost
          this.#refused.add(id);
          break;
        default:
          this.#errs.set(id, verdictError(answer.verdict));
      }
    }
    if (this.#released.size >= this.#t) {
      return;
    }
    throw this.#refused.size > this.#header.n - this.#t
      ? wrongPin(this.outcome())
      : tooFew({ ...this.outcome(), answered: this.#released.size + this.#refused.size }, this.#t, this.#errs);
  }

  /**
   * proofs are the requests to those that have evaluated.
   *
   * Nobody vouches for the registration yet, nor for the vaults' keys: whoever deals one
   * himself, and has a vault's keys, learns of one PIN whether it is the owner's from what
   * the phone answers to a half that he has made with it. So there is one answer for each
   * vault and attempt, whatever a vault says of it (spec/kr1.md, section 7).
   */
  #proofs(r: Round): Map<string, Request> {
    const out = new Map<string, Request>();
    const { reg, suite } = this.#header;
    for (const [id, a] of this.#evaluated) {
      const acct = r.accts.get(id);
      if (a.ya === undefined || a.e === undefined || acct === undefined) {
        continue; // askEvaluate and the envelope have seen to that
      }
      const prs = derivePRS(suite, reg, this.#rwd, id);
      try {
        const q = prove({ suite, prs, vault: id, acct, reg, b: this.blinded.element, e: a.e }, a.ya, this.#g.randomScalar());
        if (mayAnswer(this.attempt, id, sum(a.ya))) {
          out.set(id, request(Op.release, release, q));
          continue;
        }
        this.spent = true;
        this.#errs.set(id, vaultAway("it asks this attempt for a second proof, as when another phone has tried meanwhile: try again, which counts"));
      } catch (err) {
        if (!(err instanceof MalformedError)) {
          throw err;
        }
        this.#lied(id, "its half of the exchange is no element");
      } finally {
        prs.fill(0);
      }
    }
    return out;
  }

  /** openBox opens the payload with the shares that have come. */
  async #openBox(): Promise<WirePayload> {
    const box = await openBox(this.#g, this.#header, this.#rwd, this.blobs, this.#released);
    for (const [id, why] of box.liars) {
      this.#lied(id, why);
    }
    if (box.opened === undefined) {
      throw new RecoveryError("SHARES", `recovery: the PIN is right, and the shares or the blob fail their check: ${box.shares} shares, and ${this.blobs.length} blobs`, { outcome: this.outcome() });
    }
    [this.#key, this.#hash, this.#header] = [box.opened.key, box.opened.hash, box.opened.header];
    return box.opened.payload;
  }

  /** outcome is what is known of the try so far. */
  outcome(): Outcome {
    const answers = [...this.#last.values()];
    return {
      account: this.session.account, reg: this.#header.reg, vaults: this.#header.n, threshold: this.#t, answered: this.#last.size,
      liars: [...this.#liars].sort(), assurance: this.#vaults.assurance(), operators: this.#vaults.operators,
      limit: limitOf(answers, this.#vaults.set.limit), remaining: remaining(answers, this.#t) ?? 0,
    };
  }

  /** backup is the journal of what was recovered. */
  backup(p: WirePayload): Backup {
    const o = this.outcome();
    const have = [...this.#released.keys()].sort(); // under these names it had the share
    const current: Registration = {
      header: this.#header, key: this.#key, manage: p.manageSeed, blobHash: this.#hash, seq: p.seq, have, recovered: true, making: null,
    };
    return {
      account: this.session.account, profile: this.#vaults.set.profile, known: this.#vaults.known, current, pending: null, blob: null, deleted: false,
      limit: o.limit, remaining: o.remaining, assurance: o.assurance, operators: Math.min(o.operators, 255), renew: false,
      accts: new Map(have.flatMap((id) => { const acct = this.session.accts.get(id); return acct === undefined ? [] : [[id, acct] as const]; })),
    };
  }
}

function headerOf(blob: Bytes): Header | undefined {
  try {
    return decode(headerShape, decode(blobShape, blob).header);
  } catch {
    return undefined; // somebody else's, or of another version
  }
}

/** verdictError is a verdict that is no answer to the PIN. */
function verdictError(verdict: number): RecoveryError {
  return verdict === Verdict.deleted || verdict === Verdict.noBackup || verdict === Verdict.unknownReg
    ? new RecoveryError("NOT_FOUND", `recovery: no such backup (it says ${JSON.stringify(verdictWords(verdict))})`)
    : vaultAway(`it says ${JSON.stringify(verdictWords(verdict))}`);
}
